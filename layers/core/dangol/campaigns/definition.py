"""A campaign: whom it addresses, when, with what words, and what it is meant to reach. Loaded by `loading`."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from dangol.campaigns.content import Button
from dangol.campaigns.decision import Message
from dangol.campaigns.schedule import Schedule

ITEM_KINDS = {
    "cart": "products in their cart",
    "wishlist": "products on their wish list",
    "restocked": "of cart, wish list and what they looked at: what came back in stock since, in the last 14 days",
    "last_category": "products of the category they bought from last",
    "bought_together": (
        "products that three or more people bought in one order with the person's last product, within a year"
    ),
    "new": "launched in the last 30 days",
    "limited": "products of limited number",
}
"""What items a message may show. Never what the person has just bought."""
ANSWERS = ("opened", "clicked", "purchased")
"""What counts as an answer to a message, the weakest evidence first."""
CLICKS, PURCHASES = "clicks", "purchases"
"""What a winner may be found by."""


EXPIRES = timedelta(hours=24)
"""When a message is stale, unless the campaign says otherwise."""


@dataclass(frozen=True, slots=True)
class Variant:
    """One wording of a message. Texts are templates (templates.py)."""

    id: str
    title: str
    """Subject of an e-mail, title of a push."""
    body: str
    """Paragraphs are parted by blank lines."""
    weight: float = 1.0
    """Share of people it is assigned to, relative to the others; 0: only where the others' data is missing."""
    preheader: str = ""
    buttons: tuple[Button, ...] = ()
    """Of a push at most one, what a tap opens; its text is empty."""
    items: str | None = None
    """Kind of items it shows; whoever has none of them does not get this variant."""


@dataclass(frozen=True, slots=True)
class Step:
    """One message of a campaign."""

    variants: Mapping[str, tuple[Variant, ...]]
    """By channel."""
    after: timedelta = timedelta()
    """Since the step before; zero for the first."""
    unless: frozenset[str] = frozenset()
    """ANSWERS to earlier steps that make this one needless."""


@dataclass(frozen=True, slots=True)
class Coupon:
    """What a campaign gives."""

    name: str
    benefit: str
    """In words: 15% 할인."""
    code: str | None = None
    """To be typed in, the same for everybody."""
    valid_days: int | None = None
    """From the day the run began, which is the first; the same in all its steps."""


@dataclass(frozen=True, slots=True)
class Goal:
    """What the campaign is measured by."""

    within_days: int
    segment: str | None = None
    """To become a member of it; without one, to buy something."""


@dataclass(frozen=True, slots=True)
class Winner:
    """How the best variant of the first message is found (winner.py)."""

    by: str
    """What counts: clicks or purchases."""
    after: timedelta
    """So long after the test began the rest of the audience gets the best one."""
    share: float
    """Of the audience, that the variants are tried on."""


@dataclass(frozen=True, slots=True)
class Campaign:
    """One campaign. Exactly one of `segment` and `where` is given."""

    id: str
    names: Mapping[str, str]
    """ko and en."""
    description: str
    segment: str | None
    where: str | None
    """A rule over a customer's features, in the language of segments."""
    schedule: Schedule
    advertising: bool
    """False only where the definition declares itself transactional."""
    steps: tuple[Step, ...]
    goal: Goal | None = None
    coupon: Coupon | None = None
    winner: Winner | None = None
    holdout: float = 0.0
    """Share of the audience that is left out, to measure against."""
    again_after: timedelta | None = None
    """Whoever got its first message less than so long ago is left out of a later run; None: nobody is."""
    cap_exempt: bool = False
    per_hour: int | None = None
    """At most so many messages an hour, all channels together; None: as fast as the account may."""
    expires: timedelta = EXPIRES
    """A message not sent so long after its step was due is stale."""
    goods: frozenset[str] = frozenset()
    """Kinds (categories) of goods it advertises (law.may_advertise)."""
    invitation: str | None = None
    """Id of the sessions it invites to; the links `accept` and `decline` are about them."""
    notices: bool = False
    """Whether it is the law's notices: who gets it and what it says follow from their consents (notices.py)."""
    version: str = ""
    """Hash of the text it was loaded from: twelve hex digits."""

    @property
    def channels(self) -> tuple[str, ...]:
        """The channels it uses, each once."""
        return tuple(dict.fromkeys(channel for step in self.steps for channel in step.variants))

    def due_at(self, step: int, run_at: datetime) -> datetime:
        """When a step (from 0) of the run that began at `run_at` is due."""
        return run_at + sum((one.after for one in self.steps[: step + 1]), timedelta())

    def message(self, step: int, channel: str, run_at: datetime) -> Message:
        """What `decide` needs to know of one of its messages."""
        return Message(
            campaign=self.id,
            channel=channel,
            expires_at=self.due_at(step, run_at) + self.expires,
            advertising=self.advertising,
            holdout=self.holdout,
            again_after=None if step else self.again_after,
            cap_exempt=self.cap_exempt,
            goods=self.goods,
            notice=self.notices,
        )

    def item_kinds(self, step: int, channel: str) -> frozenset[str]:
        """Kinds of items that some variant of a message shows."""
        return frozenset(variant.items for variant in self.steps[step].variants[channel] if variant.items)


def answered(step: Step, answers: frozenset[str]) -> bool:
    """Whether what a person did since the campaign's first message (ANSWERS) makes this step needless."""
    return bool(step.unless & answers)

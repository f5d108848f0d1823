"""What the messages of a campaign would say to a person, as text that a marketer reads."""

from collections.abc import Iterator

from dangol.campaigns.content import Content, Facts, Occasion
from dangol.campaigns.definition import Campaign, Step, Variant, Winner
from dangol.campaigns.law import Law
from dangol.campaigns.wording import needs, write
from dangol.channels import EMAIL, email, push
from dangol.document import in_words

UNSUBSCRIBE_URL = "https://shop.example.com/unsubscribe"
_INDENT = "      "


def preview(campaign: Campaign, facts: Facts, occasion: Occasion, law: Law) -> str:
    """Each variant of each message as `facts` fill it, or what it lacks for this person."""
    purpose = "advertising" if campaign.advertising else "transactional"
    audience = campaign.segment or campaign.where
    lines = [f"{campaign.id} · {campaign.names['ko']} · to {audience} · {purpose}"]
    lines += [_contest(campaign.winner)] if campaign.winner else []
    for number, step in enumerate(campaign.steps, 1):
        lines += ["", _heading(number, step)]
        for channel, variants in step.variants.items():
            total = sum(variant.weight for variant in variants)
            for variant in variants:
                lines += ["", f"  {channel} / {variant.id} ({_chance(variant, total)})"]
                content = write(variant, facts, campaign.coupon, occasion)
                lines += _shown(campaign, channel, content, occasion, law) if content else [_lacking(variant)]
    return "\n".join(lines) + "\n"


def _contest(winner: Winner) -> str:
    return (
        f"{winner.share:.0%} get the first message's variants by weight, the rest {in_words(winner.after)} later "
        f"the best by {winner.by}"
    )


def _heading(number: int, step: Step) -> str:
    if number == 1:
        return "message 1"
    unless = f", unless {' or '.join(sorted(step.unless))}" if step.unless else ""
    return f"message {number}, {in_words(step.after)} later{unless}"


def _chance(variant: Variant, total: float) -> str:
    return f"{variant.weight / total:.0%}" if variant.weight else "only where data for the others is missing"


def _lacking(variant: Variant) -> str:
    return f"{_INDENT}not used for this person; it needs {', '.join(needs(variant))}"


def _shown(campaign: Campaign, channel: str, content: Content, occasion: Occasion, law: Law) -> Iterator[str]:
    if channel == EMAIL:
        mail = email.compose(content, occasion, law, campaign.advertising, UNSUBSCRIBE_URL)
        yield f"{_INDENT}subject: {mail.subject}"
        # The title opens the text as well.
        yield from (f"{_INDENT}{line}".rstrip() for line in mail.text.rstrip().split("\n")[1:])
        return
    note = push.compose(content, occasion, law, campaign.advertising)
    yield f"{_INDENT}title: {note.title}"
    yield from (f"{_INDENT}{line}" for line in note.text.split("\n"))
    if note.link:
        yield f"{_INDENT}opens: {note.link}"

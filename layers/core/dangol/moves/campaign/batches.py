"""A part of a run's audience as batches: which messages go to whom, and when each is due."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime
from hashlib import sha256

from dangol.campaigns.definition import Campaign
from dangol.campaigns.winner import contested, in_test
from dangol.moves.campaign.messages import Arm, Batch, Run


def part_of(run: Run) -> str:
    """Names the next people of a run: follows from where the cursor stands."""
    return sha256(f"{run.bucket} {run.after or ''}".encode()).hexdigest()[:12]


def batches_of(run: Run, campaign: Campaign, people: Sequence[str]) -> Iterator[tuple[Batch, datetime]]:
    """The batches of a part of the audience, each with when it is due. Names follow from where the cursor stood.

    With a winner to be found the rest of the audience has its own run, as it were, that begins when the test is over.
    """
    part = part_of(run)
    if campaign.winner is None:
        yield from _messages(campaign, Batch(run.id, campaign.id, run.run_at, 0, "", part, tuple(people)))
        return
    over = run.run_at + campaign.winner.after
    tested = tuple(person for person in people if in_test(person, campaign))
    rest = tuple(person for person in people if not in_test(person, campaign))
    test = Batch(run.id, campaign.id, run.run_at, 0, "", part, tested)
    yield from _messages(campaign, test)
    for channel in contested(campaign) if tested else ():
        yield replace(test, channel=channel, part=f"{part}-tally", arm=Arm.TALLY), over
    yield from _messages(campaign, replace(test, run_at=over, part=f"{part}-rest", customers=rest, arm=Arm.REST))


def _messages(campaign: Campaign, pattern: Batch) -> Iterator[tuple[Batch, datetime]]:
    """A batch like the pattern for each message of the campaign, with when it is due; none for nobody."""
    for number, step in enumerate(campaign.steps if pattern.customers else ()):
        for channel in step.variants:
            yield replace(pattern, step=number, channel=channel), campaign.due_at(number, pattern.run_at)

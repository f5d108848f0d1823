"""The contest of variants within a run (dangol.campaigns.winner): count the test, and choose once for all senders.

When the test is over, a batch for each of its parts counts who got and answered what, each once. Once all are counted
the first sender of the rest stores the choice, and every other finds it.
"""

from collections import Counter
from collections.abc import Mapping
from datetime import date, datetime, timedelta

from dangol.campaigns.definition import CLICKS, Campaign
from dangol.campaigns.winner import ANSWERED, SENT, score_key, winners
from dangol.moves.campaign.messages import Batch, Campaigns, Run, RunState, Status
from dangol.moves.campaign.rounds import Outside

LOOK_AGAIN = timedelta(minutes=2)
"""While the test is being counted the rest waits so long."""
PATIENCE = timedelta(hours=1)
"""What is not counted so long after the test is over does not count."""


def count(outside: Outside, batch: Batch, campaign: Campaign, began: date) -> dict[str, int]:
    """What a part of the test came to, by score_key; `began` is the day of the run.

    A message that may have been sent counts as sent. Bought has who has an order of that day or later: also one of
    before the message, which is as likely with every variant.
    """
    assert campaign.winner, "else nothing is counted"
    found = outside.deliveries.read(batch.run, batch.step, batch.channel, batch.customers)
    sent = {p: one for p, one in found.items() if one.variant and one.status in (Status.SENT, Status.UNKNOWN)}
    if campaign.winner.by == CLICKS:
        answered = {person for person, one in sent.items() if "clicked" in one.answers}
    else:
        answered = {person for person, day in outside.purchases(tuple(sent)).items() if day >= began}
    tally = Counter(score_key(batch.channel, str(one.variant), SENT) for one in sent.values())
    tally.update(score_key(batch.channel, str(sent[person].variant), ANSWERED) for person in answered)
    return dict(tally)


def choose(
    campaigns: Campaigns, run: Run, campaign: Campaign, over: datetime, now: datetime
) -> Mapping[str, str] | None:
    """The winners of a run, whose test was over at a moment, by channel; None as long as that is not known."""
    if run.winners is not None:
        return run.winners
    counting = run.state is RunState.LAUNCHING or run.tallies > 0
    if counting and now < over + PATIENCE:
        return None
    return campaigns.choose(run.id, winners(campaign, run.tally))

"""Deliver: a batch of a run is cancelled, put off, or sent (dangol.moves.campaign.sending)."""

from collections.abc import Callable, Mapping
from datetime import timedelta

from dangol.campaigns.content import Occasion
from dangol.campaigns.definition import Campaign
from dangol.campaigns.gate import Gate
from dangol.campaigns.settings import Settings
from dangol.campaigns.winner import with_winners
from dangol.moves.campaign.contest import LOOK_AGAIN as COUNTING
from dangol.moves.campaign.contest import choose, count
from dangol.moves.campaign.messages import Arm, Batch, RunState
from dangol.moves.campaign.posts import Terms
from dangol.moves.campaign.rounds import LOOK_AGAIN, Clock, Outside, Round
from dangol.moves.campaign.sending import Sending
from dangol.shop import Shop

RESERVE = timedelta(seconds=30)
"""Kept to finish what is under way."""


class Deliverer:
    """Takes batches. One may come any number of times, also at once: a message goes out once at most."""

    def __init__(
        self,
        outside: Outside,
        definitions: Mapping[str, Campaign],
        settings: Settings,
        shop: Shop,
        clock: Clock,
        new_call: Callable[[], str],
    ) -> None:
        self._outside = outside
        self._definitions = definitions
        self._settings = settings
        self._shop = shop
        self._clock = clock
        self._new_call = new_call

    def take(self, batch: Batch, left: timedelta) -> Mapping[str, int]:
        """Work a batch off as far as it goes in the time that is `left`; what became of its messages so far.

        Raises Overtaken when another sender seems to be at it.
        """
        run, campaigns = self._outside.campaigns.find(batch.run), self._outside.campaigns
        campaign = self._definitions.get(batch.campaign)
        if batch.arm is Arm.TALLY:
            return self._count(batch, campaign)
        if run is None or run.state is RunState.CANCELLED or campaign is None or batch.step >= len(campaign.steps):
            return Round(self._outside, batch, self._clock).cancel()
        if campaigns.is_paused(batch.campaign):
            campaigns.wait([batch], self._clock.now() + LOOK_AGAIN)
            return batch.counts
        if batch.arm is Arm.REST and campaign.winner:
            won = choose(campaigns, run, campaign, run.run_at + campaign.winner.after, self._clock.now())
            if won is None:
                campaigns.wait([batch], self._clock.now() + COUNTING)
                return batch.counts
            campaign = with_winners(campaign, won)
        return self._send(batch, campaign, left)

    def _count(self, batch: Batch, campaign: Campaign | None) -> Mapping[str, int]:
        """Count a part of a run's test of variants; nothing where there is no contest any more."""
        contest = campaign is not None and campaign.winner is not None
        tally = count(self._outside, batch, campaign, self._shop.date_of(batch.run_at)) if campaign and contest else {}
        self._outside.campaigns.count(batch, tally)
        return tally

    def _send(self, batch: Batch, campaign: Campaign, left: timedelta) -> Mapping[str, int]:
        rules = self._settings.send_rules(self._shop.time_zone)
        occasion = Occasion(self._settings.sender, self._shop.date_of(batch.run_at), self._shop.currency)
        terms = Terms(batch.run, batch.step, occasion, rules.law, campaign.advertising)
        sending = Sending(
            self._outside, batch, self._clock, campaign, Gate(self._outside.book, rules), terms, self._new_call
        )
        return sending.work(self._clock.now() + left - RESERVE)

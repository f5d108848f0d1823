"""One batch of a run passes the gate, message by message, and goes out.

A message is claimed (gate), its call is noted as begun, the service is called, and what became of it is recorded. A
sender that dies leaves each message in one of three states, and the batch comes again:
- not claimed: it is decided on as if nothing had happened;
- claimed, but its call was never begun: certainly not sent. The call is given up, so that a sender that is merely slow
  cannot begin it any more, and the message is decided on again;
- its call was begun, and nothing recorded: it may have been sent. Neither SES nor SNS can be asked or takes an id that
  makes a second sending harmless, so it is recorded as `unknown` and never sent again.
"""

import logging
from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta

from dangol.campaigns.content import Content, Facts
from dangol.campaigns.decision import Deferred, Reason, Skipped
from dangol.campaigns.definition import Campaign, Variant, answered
from dangol.campaigns.gate import Ask, Gate, Held, Passed, Profile, is_fresh
from dangol.campaigns.items import Shelves, choose_items
from dangol.campaigns.notices import WORDING, notice_content
from dangol.campaigns.wording import choose
from dangol.moves.campaign.messages import Batch, Overtaken, RunState, Status
from dangol.moves.campaign.posts import Letter, NotNow, Outcome, Refused, Sent, Terms
from dangol.moves.campaign.rounds import LIFE, LOOK_AGAIN, Clock, Outside, Round

logger = logging.getLogger(__name__)

THREADS = 8
"""Profiles claimed at once: a write takes some 10 ms, and a client keeps 10 connections."""
TRIES = 6
FIRST_WAIT = 0.25
"""Seconds before a throttled call is made again; doubled each time, so about 8 in all."""


class _UnderWay:
    """Another sender has claimed the message, and may still be at it."""


_UNDER_WAY = _UnderWay()


class Sending(Round):
    """A go at a batch that is to be sent."""

    def __init__(
        self,
        outside: Outside,
        batch: Batch,
        clock: Clock,
        campaign: Campaign,
        gate: Gate,
        terms: Terms,
        new_call: Callable[[], str],
    ) -> None:
        super().__init__(outside, batch, clock)
        self._campaign, self._gate, self._terms, self._new_call = campaign, gate, terms, new_call
        self._ask = Ask(batch.run, batch.step, campaign.message(batch.step, batch.channel, batch.run_at))
        self._post = outside.posts[batch.channel]
        self._kinds = campaign.item_kinds(batch.step, batch.channel)
        self._shelves = outside.shelves() if self._kinds else Shelves()

    def work(self, deadline: datetime) -> Mapping[str, int]:
        """Send until the deadline, group by group."""
        pending = deque(self._open())
        profiles = self._outside.profiles.read(tuple(pending))
        needless = self._needless(tuple(pending))
        granted = 0
        with ThreadPoolExecutor(THREADS) as pool:
            while pending and self._clock.now() < deadline:
                granted = granted or self._leave(len(pending), deadline)
                if not granted:
                    self._defer_all(pending)
                    break
                call = self._new_call()

                def pass_one(person: str, call: str = call) -> object:
                    return self._pass(profiles.get(person), call, needless.get(person))

                letters: list[Letter] = []
                while pending and len(letters) < granted:
                    asked = [pending.popleft() for _ in range(min(len(pending), granted - len(letters)))]
                    letters += self._sorted(zip(asked, pool.map(pass_one, asked), strict=True))
                granted -= len(letters)
                if letters and self._is_cancelled():
                    return self._turn_back(call, letters)
                if letters:
                    self._send(call, letters, deadline)
                self._write_notes()
        return self._finish(pending)

    def _is_cancelled(self) -> bool:
        """Whether the run is, by now. Asked after claiming: so who skips the rest of a run sees who still sends."""
        run = self._outside.campaigns.find(self._batch.run)
        return run is None or run.state is RunState.CANCELLED

    def _turn_back(self, call: str, letters: Iterable[Letter]) -> Mapping[str, int]:
        """Send no more of a run that is cancelled, nor what is claimed for a call."""
        for letter in letters:
            self._gate.release(self._ask, letter.profile, call)
        return self.cancel()

    def _leave(self, wanted: int, deadline: datetime) -> int:
        """For how many messages there is leave now, after waiting for it; 0: not before the deadline."""
        count, start = min(wanted, self._post.size, self._campaign.per_hour or wanted), self._clock.now()
        for quota in self._outside.quota(self._campaign, self._batch.channel):
            grant = quota.take(count, self._clock.now(), deadline)
            count, start = grant.count, max(start, grant.start)
            if not count:
                return 0
        self._clock.sleep(max(0.0, (start - self._clock.now()).total_seconds()))
        return count

    def _pass(self, profile: Profile | None, call: str, needless: Reason | None) -> object:
        """Ask the gate; a claim of a call that was never begun is taken over, unless another sender was faster.

        What is needless by now is skipped if nobody has claimed it: else it may have been sent before it was.
        """
        while True:
            now = self._clock.now()
            if needless and not (profile and self._ask.message_id in profile.claims):
                return Skipped(needless)
            answer = self._gate.ask(self._ask, profile, call, now, self._write)
            if not isinstance(answer, Held):
                return answer
            if is_fresh(answer.claim, now, LIFE):
                return _UNDER_WAY
            if not self._outside.calls.give_up(answer.claim.call):
                return answer
            profile = self._gate.release(self._ask, answer.profile, answer.claim.call)

    def _write(self, profile: Profile) -> tuple[Variant, Content] | None:
        if self._campaign.notices:
            return self._write_notice(profile)
        items = choose_items(self._kinds, profile.products, profile.last_category, self._shelves)
        links = self._outside.links(self._batch, profile.customer_id)
        facts = Facts(profile.name, profile.last_product, profile.last_category, items, links)
        where = (self._campaign, self._batch.step, self._batch.channel)
        return choose(*where, profile.customer_id, facts, self._terms.occasion)

    def _write_notice(self, profile: Profile) -> tuple[Variant, Content] | None:
        rules = self._gate.rules
        due = rules.notices_for(profile.recipient(self._batch.run, rules.time_zone), self._clock.now())
        return (WORDING, notice_content(due, self._terms.occasion.sender, self._batch.channel)) if due else None

    def _sorted(self, answers: Iterable[tuple[str, object]]) -> list[Letter]:
        """The letters among what the gate answered; the rest is noted."""
        letters = []
        for person, answer in answers:
            match answer:
                case Passed():
                    variant, content = answer.letter
                    letters.append(Letter(answer.profile, variant.id, content, answer.deliver_before))
                case Skipped():
                    self._note(person, Status.SKIPPED, answer.reason)
                case Deferred():
                    self._defer(person, answer.reason, answer.until)
                case _UnderWay():
                    self._overtaken = True
                case Held():
                    self._note(person, Status.UNKNOWN)
        return letters

    def _send(self, call: str, letters: list[Letter], deadline: datetime) -> None:
        """Send letters with a call, and note what became of them. What is throttled is sent again, ever more slowly.

        What would then be later than the gate allowed is decided on anew: the night may have begun.
        """
        if not self._outside.calls.begin(call):
            raise Overtaken
        for attempt in range(TRIES):
            outcomes, wait = self._post.send(letters, self._terms), timedelta(seconds=FIRST_WAIT * 2**attempt)
            now, throttled = self._clock.now(), []
            last = attempt == TRIES - 1 or now >= deadline
            for letter, outcome in zip(letters, outcomes, strict=True):
                in_time = not last and now + wait < letter.deliver_before
                if isinstance(outcome, NotNow) and outcome.soon and in_time:
                    throttled.append(letter)
                else:
                    self._conclude(call, letter, outcome)
            if not throttled:
                return
            letters = throttled
            self._clock.sleep(wait.total_seconds())

    def _conclude(self, call: str, letter: Letter, outcome: Outcome) -> None:
        person, variant = letter.profile.customer_id, letter.variant
        match outcome:
            case Sent():
                self._note(person, Status.SENT, None, variant, outcome.message_id)
            case Refused():
                if outcome.dead:
                    channel = self._batch.channel
                    self._outside.profiles.retire(person, channel, letter.profile.addresses[channel])
                self._note(person, Status.FAILED, outcome.reason, variant)
            case NotNow():
                logger.warning("not sent for now: %s", outcome.reason)
                self._gate.release(self._ask, letter.profile, call)
                self._defer(person, Reason.QUOTA, self._clock.now() + LOOK_AGAIN)
            case _:
                self._note(person, Status.UNKNOWN, None, variant)

    def _defer(self, person: str, reason: Reason, until: datetime) -> None:
        """Keep a message for later. A night ends for many at once; caps end one by one, so not each is waited for."""
        soonest = until if reason is Reason.QUIET_HOURS else max(until, self._clock.now() + LOOK_AGAIN)
        self._left[person] = soonest
        self._note(person, Status.DEFERRED, reason, until=until)

    def _defer_all(self, pending: "deque[str]") -> None:
        until = self._clock.now() + LOOK_AGAIN
        while pending:
            self._defer(pending.popleft(), Reason.QUOTA, until)

    def _needless(self, people: Sequence[str]) -> dict[str, Reason]:
        """Who does not need a later step: who did not get an earlier one, and who answered."""
        batch = self._batch
        if not batch.step:
            return {}
        earlier = [
            delivery
            for number, step in enumerate(self._campaign.steps[: batch.step])
            for channel in step.variants
            for delivery in self._outside.deliveries.read(batch.run, number, channel, people).values()
        ]
        began, step = self._terms.occasion.run_on, self._campaign.steps[batch.step]
        answers = {d.customer_id: set[str]() for d in earlier if d.status in (Status.SENT, Status.UNKNOWN)}
        for delivery in earlier:
            answers.get(delivery.customer_id, set()).update(delivery.answers)
        for person, day in self._outside.purchases(tuple(answers)).items() if step.unless else ():
            answers[person] |= {"purchased"} if day >= began else set()
        needless = {p: Reason.ANSWERED for p, given in answers.items() if answered(step, frozenset(given))}
        return needless | {person: Reason.NOT_STARTED for person in people if person not in answers}

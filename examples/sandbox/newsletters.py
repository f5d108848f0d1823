"""What SES would tell of the fashion store's newsletters. The local AWS sends mail, but tells nobody what became of it.

Most of it people did. Some of it scanners did, which follow every link at once, or the proxies of a mail program, which
load the pictures of messages that nobody looks at.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import numpy as np
from dangol.engagement.events import CUSTOMER_TAG, RUN_TAG

from examples.sandbox.fashion_people import Person
from examples.sandbox.fashion_store import Store

LAST_READ = {3: 0.36, 30: 0.14, 45: 0.14, 75: 0.12, 100: 0.1, 130: 0.14}
"""Days since a newsletter → of its readers, those who have read none since."""
READERS = 600
MACHINES = 40
"""Members whose newest newsletter only a machine has opened."""
LINKS = ("https://shop.example/new", "https://shop.example/sale")
TELEPHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 19_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko)"
SCANNER = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0 Safari/537.36"
PROXY = "Mozilla/5.0"

Event = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Told:
    """What became of the newsletters."""

    events: Sequence[Event]
    """As SES publishes them."""
    scanned: Sequence[str]
    """customer_id of those whose mail only a scanner opened."""


def told_by_ses(store: Store) -> Told:
    """The deliveries, opens and clicks of members who accept e-mail."""
    rng = np.random.default_rng([store.year.seed, 4])
    oldest = store.year.today - timedelta(max(LAST_READ) + 1)
    mailable = [person for person in store.people if person.accepts_email and person.subscribed_on < oldest]
    chosen = [mailable[n] for n in rng.permutation(len(mailable))[: READERS + MACHINES]]
    readers, others = chosen[MACHINES:], chosen[:MACHINES]
    newest = min(LAST_READ)
    events = [event for person in readers for event in _read(rng, person, store.year.today)]
    for number, person in enumerate(others):
        mail = _Mail(person, store.year.today, newest)
        events += mail.scanned() if number % 2 else mail.loaded_by_a_proxy()
    return Told(events, [person.customer.id for person in others[1::2]])


def _read(rng: np.random.Generator, person: Person, today: date) -> Iterator[Event]:
    """One mail, opened some hours later; of five readers two follow a link."""
    mail = _Mail(person, today, int(rng.choice(list(LAST_READ), p=list(LAST_READ.values()))))
    seconds = int(rng.integers(600, 10 * 3600))
    yield mail.delivered()
    yield mail.opened(seconds, TELEPHONE)
    if rng.random() < 0.4:
        yield mail.clicked(seconds + 20, TELEPHONE, LINKS[0])


@dataclass(frozen=True, slots=True)
class _Mail:
    person: Person
    today: date
    days_ago: int

    def delivered(self) -> Event:
        return self._event("Delivery", 1, recipients=[self.person.customer.email])

    def opened(self, seconds: int, agent: str) -> Event:
        return self._event("Open", seconds, userAgent=agent)

    def clicked(self, seconds: int, agent: str, link: str) -> Event:
        return self._event("Click", seconds, userAgent=agent, link=link)

    def scanned(self) -> list[Event]:
        return [self.delivered(), self.opened(2, SCANNER), *(self.clicked(3, SCANNER, link) for link in LINKS)]

    def loaded_by_a_proxy(self) -> list[Event]:
        return [self.delivered(), self.opened(3600, PROXY)]

    def _event(self, kind: str, seconds: int, **details: object) -> Event:
        """One event, so many seconds after the mail was sent, at nine in the morning in Seoul."""
        day = self.today - timedelta(self.days_ago)
        sent = datetime.combine(day, time(0), UTC)
        mail = {
            "timestamp": sent.isoformat(),
            "messageId": f"{day}-{self.person.customer.id}",
            "tags": {CUSTOMER_TAG: [self.person.customer.id], RUN_TAG: [f"newsletter-{day}"]},
        }
        told = {"timestamp": (sent + timedelta(seconds=seconds)).isoformat(), **details}
        return {"eventType": kind, "mail": mail, kind.lower(): told}

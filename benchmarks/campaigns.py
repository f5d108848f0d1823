"""Campaigns under load on the local AWS: nothing doubled, nothing lost, and what it costs.

DynamoDB is the local AWS's, through the adapters that are deployed; SES and SNS are stand-ins that keep what they were
given, so that every message can be accounted for, and that throttle when told to. With `--services` they hand it on to
the SES and SNS of the local AWS, and what SES then has is counted too.

    python -m benchmarks.campaigns --people 10000 [--services]
"""

import argparse
import random
import sys
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

from dangol.campaigns.caps import Cap

from benchmarks.senders import Fate, Services, World
from examples.sandbox.local_aws import LocalAws
from tests.senders import hello

SHOWN = """
  email: [{id: a, subject: "[고객명]님, 안녕하세요", body: 반가워요., items: last_category}]
  push: [{id: a, title: 안녕하세요, body: "{{ items }}", items: cart}]
"""


def report(name: str, world: World, seconds: float, messages: int, **more: object) -> bool:
    """Print what became of a part's messages; whether each went out once at most and all are accounted for."""
    statuses, doubled = world.statuses(), world.doubled()
    out = sum(world.email.took.values()) + sum(world.push.took.values())
    facts = {"went out": out, "doubled": doubled, **dict(statuses), **more, "seconds": round(seconds, 1)}
    if world.services:
        facts["mails that SES has"] = world.services.mails()
    print(f"{name}: {', '.join(f'{key} {value}' for key, value in facts.items())}", flush=True)
    return (
        not doubled
        and (not world.services or facts["mails that SES has"] == world.email.took.total())
        and statuses.total() == messages
        and statuses["sent"] <= out <= statuses["sent"] + statuses["unknown"]
    )


def timed(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def once(aws: LocalAws, people: int) -> bool:
    """Everybody, then every message of the queue twice more."""
    world = World(aws, people, hello())
    world.launch()
    bodies, before = list(world.queue.waiting), world.units.total()
    seconds = timed(world.work_off)
    calls, units = world.email.calls / people * 1000, (world.units.total() - before) / (2 * people) * 1000
    costs = {"SES calls per 1,000": round(calls, 1), "write units per 1,000": round(units)}
    kept = report("once", world, seconds, 2 * people, **costs)
    world.queue.waiting = bodies * 2
    again = report("every message of the queue twice more", world, timed(world.work_off), 2 * people)
    return kept and again and calls <= 21 and units <= 3500


def shown(aws: LocalAws, people: int) -> bool:
    """The same with items in every message, for people who did something and for people who did all there is."""
    kept = True
    for words, bought, wanted in (("five products bought, two wanted", 5, 2), ("forty bought, eighteen wanted", 40, 6)):
        own = {kind: [f"P{n:08d}" for n in range(wanted)] for kind in ("cart", "wishlist", "restocked")[: wanted // 2]}
        own["bought"] = [f"P{n:08d}" for n in range(1000, 1000 + bought)]
        world = World(aws, people, hello(channels=SHOWN), own={"last": "P00001000", **own})
        world.launch()
        before = world.units.total()
        seconds = timed(world.work_off)
        units = (world.units.total() - before) / (2 * people) * 1000
        items = sum(world.email.items.values()) / people
        costs = {"write units per 1,000": round(units), "items a mail": items}
        kept = report(f"items, {words}", world, seconds, 2 * people, **costs) and units <= 3500 and kept
    return kept


def killed(aws: LocalAws, people: int) -> bool:
    """Senders that die at random points."""
    world = World(aws, people, hello())
    world.launch()
    world.fate = Fate(100)
    seconds = timed(world.work_off)
    kept = report("senders killed at random", world, seconds, 2 * people, kills=world.fate.kills)
    return kept and world.fate.kills >= min(200, people // 100)


def throttled(aws: LocalAws, people: int) -> bool:
    """A third of the calls to SES and SNS throttled."""
    world = World(aws, people, hello())
    world.email.throttled = world.push.throttled = 1 / 3
    world.launch()
    seconds = timed(world.work_off)
    return report("a third of the calls throttled", world, seconds, 2 * people, calls=world.email.calls)


def launched_twice(aws: LocalAws, people: int) -> bool:
    """Two launchers at once."""
    world = World(aws, people, hello())
    began = time.perf_counter()
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(lambda _: world.launch(), range(2)))
    world.work_off()
    return report("two launchers at once", world, time.perf_counter() - began, 2 * people)


def capped(aws: LocalAws, people: int) -> bool:
    """Ten campaigns at once against a cap of five, for a tenth of the people."""
    people //= 10
    world = World(aws, people, *(hello(f"campaign_{n}") for n in range(10)), cap=Cap(5, timedelta(days=7)))
    world.launch()
    random.shuffle(world.queue.waiting)
    seconds = timed(lambda: world.work_off(10))
    mails = Counter(person for _, person in world.email.took)
    each = sorted(set(mails.values()))
    kept = report("ten campaigns, a cap of five", world, seconds, 20 * people, **{"mails per person": each})
    return kept and each == [5] and len(mails) == people


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--people", type=int, default=10_000)
    parser.add_argument("--services", action="store_true", help="send through SES and SNS of the local AWS")
    options = parser.parse_args()
    random.seed(1)
    with LocalAws.start() as aws:
        World.services = Services(aws) if options.services else None
        kept = [part(aws, options.people) for part in (once, shown, killed, throttled, launched_twice, capped)]
    return int(not all(kept))


if __name__ == "__main__":
    sys.exit(main())

"""A result in words: never a share without its counts, never a difference without its interval."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from math import floor, log10
from typing import Any

from dangol.campaigns.decision import Reason
from dangol.measurement.lift import WORTH_SEEING, Verdict

Row = Mapping[str, Any]
"""A result or a total, as `Runs` has it (docs/schemas/runs-campaign-result.json)."""


@dataclass(frozen=True, slots=True)
class Words:
    """How one language says it."""

    purchase: Callable[[int], str]
    member_of: Callable[[str, int], str]
    reached: Callable[[int, int, str], str]
    left_out: Callable[[int, int, str], str]
    verdicts: Mapping[Verdict, str]
    difference: Callable[[str, str, str], str]
    people_more: Callable[[str, str, str], str]
    needed: Callable[[str, str], str]
    revenue: Callable[[str, str, str, str], str]
    reasons: Mapping[Reason, str]
    """Why a message was not sent."""
    open_ends: Mapping[str, str]
    """What else became of messages that are not known to have been sent, as `Runs` calls it."""


ENGLISH = Words(
    purchase=lambda days: f"a purchase within {days} days",
    member_of=lambda segment, days: f"to be in {segment} within {days} days",
    reached=lambda n, of, share: f"{n:,} of {of:,} ({share})",
    left_out=lambda n, of, share: f"{n:,} of {of:,} in the holdout ({share})",
    verdicts={verdict: verdict.value for verdict in Verdict},
    difference=lambda d, low, high: f"{d} points (95 %: {low} to {high})",
    people_more=lambda n, low, high: f"{n} people of those addressed ({low} to {high})",
    needed=lambda n, share: f"about {n} people would tell a lift of {share}",
    revenue=lambda d, low, high, unit: f"{d} {unit} a person (95 %: {low} to {high})",
    reasons={reason: reason.value for reason in Reason},
    open_ends={"deferred": "deferred", "failed": "failed", "unknown": "unknown"},
)
KOREAN = Words(
    purchase=lambda days: f"{days}일 안에 구매",
    member_of=lambda segment, days: f"{days}일 안에 {segment} 진입",
    reached=lambda n, of, share: f"{of:,}명 중 {n:,}명 ({share})",
    left_out=lambda n, of, share: f"홀드아웃 {of:,}명 중 {n:,}명 ({share})",
    verdicts={
        Verdict.LIFT: "효과 있음",
        Verdict.HARM: "역효과",
        Verdict.NO_LIFT_SEEN: "효과가 보이지 않음",
        Verdict.TOO_SMALL: "판단하기에 너무 적음",
        Verdict.NO_HOLDOUT: "비교할 홀드아웃 없음",
        Verdict.CANCELLED: "취소되어 비교하지 않음",
    },
    difference=lambda d, low, high: f"{d}%p (95% 구간 {low} ~ {high})",
    people_more=lambda n, low, high: f"보낸 사람 중 {n}명 ({low} ~ {high})",
    needed=lambda n, share: f"{share}의 효과를 보려면 약 {n}명이 필요",
    revenue=lambda d, low, high, unit: f"1인당 {d} {unit} (95% 구간 {low} ~ {high})",
    reasons={
        Reason.NO_PROFILE: "고객 정보 없음",
        Reason.NO_ADDRESS: "연락처 없음",
        Reason.SUPPRESSED: "쓸 수 없는 연락처",
        Reason.NO_CONSENT: "수신 동의 없음",
        Reason.GLOBAL_HOLDOUT: "전체 홀드아웃",
        Reason.HOLDOUT: "홀드아웃",
        Reason.TOO_SOON: "최근에 이미 받음",
        Reason.NO_VARIANT: "맞는 문구 없음",
        Reason.ANSWERED: "이미 반응함",
        Reason.EXPIRED: "기한 지남",
        Reason.QUIET_HOURS: "야간 제한",
        Reason.FREQUENCY_CAP: "발송 횟수 제한",
        Reason.CANCELLED: "캠페인 취소",
        Reason.NOT_STARTED: "첫 메시지를 받지 않음",
        Reason.QUOTA: "계정 발송 한도",
        Reason.BY_EMAIL: "이메일로 보냄",
        Reason.NOT_DUE: "알릴 내용 없음",
    },
    open_ends={"deferred": "대기 중", "failed": "실패", "unknown": "결과 알 수 없음"},
)


def goal_text(row: Row, words: Words) -> str:
    """What a campaign is measured by."""
    goal, days = row["goal"], int(row["goal"]["within_days"])
    return words.member_of(goal["segment"], days) if "segment" in goal else words.purchase(days)


def arms_text(row: Row, words: Words) -> str:
    """How many reached the goal of those addressed, and of the holdout."""
    treated, holdout = row["arms"]["treated"], row["arms"]["holdout"]
    told = words.reached(int(treated["reached"]), int(treated["people"]), _share(treated))
    if not holdout["people"]:
        return told
    return f"{told}; {words.left_out(int(holdout['reached']), int(holdout['people']), _share(holdout))}"


def lift_text(row: Row, words: Words) -> str:
    """The verdict, with the difference, its interval, and what it comes to."""
    lift = row["lift"]
    said = words.verdicts[Verdict(lift["verdict"])]
    if "difference" not in lift:
        return said
    numbers = [float(lift[name]) for name in ("difference", "low", "high")]
    people = int(row["arms"]["treated"]["people"])
    parts = [words.difference(*(f"{number * 100:+.1f}" for number in numbers))]
    if lift["verdict"] in (Verdict.LIFT, Verdict.HARM):
        parts.append(words.people_more(*(f"{number * people:+,.0f}" for number in numbers)))
    if "people_needed" in lift:
        parts.append(words.needed(f"{_rounded(int(lift['people_needed'])):,}", f"{WORTH_SEEING:.0%}"))
    return f"{said}: {'; '.join(parts)}"


def revenue_text(row: Row, words: Words, currency: str) -> str | None:
    """What those addressed spent more than the holdout, a person; None where too few bought to say."""
    found = row["lift"].get("revenue_per_person")
    if found is None:
        return None
    difference, low, high = (f"{float(found[name]):+,.0f}" for name in ("difference", "low", "high"))
    return words.revenue(difference, low, high, currency)


def unsent_text(row: Row, words: Words) -> str:
    """How many messages were not sent for which reason, and how many are open, failed or unknown."""
    messages = row["messages"]
    skipped = ", ".join(f"{words.reasons[Reason(why)]} {count:,}" for why, count in messages["skipped"].items())
    others = [f"{said} {messages[name]:,}" for name, said in words.open_ends.items() if messages[name]]
    return "; ".join([skipped or "—", *others])


def _share(arm: Row) -> str:
    return f"{int(arm['reached']) / int(arm['people']):.1%}" if arm["people"] else "—"


def _rounded(number: int) -> int:
    """To two digits: an estimate says no more."""
    digits = max(floor(log10(number)) - 1, 0) if number else 0
    return round(number, -digits)

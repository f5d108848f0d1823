"""The page of an invitation: which slots are free, what the guest replied, when and where. Korean, English beneath.

It works without JavaScript, loads nothing from anywhere, and everything in it is escaped.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from importlib.resources import files

from jinja2 import Environment, Template

from dangol.campaigns.invitations.definition import Invitation, Place, Slot
from dangol.campaigns.invitations.replies import DECLINE, Result, Visit
from dangol.campaigns.links import Action

Words = Mapping[str, str]
"""ko and en."""
_WEEKDAYS_KO, _WEEKDAYS_EN = "월화수목금토일", ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


@dataclass(frozen=True, slots=True)
class _Booked:
    """When and where."""

    ko: str
    en: str
    place: Place


@dataclass(frozen=True, slots=True)
class _Note:
    """What the guest is told above the choices."""

    ko: str
    en: str
    good: bool = False
    booked: _Booked | None = None


@dataclass(frozen=True, slots=True)
class _Choice:
    """One radio button."""

    value: str
    ko: str
    en: str
    place: str = ""
    """In Korean, in a line of its own."""
    full: bool = False
    checked: bool = False


_SAID: Mapping[Result, _Note] = {
    Result.FULL: _Note(
        "죄송합니다. 고르신 시간은 방금 마감되었어요.", "We are sorry: the time you chose has just been taken."
    ),
    Result.UNCLEAR: _Note("시간을 하나 골라 주세요.", "Please choose one of the times."),
    Result.BUSY: _Note(
        "지금 신청이 몰리고 있어요. 잠시 후 다시 보내 주세요.",
        "Many people are answering right now. Please send it again in a moment.",
    ),
}
_CANCEL, _NOT_THIS_TIME = ("예약을 취소할게요", "Cancel my booking"), ("이번에는 어려워요", "I cannot come this time")
_BOOKED = ("예약되었습니다. 기다리고 있을게요.", "You are booked. We look forward to seeing you.")
_GONE = _Note(
    "예약하신 시간이 없어졌습니다. 다른 시간을 골라 주시거나 연락 주세요.",
    "The time you booked is no longer offered. Please choose another one, or call us.",
)
_DECLINED = _Note(
    "다음에 만나기로 했습니다. 알려 주셔서 감사합니다.",
    "You chose not to come this time. Thank you for telling us.",
    good=True,
)
_ALL_TAKEN = _Note(
    "감사합니다. 아쉽지만 모든 시간이 마감되었어요. 다음에 꼭 다시 초대할게요.",
    "Thank you. We are sorry that all times have been taken, and will gladly invite you again.",
)
_FINAL = _Note(
    "이제는 바꾸실 수 없어요. 필요하시면 연락 주세요.",
    "Your answer cannot be changed any more. Please call us if you need to.",
)
_CLOSED = _Note(
    "답변 기한이 지났어요. 궁금한 점은 연락 주세요.", "The time to answer is over. Please call us with any question."
)


def invitation_page(visit: Visit) -> str:
    """The page of a visit, as HTML."""
    invitation, choices = visit.invitation, tuple(_choices(visit))
    return _template().render(
        host=visit.host,
        title=invitation.names["ko"] if invitation else "초대",
        title_en=invitation.names["en"] if invitation else "Invitation",
        welcome=invitation.welcome if invitation and visit.offered else None,
        notes=tuple(_notes(visit)),
        choices=choices,
        legend=_legend(visit),
        answer_by=_moment(invitation.answer_by) if invitation else None,
        time_zone=invitation.time_zone if invitation else "",
    )


def _notes(visit: Visit) -> Iterator[_Note]:
    if said := _SAID.get(visit.result):
        yield said
    elif visit.result is Result.OVER and visit.reply:
        yield _FINAL
    if visit.booked and visit.invitation:
        yield _Note(*_BOOKED, good=True, booked=_booked(visit.booked, visit.invitation))
    elif visit.reply and visit.reply.slot:
        yield _GONE
    elif visit.reply:
        yield _DECLINED
    if not visit.offered and not visit.reply:
        yield _CLOSED
    elif visit.offered and not visit.booked and all(_is_full(visit, slot) for slot in visit.offered):
        yield _ALL_TAKEN


def _choices(visit: Visit) -> Iterator[_Choice]:
    booked, places = visit.booked, visit.invitation.places if visit.invitation else {}
    for slot in visit.offered:
        when, place = _span(slot), places[slot.place].names
        own = slot == booked
        full = not own and _is_full(visit, slot)
        yield _Choice(slot.id, when["ko"], f"{when['en']} · {place['en']}", place["ko"], full, own)
    if visit.offered:
        declined = visit.reply is not None and visit.reply.slot is None
        first = visit.reply is None and visit.asked is Action.DECLINE
        yield _Choice(DECLINE, *(_CANCEL if booked else _NOT_THIS_TIME), checked=declined or first)


def _legend(visit: Visit) -> Words:
    if visit.reply:
        return {"ko": "바꾸고 싶으시면 골라 주세요", "en": "To change your answer, choose again"}
    return {"ko": "편한 시간을 골라 주세요", "en": "Choose the time that suits you"}


def _is_full(visit: Visit, slot: Slot) -> bool:
    return visit.taken.get(slot.id, 0) >= slot.capacity


def _booked(slot: Slot, invitation: Invitation) -> _Booked:
    when = _span(slot)
    return _Booked(when["ko"], when["en"], invitation.places[slot.place])


def _moment(at: datetime) -> Words:
    """12월 11일 (금) 오후 2:00; Fri 11 Dec, 14:00."""
    korean = f"{at.month}월 {at.day}일 ({_WEEKDAYS_KO[at.weekday()]}) {_half(at)} {_hour(at)}"
    english = f"{_WEEKDAYS_EN[at.weekday()]} {at.day} {_MONTHS[at.month - 1]}, {at:%H:%M}"
    return {"ko": korean, "en": english}


def _span(slot: Slot) -> Words:
    """12월 11일 (금) 오후 2:00–3:00; Fri 11 Dec, 14:00–15:00."""
    begin, end = _moment(slot.start), slot.end
    half = "" if _half(end) == _half(slot.start) else f"{_half(end)} "
    return {"ko": f"{begin['ko']}–{half}{_hour(end)}", "en": f"{begin['en']}–{end:%H:%M}"}


def _half(at: datetime) -> str:
    return "오전" if at.hour < 12 else "오후"


def _hour(at: datetime) -> str:
    return f"{(at.hour - 1) % 12 + 1}:{at:%M}"


@cache
def _template() -> Template:
    environment = Environment(autoescape=True, trim_blocks=True, lstrip_blocks=True)
    return environment.from_string((files("dangol.channels") / "templates" / "invitation.html").read_text("utf-8"))

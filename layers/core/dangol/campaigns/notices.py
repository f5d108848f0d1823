"""The notices that the law wants a person to get about their consent. They are no advertising: no label, no consent.

They go out as runs of a campaign that no file defines: who gets it, and what it says, follows from people's answers.
All that a person is to be told comes in one message.
"""

from collections.abc import Sequence
from datetime import date, timedelta

from dangol.campaigns.content import Content, Sender
from dangol.campaigns.definition import Campaign, Step, Variant
from dangol.campaigns.law import Answer, Notice, NoticeKind
from dangol.campaigns.particles import particle
from dangol.campaigns.schedule import Schedule, daily
from dangol.channels import EMAIL, PUSH

NOTICES = "law-notices"
"""Id of the campaign. Files cannot take it: their ids have no hyphen."""
AT_HOUR = 10
"""Of the shop's day: after the daily refresh, long before the night."""
EXPIRES = timedelta(days=10)
"""For so long a notice may wait for the account's quota, of the 14 days that there are from the answer on."""
WORDING = Variant("notice", "", "")
"""What deliveries name as the wording."""
_SUBJECTS = {"email": "이메일", "push": "앱 푸시", "night_push": "야간(21시~08시) 앱 푸시"}
_ANSWERS = {Answer.GIVEN: "수신동의", Answer.REFUSED: "수신거부", Answer.WITHDRAWN: "수신거부(동의 철회)"}
_RESULTS = {
    Answer.GIVEN: "수신동의로 처리되었습니다. 앞으로 {subject}로 혜택과 소식을 보내 드립니다.",
    Answer.REFUSED: "수신거부로 처리되었습니다. 앞으로 {subject}로는 광고성 정보를 보내지 않습니다.",
    Answer.WITHDRAWN: "수신거부(동의 철회)로 처리되었습니다. 앞으로 {subject}로는 광고성 정보를 보내지 않습니다.",
}


def notices_campaign(time_zone: str) -> Campaign:
    """The campaign; `time_zone` is the shop's."""
    return Campaign(
        id=NOTICES,
        names={"ko": "수신동의 안내", "en": "Notices of consents"},
        description="What the law wants people to be told about their consents.",
        segment=None,
        where=None,
        schedule=Schedule(time_zone, daily(AT_HOUR, 0)),
        advertising=False,
        steps=(Step({EMAIL: (), PUSH: ()}),),
        expires=EXPIRES,
        notices=True,
    )


def notice_content(notices: Sequence[Notice], sender: Sender, channel: str) -> Content:
    """What a message with these notices (at least one) says.

    KR: decree, article 62-2: name of the sender, the fact and date of the consent, refusal or withdrawal, and its
    result. Article 62-3(2): name of the sender, the date of the consent, and how to keep or withdraw it. A push says
    the same in few words, so that nothing of it is cut off.
    """
    answered = [notice for notice in notices if notice.kind is NoticeKind.ANSWERED]
    reminded = [notice for notice in notices if notice.kind is NoticeKind.STILL_CONSENTS]
    if channel == PUSH:
        return Content(_title(answered, sender), (*map(_in_short, notices), *_how_in_short(reminded, sender)))
    return Content(
        _title(answered, sender),
        (
            f"{sender.name}에서 알려 드립니다.",
            *map(_confirmation, answered),
            *map(_reminder, reminded),
            _how_to_keep_or_withdraw(sender) if reminded else "언제든지 회원 정보의 수신 설정에서 바꾸실 수 있습니다.",
        ),
    )


def _title(answered: Sequence[Notice], sender: Sender) -> str:
    if not answered:
        return f"[{sender.name}] 광고성 정보 수신동의 여부 확인 안내"
    facts = {_ANSWERS[notice.consent.answer] for notice in answered}
    return f"[{sender.name}] 광고성 정보 {facts.pop() if len(facts) == 1 else '수신 의사'} 처리 결과 안내"


def _confirmation(notice: Notice) -> str:
    consent, subject = notice.consent, _SUBJECTS[notice.subject]
    return (
        f"구분: {subject} 광고성 정보 {_ANSWERS[consent.answer]}\n일자: {_day(consent.on)}\n"
        f"처리 결과: {_RESULTS[consent.answer].format(subject=subject)}"
    )


def _reminder(notice: Notice) -> str:
    return f"구분: {_SUBJECTS[notice.subject]} 광고성 정보 수신동의 유지 중\n수신동의 일자: {_day(notice.consent.on)}"


def _how_to_keep_or_withdraw(sender: Sender) -> str:
    return (
        "동의하신 광고성 정보를 계속 받으시려면 따로 하실 일이 없습니다. 더 이상 원하지 않으시면 회원 정보의 "
        f"수신 설정에서 동의를 철회하시거나 {sender.phone}, {sender.email}{particle(sender.email, '로')} 알려 주세요. "
        "비용은 들지 않습니다."
    )


def _in_short(notice: Notice) -> str:
    subject, consent = _SUBJECTS[notice.subject], notice.consent
    if notice.kind is NoticeKind.STILL_CONSENTS:
        return f"{subject} 수신동의({consent.on:%Y.%m.%d}) 유지 중."
    return f"{subject} {_ANSWERS[consent.answer]}({consent.on:%Y.%m.%d}) 처리 완료."


def _how_in_short(reminded: Sequence[Notice], sender: Sender) -> tuple[str, ...]:
    return (f"유지: 하실 일 없음. 철회: {sender.app_opt_out}(무료).",) if reminded else ()


def _day(day: date) -> str:
    return f"{day.year}년 {day.month}월 {day.day}일"

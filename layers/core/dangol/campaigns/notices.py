"""The notices that the law wants a person to get about their consent. They are no advertising: no label, no consent."""

from datetime import date

from dangol.campaigns.content import Content, Sender
from dangol.campaigns.law import Answer, Notice, NoticeKind
from dangol.campaigns.particles import particle

_SUBJECTS = {"email": "이메일", "push": "앱 푸시", "night_push": "야간(21시~08시) 앱 푸시"}
_ANSWERS = {Answer.GIVEN: "수신동의", Answer.REFUSED: "수신거부", Answer.WITHDRAWN: "수신동의 철회"}
_RESULTS = {
    Answer.GIVEN: "수신동의로 처리되었습니다. 앞으로 혜택과 소식을 보내 드립니다.",
    Answer.REFUSED: "수신거부로 처리되었습니다. 앞으로 광고성 정보를 보내지 않습니다.",
    Answer.WITHDRAWN: "동의 철회로 처리되었습니다. 앞으로 광고성 정보를 보내지 않습니다.",
}


def notice_content(notice: Notice, sender: Sender) -> Content:
    """What a notice says: sent like any transactional message.

    KR: decree, article 62-2: name of the sender, the fact and date of the consent, refusal or withdrawal, and its
    result. Article 62-3(2): name of the sender, the date of the consent, and how to keep or withdraw it.
    """
    consent, subject = notice.consent, _SUBJECTS.get(notice.subject, notice.subject)
    if notice.kind is NoticeKind.STILL_CONSENTS:
        return _reminder(sender, subject, consent.on)
    fact = _ANSWERS[consent.answer]
    return Content(
        f"[{sender.name}] 광고성 정보 {fact} 처리 결과 안내",
        (
            f"{sender.name}에서 알려 드립니다. 고객님의 의사에 따라 아래와 같이 처리하였습니다.",
            f"구분: {subject} 광고성 정보 {fact}\n일자: {_day(consent.on)}\n처리 결과: {_RESULTS[consent.answer]}",
            "언제든지 회원 정보의 수신 설정에서 바꾸실 수 있습니다.",
        ),
    )


def _reminder(sender: Sender, subject: str, given_on: date) -> Content:
    return Content(
        f"[{sender.name}] 광고성 정보 수신동의 여부 확인 안내",
        (
            f"{sender.name}에서 알려 드립니다. 고객님께서는 아래와 같이 광고성 정보 수신에 동의하셨습니다.",
            f"구분: {subject} 광고성 정보 수신동의\n수신동의 일자: {_day(given_on)}",
            "계속 받으시려면 따로 하실 일이 없습니다. 더 이상 원하지 않으시면 회원 정보의 수신 설정에서 "
            f"동의를 철회하시거나 {sender.phone}, {sender.email}{particle(sender.email, '로')} 알려 주세요. "
            "비용은 들지 않습니다.",
        ),
    )


def _day(day: date) -> str:
    return f"{day.year}년 {day.month}월 {day.day}일"

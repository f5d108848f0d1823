"""A push is lawful, short, and dead before the night."""

import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from dangol.campaigns.content import Button, Content, Sender
from dangol.campaigns.gate import Profile
from dangol.campaigns.law import KR, law_of
from dangol.channels.push import MAX_PAYLOAD, Push, compose, sns_attributes, sns_message, ttl
from dangol.moves.campaign.posts import Letter, Notification, Outcome, Pusher, PushPost, Sent, Terms

from tests.messages import OCCASION

CONTENT = Content("새 소식이 있어요", ("지금 확인해 보세요.", "둘째"), buttons=(Button("", "https://dangol.kr/new"),))
NOON = datetime(2026, 11, 22, 3, tzinfo=UTC)


def test_advertising_is_labelled_and_says_who_writes_and_how_to_opt_out() -> None:
    assert compose(CONTENT, OCCASION, KR, True) == Push(
        "(광고) 새 소식이 있어요",
        "지금 확인해 보세요. 둘째\n단골상점 02-123-4567\n수신거부: 앱 > 설정 > 알림",
        "https://dangol.kr/new",
    )
    assert compose(CONTENT, OCCASION, law_of("US"), True).title == "새 소식이 있어요"


def test_a_transactional_push_says_what_it_has_to_and_no_more() -> None:
    assert compose(replace(CONTENT, buttons=()), OCCASION, KR, False) == Push(
        "새 소식이 있어요", "지금 확인해 보세요. 둘째", ""
    )


def test_a_long_push_is_cut_but_never_its_label_or_opt_out() -> None:
    push = compose(Content("가" * 200, ("나" * 500,)), OCCASION, KR, True)
    assert push.title == "(광고) " + "가" * 79 + "…"
    assert push.text == "나" * 219 + "…\n단골상점 02-123-4567\n수신거부: 앱 > 설정 > 알림"


def test_what_is_handed_to_sns_dies_when_it_must_have_arrived() -> None:
    class Told(Pusher):
        def send(self, notifications: Sequence[Notification]) -> list[Outcome]:
            self.told = notifications
            return [Sent("p1")]

    pusher, profile = Told(), Profile("c1", 1, addresses={"push": "token"}, push_platform="fcm")
    letter, terms = Letter(profile, "v", CONTENT, NOON + timedelta(seconds=61.9)), Terms("r1", 0, OCCASION, KR, True)
    PushPost(pusher, lambda: NOON).send([letter], terms)
    (told,) = pusher.told
    assert told.attributes == sns_attributes(61)
    assert json.loads(json.loads(told.message)["GCM"])["fcmV1Message"]["message"]["android"] == {"ttl": "61s"}


def test_sns_gets_a_string_for_each_platform() -> None:
    message = json.loads(sns_message(Push("제목", "본문", "https://dangol.kr/new"), 3600, {"run": "r1"}))
    assert message.keys() == {"default", "GCM", "APNS", "APNS_SANDBOX"}
    assert message["default"] == "제목"
    assert json.loads(message["GCM"]) == {
        "fcmV1Message": {
            "message": {
                "notification": {"title": "제목", "body": "본문"},
                "data": {"run": "r1", "link": "https://dangol.kr/new"},
                "android": {"ttl": "3600s"},
            }
        }
    }
    assert json.loads(message["APNS"]) == {
        "aps": {"alert": {"title": "제목", "body": "본문"}},
        "run": "r1",
        "link": "https://dangol.kr/new",
    }
    assert message["APNS_SANDBOX"] == message["APNS"]


def test_the_time_to_live_is_told_to_both_platforms() -> None:
    attributes = sns_attributes(90)
    assert attributes["AWS.SNS.MOBILE.FCM.TTL"] == {"DataType": "String", "StringValue": "90"}
    assert attributes["AWS.SNS.MOBILE.APNS.TTL"] == {"DataType": "String", "StringValue": "90"}


def test_a_push_lives_until_it_must_have_arrived() -> None:
    assert ttl(NOON + timedelta(hours=9), NOON) == 9 * 3600
    assert ttl(NOON + timedelta(seconds=59, milliseconds=900), NOON) == 59
    assert ttl(NOON - timedelta(hours=1), NOON) == 0
    assert ttl(NOON + timedelta(days=90), NOON) == 28 * 86400


def test_the_longest_push_fits_both_platforms() -> None:
    sender = Sender("😀" * 120, "a@b.kr", "😀" * 120, "x", "https://b.kr", "😀" * 120)
    long = Content("😀" * 300, ("😀" * 900,), buttons=(Button("", "https://b.kr/" + "x" * 487),))
    push = compose(long, replace(OCCASION, sender=sender), KR, True)
    ids = {"run": "r" * 100, "delivery": "d" * 100}
    message = json.loads(sns_message(push, 2419200, ids))
    assert all(len(message[platform].encode()) <= MAX_PAYLOAD for platform in ("GCM", "APNS"))

"""Campaigns are part of the configuration: they go live with the segments they name, or not at all."""

from __future__ import annotations

from pathlib import Path

import pytest
from dangol.configuration import Configuration, files_of, load_configuration
from dangol.errors import InvalidFiles

from tests.senders import HELLO

CONFIG = Path(__file__).resolve().parents[2] / "config"
NAME = "campaigns/hello.yaml"
TEXT = HELLO.format(id="hello", purpose="advertising", more="").encode()
SEGMENTS = b'rfm:\n  - {id: recent, where: "recency_days <= 7"}\n'


def test_the_shipped_campaigns_can_go_live_as_they_are() -> None:
    configuration = load_configuration(files_of(CONFIG))
    ids = {campaign.id for campaign in configuration.campaigns("Asia/Seoul")}
    assert ids == {path.stem for path in (CONFIG / "campaigns").glob("*.yaml")}
    assert configuration.messaging.unfinished == ("email", "phone", "address", "url")


def test_who_gives_no_campaign_has_none() -> None:
    assert Configuration.default().campaigns("Asia/Seoul") == ()
    assert Configuration.default().messaging.unfinished


@pytest.mark.parametrize(
    ("files", "says"),
    [
        ({NAME: TEXT, "segments.yaml": SEGMENTS}, "config/campaigns/hello.yaml, line 4: unknown segment 'loyal'"),
        ({NAME: TEXT.replace(b"every: day", b"every: hour")}, "config/campaigns/hello.yaml, line 6: unknown period"),
        (
            {NAME: TEXT.replace(b"segment: loyal", b'where: "recency_days > 3"')},
            "config/campaigns/hello.yaml, line 4: 'where' is for looking ahead; make it a segment in segments.yaml",
        ),
        ({"messaging.yaml": b"country: Korea\nsender: {}\n"}, "config/messaging.yaml, line 1: 'country' must be"),
    ],
)
def test_what_cannot_be_sent_is_refused_with_file_line_and_reason(files: dict[str, bytes], says: str) -> None:
    with pytest.raises(InvalidFiles) as refused:
        load_configuration(files)
    assert says in str(refused.value)


def test_a_campaign_whose_only_time_is_past_does_not_stand_in_the_way_of_others() -> None:
    once = TEXT.replace(b'{every: day, at: "12:00", time_zone: Asia/Seoul}', b'{once: "2024-01-01 10:00"}')
    (campaign,) = load_configuration({NAME: once}).campaigns("Asia/Seoul")
    assert campaign.schedule.time_zone == "Asia/Seoul"

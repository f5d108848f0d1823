"""`dangol campaigns` on the files of a folder."""

import shutil
from pathlib import Path

import pytest
from dangol.cli.main import main

from tests.messages import CONFIG


@pytest.fixture
def config(tmp_path: Path) -> Path:
    folder = tmp_path / "config"
    shutil.copytree(CONFIG, folder)
    settings = folder / "messaging.yaml"
    shipped = {
        "hello@shop.example.com": "a@b.kr",
        "02-0000-0000": "02-1",
        "○○구 ○○로 00": "중구",
        "shop.example.com": "b.kr",
    }
    text = settings.read_text("utf-8")
    for old, new in shipped.items():
        assert old in text
        text = text.replace(old, new)
    settings.write_text(text, "utf-8")
    invitation = folder / "invitations" / "style_talk.yaml"
    invitation.write_text(invitation.read_text("utf-8").replace("2026-12-", "2096-12-"), "utf-8")
    return folder


def test_list_tells_to_whom_by_what_and_when(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["campaigns", "list"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines] == [
        *("at_risk_comeback", "big_spender_invitation", "big_spender_preview", "new_welcome"),
        *("potential_loyal_picks", "potential_loyal_reminder", "vip_thanks"),
    ]
    assert "push email  to at_risk" in lines[0]
    assert "18:30 Asia/Seoul" in lines[0]


def test_check_is_content_once_the_sender_is_filled_in(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["campaigns", "check", "--config", str(config)]) == 0
    assert capsys.readouterr() == ("7 campaigns in order, 0 refused\n", "")
    assert main(["campaigns", "check"]) == 1
    assert "fill in the sender's 'phone'; nothing is launched before" in capsys.readouterr().err


def test_check_names_file_line_and_reason_of_each_mistake(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = config / "campaigns" / "vip_thanks.yaml"
    file.write_text(file.read_text("utf-8").replace("vip_loyal", "vip_loyl"), "utf-8")
    assert main(["campaigns", "check", "--config", str(config)]) == 1
    out, err = capsys.readouterr()
    assert out == "6 campaigns in order, 1 refused\n"
    assert err == f"{file}, line 5: unknown segment 'vip_loyl'; did you mean 'vip_loyal'?\n"


def test_check_names_what_is_wrong_with_an_invitation(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = config / "invitations" / "style_talk.yaml"
    text = file.read_text("utf-8")
    file.write_text(text.replace("2096-12-", "2025-12-"), "utf-8")
    assert main(["campaigns", "check", "--config", str(config)]) == 1
    late = "big_spender_invitation: invitations/style_talk.yaml: 'answer_by' is past; set new days, or name another"
    assert late in capsys.readouterr().err
    file.write_text(text.replace("capacity: 2", "capacity: 0"), "utf-8")
    assert main(["campaigns", "check", "--config", str(config)]) == 1
    assert capsys.readouterr().err == f"{file}, line 16: 'capacity' must be a whole number from 1 to 10000\n"
    file.unlink()
    assert main(["campaigns", "check", "--config", str(config)]) == 1
    unknown = "line 12: unknown invitation 'style_talk'; write it into invitations/style_talk.yaml"
    assert capsys.readouterr().err == f"{config / 'campaigns' / 'big_spender_invitation.yaml'}, {unknown}\n"


def test_preview_shows_each_message_with_a_purchase(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["campaigns", "preview", "potential_loyal_reminder", "--name", "이단골", "--product", "가방"]) == 0
    out = capsys.readouterr().out
    assert "  push / goes_with_cart (50%)\n      title: (광고) 가방과 잘 어울리는 아이템 발견했어요\n" in out
    assert "title: (광고) 이단골님이 좋아하실 만한 새로운 소식이 있어요\n" in out
    assert "수신거부: 앱 > 설정 > 알림" in out


def test_preview_of_an_invitation_shows_its_two_links(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["campaigns", "preview", "big_spender_invitation"]) == 0
    out = capsys.readouterr().out
    assert out.count("참석할게요: https://shop.example.com/invitation?token=accept\n") == 2
    assert out.count("다음에 할게요: https://shop.example.com/invitation?token=decline\n") == 2


def test_preview_says_what_is_not_used_without_a_purchase(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["campaigns", "preview", "potential_loyal_reminder", "--product", "", "--no-items"]) == 0
    out = capsys.readouterr().out
    assert "goes_with_cart (50%)\n      not used for this person; it needs last_product, items (cart)\n" in out
    assert "news (only where data for the others is missing)\n      title: (광고) 김단골님이" in out


@pytest.fixture
def files(tmp_path: Path) -> list[str]:
    """A shop's files: c1 bought a coat, c2 nothing."""
    texts = {
        "orders": "order_id,customer_id,ordered_at,amount,product_id\no1,c1,2026-11-20 10:00,300000,p1\n",
        "customers": "customer_id,customer_name,email\nc1,이단골,a@b.kr\nc2,박손님,c@b.kr\n",
        "products": "product_id,product_name,category,price,launched_on,in_stock,restocked_on\n"
        "p1,울 코트,아우터,300000,2026-11-01,yes,\np2,다운 재킷,아우터,500000,2026-11-02,yes,2026-11-21\n"
        "p3,패딩 조끼,아우터,90000,,no,\n",
        "interests": "customer_id,kind,product_id,happened_at\nc1,view,p2,2026-11-10 10:00\n",
    }
    for name, text in texts.items():
        (tmp_path / f"{name}.csv").write_text(text, "utf-8")
    return [str(tmp_path / f"{name}.csv") for name in texts]


def test_preview_shows_a_customer_of_files_what_the_catalogue_has_for_them(
    files: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    orders, customers, products, interests = files
    given = [orders, "--customers", customers, "--products", products, "--interests", interests, "--on", "2026-11-22"]
    assert main(["campaigns", "preview", "potential_loyal_picks", *given, "--customer", "c1"]) == 0
    out = capsys.readouterr().out
    assert "안녕하세요, 이단골님." in out
    assert "지난번 고르신 울 코트는 마음에 드셨나요?" in out
    assert out.count("- 다운 재킷, ₩500,000\n") == 2  # of the last category, and back in stock
    assert "- 울 코트" not in out
    assert "패딩 조끼" not in out
    assert main(["campaigns", "preview", "big_spender_preview", *given, "--customer", "c1"]) == 0
    assert "- 다운 재킷, ₩500,000\n" in capsys.readouterr().out


def test_preview_shows_a_customer_without_a_purchase_what_needs_none(
    files: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    orders, customers, products, _ = files
    given = [orders, "--customers", customers, "--products", products, "--on", "2026-11-22", "--customer", "c2"]
    assert main(["campaigns", "preview", "potential_loyal_picks", *given]) == 0
    out = capsys.readouterr().out
    assert "email / last_style (50%)\n      not used for this person; it needs items (last_category)\n" in out
    assert "지난번 선택하신 스타일과 잘 어울리는 새 상품들이 들어왔어요." in out
    assert main(["campaigns", "preview", "big_spender_preview", *given]) == 0
    assert "- 다운 재킷, ₩500,000\n" in capsys.readouterr().out


def test_preview_says_when_it_is_not_clear_who_is_meant(files: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    orders, customers, products, _ = files
    for given, said in (
        (["--customer", "c1"], "give --customer ID and the files that know of them"),
        ([orders], "give --customer ID and the files that know of them"),
        (["--products", products, "--customer", "c1"], "give order files as well"),
        ([orders, "--customer", "c9", "--on", "2026-11-22"], "no customer 'c9' in the files by 2026-11-22"),
    ):
        assert main(["campaigns", "preview", "vip_thanks", *given]) == 2
        assert said in capsys.readouterr().err
    assert main(["campaigns", "preview", "vip_thanks", orders, "--products", customers, "--customer", "c1"]) == 2


def test_preview_shows_both_steps_and_the_same_end_of_the_coupon(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["campaigns", "preview", "at_risk_comeback", "--on", "2026-11-27"]) == 0
    out = capsys.readouterr().out
    assert "message 2, 4 days later, unless clicked or purchased\n" in out
    assert "subject: (광고) 조금 더 특별한 혜택으로 인사드릴게요\n" in out
    assert "subject: (광고) 문득 김단골님이 좋아하셨던 스타일이 생각났어요\n" in out
    assert out.count("2026.12.10까지") == 3


def test_preview_writes_the_mails_for_a_browser(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["campaigns", "preview", "vip_thanks", "--html", str(tmp_path / "mails")]) == 0
    files = sorted((tmp_path / "mails").iterdir())
    assert [file.name for file in files] == ["vip_thanks-1-limited.html", "vip_thanks-1-thanks.html"]
    assert "김단골님, 늘 감사한 마음을 전해요" in files[0].read_text("utf-8")


def test_a_folder_without_campaigns_is_told(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    shutil.rmtree(config / "campaigns")
    assert main(["campaigns", "list", "--config", str(config)]) == 2
    assert f"{config / 'campaigns'}: does not exist" in capsys.readouterr().err


def test_a_campaign_in_a_file_that_is_called_otherwise_is_no_part_of_it(
    config: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = (config / "campaigns" / "vip_thanks.yaml").rename(config / "campaigns" / "vip_thanks.yml")
    assert main(["campaigns", "check", "--config", str(config)]) == 1
    told = f"{file}: is no part of the configuration: its files are called campaigns/ID.yaml\n"
    assert capsys.readouterr() == ("6 campaigns in order, 0 refused\n", told)


def test_a_folder_without_segments_goes_by_those_shipped(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (config / "segments.yaml").unlink()
    assert main(["campaigns", "check", "--config", str(config)]) == 0
    assert capsys.readouterr().out == "7 campaigns in order, 0 refused\n"


def test_a_campaign_that_is_not_there_is_told_with_the_nearest(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["campaigns", "preview", "vip_thank"]) == 2
    assert "vip_thank: no campaign in order; did you mean 'vip_thanks'?" in capsys.readouterr().err

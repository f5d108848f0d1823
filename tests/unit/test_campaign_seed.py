"""The messages of the first seed, word for word, for a customer with and without a purchase."""

import re
from pathlib import Path

import pytest
from dangol.campaigns.content import Facts
from dangol.campaigns.definition import Goal
from dangol.campaigns.wording import choose

from tests.messages import BUYER, CONFIG, OCCASION, STRANGER, said, shipped, without

SEED = Path(__file__).resolve().parents[3] / "shared" / "seeds" / "000_9050ce9679794214.txt"

MESSAGES = [
    # campaign, step, channel, variant, as the seed has it, with a purchase, without one (None: another variant)
    (
        *("big_spender_preview", 0, "push", "first_look"),
        "[고객명]님께 먼저 보여드리고 싶은 아이템이 도착했어요",
        "김단골님께 먼저 보여드리고 싶은 아이템이 도착했어요",
        "김단골님께 먼저 보여드리고 싶은 아이템이 도착했어요",
    ),
    (
        *("big_spender_preview", 0, "push", "limited"),
        "한정 수량이라 [고객명]님께 먼저 연락드려요",
        "한정 수량이라 김단골님께 먼저 연락드려요",
        "한정 수량이라 김단골님께 먼저 연락드려요",
    ),
    (
        *("big_spender_preview", 0, "email", "curated"),
        "[고객명]님께 어울릴 것 같은 아이템들을 모아봤어요.",
        "김단골님께 어울릴 것 같은 아이템들을 모아봤어요.",
        "김단골님께 어울릴 것 같은 아이템들을 모아봤어요.",
    ),
    (
        *("big_spender_invitation", 0, "email", "conversation"),
        "취향에 대해 이야기 나누는 시간, 어떠신가요?",
        "취향에 대해 이야기 나누는 시간, 어떠신가요?",
        "취향에 대해 이야기 나누는 시간, 어떠신가요?",
    ),
    (
        *("big_spender_invitation", 0, "email", "cup_of_tea"),
        "[고객명]님의 취향에 대해 더 자세히 알아가고 싶어요. 차 한 잔 하며 이야기 나누는 시간 어떠세요?",
        "김단골님의 취향에 대해 더 자세히 알아가고 싶어요. 차 한 잔 하며 이야기 나누는 시간 어떠세요?",
        "김단골님의 취향에 대해 더 자세히 알아가고 싶어요. 차 한 잔 하며 이야기 나누는 시간 어떠세요?",
    ),
    (
        *("potential_loyal_reminder", 0, "push", "goes_with_cart"),
        "[구매상품명]와 잘 어울리는 아이템 발견했어요",
        "가방과 잘 어울리는 아이템 발견했어요",
        None,
    ),
    (
        *("potential_loyal_reminder", 0, "push", "news_of_wishlist"),
        "[고객명]님이 좋아하실 만한 새로운 소식이 있어요",
        "김단골님이 좋아하실 만한 새로운 소식이 있어요",
        "김단골님이 좋아하실 만한 새로운 소식이 있어요",
    ),
    (
        *("potential_loyal_picks", 0, "email", "last_style"),
        "지난번 선택하신 스타일, 이번엔 이런 건 어떠세요?",
        "지난번 선택하신 스타일, 이번엔 이런 건 어떠세요?",
        "지난번 선택하신 스타일, 이번엔 이런 건 어떠세요?",
    ),
    (
        *("potential_loyal_picks", 0, "email", "back_in_stock"),
        "혹시 놓치신 건 아닐까해요. 관심있으신 아이템 중에 재입고된 것들이 있어서 알려드려요",
        "혹시 놓치신 건 아닐까해요. 관심있으신 아이템 중에 재입고된 것들이 있어서 알려드려요",
        "혹시 놓치신 건 아닐까해요. 관심있으신 아이템 중에 재입고된 것들이 있어서 알려드려요",
    ),
    (
        *("at_risk_comeback", 0, "push", "long_time"),
        "오랜만이에요. 그동안 어떻게 지내셨나요?",
        "오랜만이에요. 그동안 어떻게 지내셨나요?",
        "오랜만이에요. 그동안 어떻게 지내셨나요?",
    ),
    (
        *("at_risk_comeback", 1, "push", "style_remembered"),
        "문득 [고객명]님이 좋아하셨던 스타일이 생각났어요",
        "문득 김단골님이 좋아하셨던 스타일이 생각났어요",
        "문득 김단골님이 좋아하셨던 스타일이 생각났어요",
    ),
    (
        *("at_risk_comeback", 0, "email", "special_benefit"),
        "조금 더 특별한 혜택으로 인사드릴게요",
        "조금 더 특별한 혜택으로 인사드릴게요",
        "조금 더 특별한 혜택으로 인사드릴게요",
    ),
]


@pytest.mark.parametrize(("campaign", "step", "channel", "variant", "seed", "bought", "never"), MESSAGES)
def test_a_message_of_the_seed(
    campaign: str, step: int, channel: str, variant: str, seed: str, bought: str, never: str | None
) -> None:
    (found,) = [v for v in shipped(campaign).steps[step].variants[channel] if v.id == variant]
    assert found.title == seed
    with_purchase, without_one = (said(campaign, step, channel, variant, facts) for facts in (BUYER, STRANGER))
    assert with_purchase is not None
    assert with_purchase.title == bought
    assert (without_one and without_one.title) == never


def test_every_message_that_the_seed_quotes_is_shipped() -> None:
    if not SEED.exists():
        pytest.skip("the seed is not beside this checkout")
    quoted = set(re.findall(r"[“”]([^“”\n]+)[“”]", SEED.read_text("utf-8")))
    assert quoted == {seed for *_, seed, _, _ in MESSAGES}


def test_the_sentence_with_a_product_agrees_with_any_product() -> None:
    for product, start in (
        ("코트", "코트와"),
        ("가방", "가방과"),
        ("iPhone", "iPhone과"),
        ("니트 (블랙)", "니트 (블랙)와"),
    ):
        facts = Facts("김단골", product, items=BUYER.items)
        content = said("potential_loyal_reminder", 0, "push", "goes_with_cart", facts)
        assert content is not None
        assert content.title == f"{start} 잘 어울리는 아이템 발견했어요"


def test_the_strategies_aim_at_the_seeds_goals() -> None:
    goals = {path.stem: shipped(path.stem).goal for path in sorted((CONFIG / "campaigns").glob("*.yaml"))}
    assert goals == {
        "at_risk_comeback": Goal(21),
        "big_spender_invitation": Goal(60, "vip_loyal"),
        "big_spender_preview": Goal(30, "vip_loyal"),
        "new_welcome": Goal(30),
        "potential_loyal_picks": Goal(60, "loyal"),
        "potential_loyal_reminder": Goal(60, "loyal"),
        "vip_thanks": Goal(30),
    }


def test_customers_at_risk_get_a_coupon_and_a_second_message_if_the_first_was_not_answered() -> None:
    campaign = shipped("at_risk_comeback")
    assert campaign.coupon is not None
    assert len(campaign.steps) == 2
    assert campaign.steps[1].after.days == 4
    assert campaign.steps[1].unless == {"clicked", "purchased"}


@pytest.mark.parametrize("campaign", sorted(path.stem for path in (CONFIG / "campaigns").glob("*.yaml")))
def test_somebody_of_whom_nothing_is_known_still_hears_from_the_shop(campaign: str) -> None:
    """Each message has a variant without name and items, but where a purchase is what it is about."""
    nobody = Facts(links=BUYER.links)
    about_purchases = ("potential_loyal_reminder",)
    for index, step in enumerate(shipped(campaign).steps):
        for channel in step.variants:
            chosen = choose(shipped(campaign), index, channel, "c1", nobody, OCCASION)
            assert (chosen is None) is (campaign in about_purchases)


def test_without_a_catalogue_the_variant_that_needs_none_is_used() -> None:
    for person in map(str, range(20)):
        chosen = choose(shipped("potential_loyal_picks"), 0, "email", person, without(BUYER, "items"), OCCASION)
        assert chosen is not None
        assert chosen[0].id == "last_style_without_items"
        assert chosen[1].items == ()

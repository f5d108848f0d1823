"""Particles are those a Korean would write, after whatever word."""

import pytest
from dangol.campaigns.particles import END_OF_VALUE, particle, with_particles
from dangol.campaigns.readings import Ending, ending
from hypothesis import given
from hypothesis import strategies as st


@pytest.mark.parametrize(
    "right",
    [
        *("코트와", "가방과", "서울과", "니트를", "지갑을", "신발은", "모자는", "옷이", "바지가"),
        *("코트로", "가방으로", "서울로", "신발로", "양말이나", "모자나", "책이에요", "시계예요"),
        *("지민아", "민호야", "단골이랑", "친구랑", "겨울이라도", "여름이라는", "코트라면", "가방으로부터", "서울로서"),
        # digits: 영 일 이 삼 사 오 육 칠 팔 구 십 백 천 만
        *("0과", "1과", "2와", "3과", "4와", "5와", "6과", "7과", "8과", "9와", "10과", "100을", "1000은", "20,000이"),
        *("1로", "3으로", "6으로", "7로", "8로", "10으로", "2.5와", "3.1로", "501과", "３을", "1000000000000를"),
        # Latin: words by 외래어 표기법, capitals by the letters' names
        *("iPhone과", "MacBook과", "iPad와", "Galaxy와", "Nike를", "Apple과", "Wool로", "Jacket은", "Coat는", "Bag이"),
        *("Line으로", "Style로", "Music을", "Ring과", "Check을", "Shop을", "Hermès와", "Chloé가", "Knit를", "Dress와"),
        *("LG와", "TV를", "DSLR로", "IBM과", "SM과", "URL을", "NIKE를", "JEAN과", "A4와", "X를", "L로"),
        # units and symbols
        *("100ml를", "2L와", "500g과", "5kg으로", "30cm는", "50%를", "20℃와", "1+1과", "3호와", "2XL와"),
        # brackets are not read; marks are passed over
        *(
            "코트(블랙)와",
            "가방(L)과",
            "셔츠[Blue]를",
            "코트 【한정】와",
            "(가방)과",
            "'가방'과",
            "코트★와",
            "니트™를",
            "가방!과",
        ),
        *("가방(블랙)(M)과", "Bag (red)과"),
    ],
)
def test_the_particle_after_a_word_is_right(right: str) -> None:
    for length in (4, 3, 2, 1):
        word, form = right[:-length], right[-length:]
        try:
            assert particle(word, form) == form
        except KeyError:
            continue
        break
    else:
        pytest.fail(f"no particle in {right}")


@pytest.mark.parametrize(
    ("written", "shown"),
    [
        ("코트|와 잘", "코트와 잘"),
        ("가방|와 잘", "가방과 잘"),
        ("코트|과 잘", "코트와 잘"),
        ("가방|와는 다른", "가방과는 다른"),
        ("가방|로도 좋은", "가방으로도 좋은"),
        ("'가방|'를 고른", "'가방'을 고른"),
        ("가방|예요!", "가방이에요!"),
        ("코트|이에요.", "코트예요."),
        ("가방|였어요", "가방이었어요"),
        ("가방|을(를) 찾는", "가방을 찾는"),
        ("코트|을(를) 찾는", "코트를 찾는"),
        ("코트|(으)로 바꾼", "코트로 바꾼"),
        ("지민|야, 안녕", "지민아, 안녕"),
        ("가방|, 코트|를", "가방, 코트를"),
        ("가방|", "가방"),
        # what only begins like a particle stays
        ("가방|이름", "가방이름"),
        ("가방|가방", "가방가방"),
        ("코트|과자", "코트과자"),
        ("코트|로션", "코트로션"),
        ("김단골|님이", "김단골님이"),
        # who signed up as 김단골님 is not called 김단골님님
        ("김단골님|님이", "김단골님이"),
        ("김단골님|께", "김단골님께"),
        ("해님|님, 해님| 님", "해님, 해님 님"),
        ("가방| 와 코트", "가방 와 코트"),
        # so does what stands after the author's own words
        ("가방|만 코트과", "가방만 코트과"),
    ],
)
def test_whichever_of_a_pair_was_written_after_a_value_the_right_one_is_shown(written: str, shown: str) -> None:
    assert with_particles(written.replace("|", END_OF_VALUE)) == shown


@pytest.mark.parametrize("word", ["🧥", "!!!", "", "★★"])
def test_what_cannot_be_read_counts_as_ending_in_a_vowel(word: str) -> None:
    assert particle(word, "과") == "와"


def test_a_long_text_takes_no_longer_than_its_length() -> None:
    text = "글" * 1_000_000
    assert with_particles(f"가방{END_OF_VALUE}를 {text}") == f"가방을 {text}"


@given(st.text(max_size=30), st.sampled_from(["이", "가", "과", "으로", "예요"]))
def test_every_word_gets_one_of_its_pair_and_never_a_mark(word: str, form: str) -> None:
    chosen = particle(word, form)
    assert particle(word, chosen) == chosen
    assert END_OF_VALUE not in with_particles(f"{word}{END_OF_VALUE}{form} ")


@given(st.integers(0xAC00, 0xD7A3).map(chr), st.text("가나다각날abc123", max_size=5))
def test_a_korean_letter_decides_alone(last: str, before: str) -> None:
    finals = (ord(last) - 0xAC00) % 28
    assert ending(before + last) is (Ending.OPEN if finals == 0 else Ending.RIEUL if finals == 8 else Ending.CLOSED)
    assert ending(before + last + "(M)") is ending(last)

"""The words of the made-up fashion store: what it sells, and what its customers are called."""

from dataclasses import dataclass

import numpy as np

SHELVES = {  # category: (lowest price, highest price, what is sold); prices in KRW
    "아우터": (89_000, 2_400_000, "울 롱 코트|캐시미어 코트|라이트 구스 다운|트위드 재킷|왁스드 파카"),
    "니트": (39_000, 290_000, "램스울 카디건|메리노 터틀넥|케이블 니트 베스트|모헤어 풀오버"),
    "데님": (49_000, 240_000, "와이드 데님 팬츠|셀비지 스트레이트 진|데님 트러커 재킷|데님 롱스커트"),
    "원피스": (59_000, 890_000, "새틴 롱 원피스|셔츠 원피스|플리츠 원피스|트위드 미니 원피스"),
    "슈즈": (69_000, 980_000, "페니 로퍼|첼시 부츠|메리제인 플랫|레더 스니커즈"),
    "가방": (49_000, 4_900_000, "레더 호보백|미니 토트백|캔버스 숄더백|크로커 탑핸들백|보부상 백"),
    "액세서리": (9_900, 320_000, "실버 후프 귀걸이|담수진주 목걸이|실크 스카프|울 머플러|가죽 카드지갑"),
    "뷰티": (12_000, 240_000, "세라마이드 크림|글로우 쿠션|우디 오 드 퍼퓸|립 밤 세트|앰풀 30일 프로그램"),
    "리빙": (15_000, 390_000, "워싱 린넨 침구|핸드메이드 머그|소이 캔들|테이블 조명|울 블랭킷"),
    "가구": (390_000, 6_900_000, "모듈 소파|월넛 사이드보드|라운지 체어|원목 다이닝 테이블|플로어 램프"),
}
BRANDS = "하루결|무채공방|노을상점|라온제이|미르헨|보늬서울|Otto & Byeol|Lune de Mer 9|살구나무집|North Onggi"
COLOURS = "|| 블랙| 아이보리| (카멜, F)| (차콜, M)"  # often none, some with the comma that exports must quote
PRODUCTS_PER_SHELF = 36

# Each surname with how many in a hundred bear it.
SURNAMES = """
김kim21.5 이lee14.7 박park8.4 최choi4.7 정jung4.4 강kang2.4 조cho2.1 윤yoon2.1 장jang2.0 임lim1.7 한han1.6
오oh1.5 서seo1.5 신shin1.5 권kwon1.4 황hwang1.4 안ahn1.4 송song1.4 류ryu1.3 홍hong1.1 고ko0.9 남궁namgung0.1
"""
GIVEN_NAMES = """
서연seoyeon 지우jiwoo 민서minseo 하은haeun 서현seohyun 지민jimin 수빈subin 예은yeeun 지현jihyun 유진yujin
은지eunji 혜진hyejin 소영soyoung 미경mikyung 다은daeun 채원chaewon 나연nayeon 가영gayoung 보라bora 슬기seulgi
지은jieun 현주hyunju 민준minjun 도윤doyun 시우siwoo 준호junho 지훈jihoon 현우hyunwoo 성민sungmin 동현donghyun
"""
GIVEN_NAMES_OF_MEN = ("민준", "도윤", "시우", "준호", "지훈", "현우", "성민", "동현")

# Where customers live, as they typed it, each with how many in a hundred do.
CITIES = """
서울특별시-강남구:12 서울-마포구:10 서울:9 서울-송파구:7 서울시-성동구:5 경기도-성남시:6 경기도-고양시:5
경기도-수원시:5 경기-부천시:3 경기도-하남시:2 인천광역시:6 부산광역시:6 부산-해운대구:3 대구:4 대전광역시:4
광주광역시:4 울산:2 전주시:2 제주시:2 강릉시:1 창원시:2
"""


@dataclass(frozen=True, slots=True)
class Product:
    id: str
    name: str
    category: str
    price: int  # KRW


def catalogue(rng: np.random.Generator) -> dict[str, list[Product]]:
    """The products of each category, cheapest first; prices are spread evenly by ratio and end in 900."""
    shelves: dict[str, list[Product]] = {}
    for shelf, (category, (low, high, items)) in enumerate(SHELVES.items(), start=1):
        prices = np.geomspace(low, high, PRODUCTS_PER_SHELF).round(-3).astype(int) - 100
        shelves[category] = [
            Product(f"P{shelf:02d}{number:03d}", _product_name(rng, items), category, int(price))
            for number, price in enumerate(prices, start=1)
        ]
    return shelves


def _product_name(rng: np.random.Generator, items: str) -> str:
    brand, item, colour = (rng.choice(words.split("|")) for words in (BRANDS, items, COLOURS))
    return f"{brand} {item}{colour}"


def new_collection(rng: np.random.Generator, count: int) -> list[Product]:
    """So many products that have not been sold yet, in the categories by turns."""
    shelves = [(number, *words) for number, words in enumerate(SHELVES.items(), start=1)]
    products = []
    for number in range(count):
        shelf, category, (low, high, items) = shelves[number % len(shelves)]
        price = int(round(low * (high / low) ** rng.random(), -3)) - 100
        products.append(Product(f"P{shelf:02d}9{number:02d}", _product_name(rng, items), category, price))
    return products


def cities(rng: np.random.Generator, count: int) -> list[str]:
    """So many customers' cities."""
    places, shares = zip(*(line.split(":") for line in CITIES.split()), strict=True)
    weights = np.array(shares, dtype=float)
    return [places[n].replace("-", " ") for n in rng.choice(len(places), size=count, p=weights / weights.sum())]


def names(rng: np.random.Generator, count: int) -> list[tuple[str, str]]:
    """So many full names in Korean, each with its Latin letters as they stand in an e-mail address."""
    surnames = [_syllables(word) for word in SURNAMES.split()]
    weights = np.array([float(weight) for _, _, weight in surnames])
    given_names = [_syllables(word) for word in GIVEN_NAMES.split()]
    chosen_surnames = rng.choice(len(surnames), size=count, p=weights / weights.sum())
    chosen_given_names = rng.integers(len(given_names), size=count)
    pairs = zip(chosen_surnames, chosen_given_names, strict=True)
    return [(surnames[s][0] + given_names[g][0], f"{given_names[g][1]}.{surnames[s][1]}") for s, g in pairs]


def _syllables(word: str) -> tuple[str, str, str]:
    """'김kim21.5' as its Korean, its Latin letters and the rest."""
    latin = "".join(letter for letter in word if "a" <= letter <= "z")
    korean, rest = word.split(latin)
    return korean, latin, rest

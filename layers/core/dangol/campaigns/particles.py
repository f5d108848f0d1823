"""Korean particles right after a word that is only known when the message is written: 코트**와**, 가방**과**."""

import re

from dangol.campaigns.readings import Ending, ending

END_OF_VALUE = "\ue000"
"""Stands behind each value put into a text, so that a particle written after it is found. Never in data."""

_PAIRS = (
    # after a consonant, after a vowel
    *(("이", "가"), ("은", "는"), ("을", "를"), ("과", "와"), ("아", "야")),
    *(("으로", "로"), ("으로서", "로서"), ("으로써", "로써"), ("으로부터", "로부터")),
    *(("이나", "나"), ("이랑", "랑"), ("이란", "란"), ("이며", "며"), ("이든", "든"), ("이든지", "든지")),
    *(("이라도", "라도"), ("이라는", "라는"), ("이라고", "라고"), ("이라면", "라면"), ("이라서", "라서")),
    *(("이에요", "예요"), ("이네요", "네요"), ("이지만", "지만"), ("이었", "였"), ("이여", "여")),
)
"""Particles and forms of the copula that depend on the sound before them (표준국어대사전). 이야 is left
alone: with 야 it would be taken for calling someone."""
_POLITE = "님"
_TOLERANT = {"으로": "(으)로", "이나": "(이)나", "이랑": "(이)랑", "이라도": "(이)라도", "이라는": "(이)라는"}
_FOLLOWING = "는|도|만|의|요|까지|부터"
"""What may follow a particle without a space: 와는, 으로도, 이라도요."""


def _forms() -> dict[str, tuple[str, str]]:
    """Each way of writing a pair → the pair; 을(를) and 를(을) included."""
    forms: dict[str, tuple[str, str]] = {}
    for pair in _PAIRS:
        closed, opened = pair
        written = (closed, opened, f"{closed}({opened})", f"{opened}({closed})", _TOLERANT.get(closed, closed))
        forms |= dict.fromkeys(written, pair)
    return forms


_FORMS = _forms()
_ALTERNATIVES = "|".join(sorted(map(re.escape, _FORMS), key=len, reverse=True))
_BEHIND_VALUE = re.compile(
    rf"(?P<marks>[\"'”’」』》〉)\]]*)(?P<form>{_ALTERNATIVES})(?=(?:{_FOLLOWING})?(?![가-힣])|(?<=[었였]))"
)


def particle(word: str, form: str) -> str:
    """The right one of the pair that `form` belongs to, behind `word`. Raises KeyError for what is no particle."""
    closed, opened = _FORMS[form]
    sound = ending(word)
    if sound is Ending.RIEUL and closed.startswith("으로"):
        return opened
    return opened if sound is Ending.OPEN else closed


def with_particles(text: str) -> str:
    """`text` with each particle right after a value corrected, and the marks END_OF_VALUE taken out.

    A name that comes with 님 gets no second one.
    """
    first, *others = text.split(END_OF_VALUE)
    parts = [first]
    for part in others:
        behind = _BEHIND_VALUE.match(part)
        if behind:
            part = f"{behind['marks']}{particle(parts[-1][-100:], behind['form'])}{part[behind.end() :]}"
        elif parts[-1].endswith(_POLITE):
            part = part.removeprefix(_POLITE)
        parts.append(part)
    return "".join(parts)

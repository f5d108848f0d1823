"""What an edited configuration changes, in words and as JSON."""

from collections.abc import Iterator, Mapping
from datetime import date
from typing import Any

from dangol.cli.policy_text import kind_of
from dangol.reports.text import aligned
from dangol.segments.compare import Comparison, Edits, Effect
from dangol.segments.policy import Policy

_NONE = "–"


def difference_text(found: Comparison, old: Policy, new: Policy, as_of: date) -> str:
    """For people: the segments that change, who enters and leaves, and the moves between RFM segments."""
    about = f"{found.customers:,} customers as of {as_of}"
    if not found.different:
        return f"no difference: both configurations define the same segments ({about})"
    parts = [about, *_effects(found, _names(old, new)), *_words(found.edits, new)]
    if found.moves:
        parts.append(f"Moves between RFM segments (from the left, to the top)\n{_matrix(found.moves, old, new)}")
    return "\n\n".join(parts)


def edits_text(edits: Edits, new: Policy) -> str:
    """For people: what is written differently, whoever it concerns."""
    if not edits.any:
        return "the segments stay as they are"
    marked = [f"+ {segment}" for segment in edits.added] + [f"- {segment}" for segment in edits.removed]
    return "\n".join([*marked, *_words(edits, new)])


def as_dict(found: Comparison, old: Policy, new: Policy, as_of: date) -> dict[str, Any]:
    """For programs."""
    names = _names(old, new)
    return {
        "as_of": as_of.isoformat(),
        "customers": found.customers,
        "policy_version": {"before": old.version, "after": new.version},
        "different": found.different,
        "segments": [_effect(effect, found.edits, names[effect.id]) for effect in found.effects],
        "moves": [{"from": was, "to": now, "customers": count} for (was, now), count in found.moves.items()],
        "reordered": list(found.edits.reordered),
    }


def _effect(effect: Effect, edits: Edits, name: str) -> dict[str, Any]:
    written = [{"what": edit.what, "was": edit.was, "now": edit.now} for edit in edits.of.get(effect.id, ())]
    return {
        "id": effect.id,
        "name": name,
        "before": effect.before,
        "after": effect.after,
        "entered": effect.entered,
        "left": effect.left,
        "entering": list(effect.entering),
        "leaving": list(effect.leaving),
        "edits": written,
    }


def _names(old: Policy, new: Policy) -> Mapping[str, str]:
    return old.names | new.names


def _effects(found: Comparison, names: Mapping[str, str]) -> Iterator[str]:
    noticed = [effect for effect in found.effects if effect.noticed]
    if not noticed:
        yield "Nobody enters or leaves a segment"
        return
    rows = [["", "segment", "", "before", "after", "enter", "leave"]]
    rows += [[_mark(one), one.id, names[one.id], *_numbers(one)] for one in noticed]
    same = len(found.effects) - len(noticed)
    yield aligned(rows, left=3) + (f"\n{same} other segments hold whom they held" if same else "")
    samples = [line for one in noticed for line in _samples(one)]
    if samples:
        yield "\n".join(["Who", *samples])


def _mark(effect: Effect) -> str:
    return "+" if effect.before is None else "-" if effect.after is None else "~"


def _numbers(effect: Effect) -> list[str]:
    sizes = [_NONE if count is None else f"{count:,}" for count in (effect.before, effect.after)]
    return sizes + [f"{count:,}" if count else _NONE for count in (effect.entered, effect.left)]


def _samples(effect: Effect) -> Iterator[str]:
    for ids, count, verb in ((effect.entering, effect.entered, "enter"), (effect.leaving, effect.left, "leave")):
        if ids:
            rest = f" and {count - len(ids):,} more" if count > len(ids) else ""
            yield f"  {verb} {effect.id}: {', '.join(ids)}{rest}"


def _words(edits: Edits, new: Policy) -> Iterator[str]:
    """What is written differently, a segment at a time."""
    rules = {rule.id: rule for rule in new.rules}
    for segment, written in edits.of.items():
        lines = [f"{segment}  {rules[segment].name}"]
        for edit in written:
            what = edit.what
            was, now = (kind_of(edit.was), kind_of(edit.now)) if what == "kind" else (edit.was, edit.now)
            lines += [f"  {what} was  {was or _NONE}", f"  {' ' * len(what)}  is  {now or _NONE}"]
        yield "\n".join(lines)
    for section in edits.reordered:
        yield f"{kind_of(section)}: the rules stand in another order, and the first that holds wins"


def _matrix(moves: Mapping[tuple[str, str], int], old: Policy, new: Policy) -> str:
    """RFM segments that somebody leaves by those that somebody enters."""
    left = [one for one in old.rfm_ids if any(was == one for was, _ in moves)]
    entered = [one for one in new.rfm_ids if any(now == one for _, now in moves)]
    cells = ([was, *(f"{moves[was, now]:,}" if (was, now) in moves else _NONE for now in entered)] for was in left)
    return aligned([["", *entered], *cells], left=1)

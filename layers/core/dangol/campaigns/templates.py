"""The text templates of messages: the placeholders `[고객명]` and `[구매상품명]`, and a small part of Jinja.

    [구매상품명]와 잘 어울리는 아이템 발견했어요
    {% if coupon %}{{ coupon.benefit }} 쿠폰이 {{ coupon.expires_on }}까지 기다려요.{% endif %}

A template is checked before it is used: known names and their fields, `if`, and `for` over `items`. There is no
arithmetic, no call, no filter and no nested loop, so that none can run for long or grow large. The result is plain
text.
"""

import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from difflib import get_close_matches
from functools import lru_cache
from typing import Any

from jinja2 import StrictUndefined, Template, TemplateSyntaxError, UndefinedError, nodes
from jinja2.sandbox import SandboxedEnvironment

from dangol.campaigns.particles import END_OF_VALUE, with_particles

PLACEHOLDERS = {"고객명": "customer_name", "구매상품명": "last_product"}
MAX_TEMPLATE = 10_000
"""Characters of one template."""
MAX_LISTED = 2
"""Items that `{{ items }}` names; the others are counted."""
NAMES: Mapping[str, tuple[str, ...]] = {
    "customer_name": (),
    "last_product": (),
    "last_category": (),
    "items": (),
    "coupon": ("name", "benefit", "code", "expires_on"),
    "shop": ("name", "url", "email", "phone"),
    "links": ("accept", "decline"),
}
"""What a template may name, each with its fields; one that has fields is written with one of them."""
ITEM_FIELDS = ("name", "price", "url", "category")
_LINKS, _ADDRESS = ("url", "accept", "decline"), "https://shop.example"

_PLACEHOLDER = re.compile(r"\[([가-힣]+(?: [가-힣]+)*)\]")
_CONDITIONS = (nodes.Name, nodes.Getattr, nodes.Const, nodes.Not, nodes.And, nodes.Or, nodes.Compare, nodes.Operand)
_SYNTAX = ("{{", "{%", "{#")


class MissingData(Exception):
    """The person's data lacks what a template names. Not an error: another variant is used."""


class _Missing(StrictUndefined):
    """May be asked whether it is there; anything else fails."""

    __slots__ = ()

    def __bool__(self) -> bool:  # type: ignore[override]
        return False


def render(template: str, values: Mapping[str, Any]) -> str:
    """The text with its values and the right particles. Raises MissingData when a value it needs is not there.

    The template has passed `complaints`. `values` are by name of NAMES: texts without END_OF_VALUE, mappings of their
    fields, and `items`, a tuple of mappings; what is missing is left out.
    """
    try:
        text = _compiled(template).render(values)
    except UndefinedError as error:
        raise MissingData(str(error)) from error
    return with_particles(text)


def names_in(template: str) -> frozenset[str]:
    """The names of NAMES that a valid template speaks of."""
    return frozenset(node.name for node in _parsed(template).find_all(nodes.Name)) & NAMES.keys()


def required(template: str) -> frozenset[str]:
    """Those of them without which it cannot be rendered: not only asked for with `if`."""
    return frozenset(name for name in names_in(template) if example(template, {name}) is None)


def example(template: str, lacking: Collection[str] = ()) -> str | None:
    """A valid template with an x for every value and an address for every link; None where it needs what is lacking.

    `lacking` are names, or fields as `coupon.code`.
    """
    fields = {
        name: {field: _ADDRESS if field in _LINKS else "x" for field in fields if f"{name}.{field}" not in lacking}
        for name, fields in {**NAMES, "items": ITEM_FIELDS}.items()
    }
    values: dict[str, Any] = {name: one or "x" for name, one in fields.items() if name not in lacking}
    if "items" in values:
        values["items"] = (values["items"],)
    try:
        return render(template, values)
    except MissingData:
        return None


def complaints(template: str) -> list[str]:
    """What is wrong with a template, each as a phrase; empty when it can be used."""
    if len(template) > MAX_TEMPLATE:
        return [f"is longer than {MAX_TEMPLATE:,} characters"]
    found = [
        f"unknown placeholder '[{name}]'; {_nearest(name, PLACEHOLDERS)}"
        for name in _PLACEHOLDER.findall(template)
        if name not in PLACEHOLDERS
    ]
    try:
        tree = _parsed(template)
        found += dict.fromkeys(_in_body(tree.body, None))
        if not found:
            _environment.from_string(tree)
    except TemplateSyntaxError as error:
        found.append(f"cannot be read: {error.message}")
    except (RecursionError, SyntaxError, MemoryError):
        found.append("is nested too deep")
    return found


def _in_body(body: Iterable[nodes.Node], loop: str | None) -> Iterator[str]:
    """Problems of statements; `loop` is the variable of the loop they stand in."""
    for node in body:
        if isinstance(node, nodes.Output):
            for shown in node.nodes:
                yield from _in_output(shown, loop)
        elif isinstance(node, nodes.If):
            yield from _in_condition(node.test, loop)
            yield from _in_body([*node.body, *node.elif_, *node.else_], loop)
        elif isinstance(node, nodes.For):
            yield from _in_loop(node, loop)
        else:
            yield f"'{type(node).__name__.lower()}' cannot be used in a message"


def _in_output(node: nodes.Node, loop: str | None) -> Iterator[str]:
    if isinstance(node, nodes.TemplateData):
        if any(mark in node.data for mark in _SYNTAX):
            yield "'{{', '{%' and '{#' cannot be shown"
    elif isinstance(node, nodes.Name) and (NAMES.get(node.name) or node.name == loop):
        fields = ITEM_FIELDS if node.name == loop else NAMES[node.name]
        yield f"'{node.name}' is written with one of its fields: {', '.join(fields)}"
    elif isinstance(node, nodes.Name | nodes.Getattr):
        yield from _in_condition(node, loop)
    else:
        yield "only a name can stand between '{{' and '}}'"


def _in_loop(node: nodes.For, loop: str | None) -> Iterator[str]:
    over, target = node.iter, node.target
    plain = isinstance(over, nodes.Name) and over.name == "items" and isinstance(target, nodes.Name)
    if not plain or loop or node.recursive or node.test:
        yield "a loop is '{% for item in items %}' and does not stand in another"
    elif isinstance(target, nodes.Name):
        yield from _in_body([*node.body, *node.else_], target.name)


def _in_condition(node: nodes.Node, loop: str | None) -> Iterator[str]:
    if isinstance(node, nodes.Name):
        if node.name not in NAMES and node.name != loop:
            yield f"unknown name '{node.name}'; {_nearest(node.name, NAMES)}"
    elif isinstance(node, nodes.Getattr) and isinstance(node.node, nodes.Name):
        yield from _in_field(node.node.name, node.attr, loop)
    elif isinstance(node, nodes.Getattr) or not isinstance(node, _CONDITIONS):
        yield f"'{type(node).__name__.lower()}' cannot be used in a message"
    elif isinstance(node, nodes.Compare) and not _is_safe(node):
        yield "a condition compares with '==' and '!=', or looks for a text: 'a' in a name"
    else:
        for child in node.iter_child_nodes():
            yield from _in_condition(child, loop)


def _is_safe(node: nodes.Compare) -> bool:
    """Whether it can be asked of any values; an order, or `in`, of a text and a number or a list would fail."""
    match node:
        case nodes.Compare(
            expr=nodes.Const(value=str()),
            ops=[nodes.Operand(op="in" | "notin", expr=nodes.Name() | nodes.Getattr())],
        ):
            return True
    return all(operand.op in ("eq", "ne") for operand in node.ops)


def _in_field(name: str, field: str, loop: str | None) -> Iterator[str]:
    fields = ITEM_FIELDS if name == loop else NAMES.get(name)
    if fields is None:
        yield f"unknown name '{name}'; {_nearest(name, NAMES)}"
    elif field not in fields:
        yield f"'{name}' has no '{field}'; {_nearest(field, fields) if fields else 'write it alone'}"


def _nearest(name: str, known: Iterable[str]) -> str:
    names = list(known)
    near = get_close_matches(name, names, 1, 0.6)
    return f"did you mean '{near[0]}'?" if near else f"known are {', '.join(names)}"


def _parsed(template: str) -> nodes.Template:
    """The syntax tree, with placeholders as names."""
    text = _PLACEHOLDER.sub(lambda m: f"{{{{ {PLACEHOLDERS[m[1]]} }}}}" if m[1] in PLACEHOLDERS else m[0], template)
    return _environment.parse(text)


@lru_cache(maxsize=512)
def _compiled(template: str) -> Template:
    assert not (problems := complaints(template)), f"{template!r} {'; '.join(problems)}"
    return _environment.from_string(_parsed(template))


def _shown(value: Any) -> Any:
    """A value as text, with the mark by which a particle behind it is found."""
    if isinstance(value, _Missing):
        return value
    text = _listed([item["name"] for item in value]) if isinstance(value, tuple) else value
    return f"{text}{END_OF_VALUE}"


def _listed(names: list[str]) -> str:
    """A, B 외 3개."""
    rest = len(names) - MAX_LISTED
    return ", ".join(names[:MAX_LISTED]) + (f" 외 {rest}개" if rest > 0 else "")


_environment = SandboxedEnvironment(undefined=_Missing, finalize=_shown)

"""The variants of a campaign file: their texts, and whether these can be used."""

import re
from collections.abc import Mapping

import yaml

from dangol.campaigns.content import Button, web_link
from dangol.campaigns.definition import ITEM_KINDS, Coupon, Variant
from dangol.campaigns.law import has_own_label
from dangol.campaigns.templates import complaints, example, names_in
from dangol.campaigns.wording import one_line
from dangol.channels import EMAIL, PUSH
from dangol.document import Document

KEYS: Mapping[str, tuple[str, ...]] = {
    EMAIL: ("id", "weight", "subject", "preheader", "body", "buttons", "items"),
    PUSH: ("id", "weight", "title", "body", "link", "items"),
    "button": ("text", "link"),
}
REQUIRED: Mapping[str, tuple[str, ...]] = {
    EMAIL: ("id", "subject", "body"),
    PUSH: ("id", "title", "body"),
    "button": ("text", "link"),
}
MAX_TITLE, MAX_PUSH_BODY, MAX_BODY, MAX_LINK = 80, 160, 5000, 300
"""Characters of a template: of a subject or title, of the text of a push, of the text of an e-mail, of a link."""
MAX_BUTTONS = 3
_ID = re.compile(r"[a-z0-9_]{1,30}")


def read_variants(
    document: Document, node: yaml.Node, channel: str, *, coupon: Coupon | None, invitation: bool
) -> tuple[Variant, ...]:
    """The variants of one channel; what is wrong is noted. `invitation`: whether the campaign has one."""
    reader = _Reader(document, channel, coupon, invitation)
    variants = tuple(reader.variant(item) for item in document.items(node, f"'{channel}'"))
    if variants and not any(variant.weight for variant in variants):
        document.note(node, f"one variant of '{channel}' must have a weight above 0")
    return variants


class _Reader:
    def __init__(self, document: Document, channel: str, coupon: Coupon | None, invitation: bool) -> None:
        self.document, self.channel = document, channel
        self.lacking = {
            "coupon": coupon is None,
            "coupon.code": coupon is not None and coupon.code is None,
            "coupon.expires_on": coupon is not None and coupon.valid_days is None,
            "links": not invitation,
        }
        self.ids: set[str] = set()

    def variant(self, node: yaml.Node) -> Variant:
        doc, channel = self.document, self.channel
        found = doc.fields(node, KEYS[channel], REQUIRED[channel], f"a variant of '{channel}'")
        title = "subject" if channel == EMAIL else "title"
        items = doc.choice(found["items"], ITEM_KINDS, "kind of items") if "items" in found else None
        self.lacking["items"] = items is None
        return Variant(
            id=self._id(found["id"]) if "id" in found else "",
            title=self._title(found[title], title) if title in found else "",
            body=self._template(found, "body", MAX_BODY if channel == EMAIL else MAX_PUSH_BODY),
            weight=doc.number(found["weight"], 0, 1000, "'weight'") if "weight" in found else 1.0,
            preheader=self._template(found, "preheader", MAX_TITLE),
            buttons=self._buttons(found),
            items=items,
        )

    def _id(self, node: yaml.Node) -> str:
        word = self.document.text(node, "'id'")
        if word and not _ID.fullmatch(word):
            self.document.note(node, f"'id' must be lower-case letters, digits and _ (at most 30), not '{word}'")
        elif word in self.ids:
            self.document.note(node, f"'id' '{word}' is taken; variants of a channel have ids of their own")
        self.ids.add(word)
        return word

    def _title(self, node: yaml.Node, what: str) -> str:
        if isinstance(node, yaml.ScalarNode) and has_own_label(one_line(node.value)):
            self.document.note(node, f"'{what}' carries a label of its own; take it out: Dangol puts (광고) there")
            return ""
        title = self._template({what: node}, what, MAX_TITLE)
        if "\n" in title:
            self.document.note(node, f"'{what}' must be one line")
        return title

    def _buttons(self, found: Mapping[str, yaml.Node]) -> tuple[Button, ...]:
        if "link" in found:
            return (Button("", self._link(found)),)
        nodes = list(self.document.items(found["buttons"], "'buttons'")) if "buttons" in found else []
        if len(nodes) > MAX_BUTTONS:
            self.document.note(found["buttons"], f"'buttons' are more than {MAX_BUTTONS}")
        return tuple(self._button(node) for node in nodes)

    def _button(self, node: yaml.Node) -> Button:
        found = self.document.fields(node, KEYS["button"], REQUIRED["button"], "a button")
        return Button(self._template(found, "text", MAX_TITLE), self._link(found))

    def _link(self, found: Mapping[str, yaml.Node]) -> str:
        before = len(self.document.problems)
        link = self._template(found, "link", MAX_LINK)
        if link and len(self.document.problems) == before and not web_link((example(link) or "").strip()):
            reason = "'link' must be an address without blanks that begins with https://, http:// or {{ shop.url }}"
            self.document.note(found["link"], reason)
        return link

    def _template(self, found: Mapping[str, yaml.Node], key: str, longest: int) -> str:
        """A text that can be used as a template; '' where there is none."""
        if key not in found:
            return ""
        text = self.document.text(found[key], f"'{key}'")
        problems = complaints(text)
        for problem in problems:
            self.document.note(found[key], f"'{key}' {problem}")
        for name in () if problems else filter(self.lacking.get, _SOURCES):
            if name in names_in(text) or ("." in name and example(text, {name}) is None):
                self.document.note(found[key], f"'{key}' speaks of '{name}', but there is no {_SOURCES[name]}")
        if len(text) > longest:
            self.document.note(found[key], f"'{key}' is {len(text)} characters long; {longest} is the most")
        return text


_SOURCES = {
    "coupon": "'coupon' in the campaign",
    "coupon.code": "'code' in the coupon",
    "coupon.expires_on": "'valid' in the coupon",
    "links": "'invitation' in the campaign",
    "items": "'items' in the variant",
}
"""Where each name comes from."""

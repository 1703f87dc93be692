"""What stands again and again on a page of unknown software: where to begin writing a recipe."""

from __future__ import annotations

import re
from collections import defaultdict

from parsel import Selector

MOST_HINTS = 5
LEAST_REPEATED = 2
LEAST_CHARACTERS = 8
MOST_ELEMENTS = 20_000
_PASSED_OVER = frozenset({"html", "body", "script", "style", "option", "path", "svg", "nav", "footer", "header"})
_KEY_LIKE = re.compile(r"^(?:id|data-[a-z-]*(?:id|key|pid|tid|post|comment|thread|topic)[a-z-]*)$")


def repeated(page: Selector) -> list[str]:
    """Return what looks like threads or posts, the longest texts first, each as a start of `items` and `key`.

    Elements count as one kind when they share name, first class and an attribute that looks like a key.
    """
    kinds: dict[tuple[str, str], list[Selector]] = defaultdict(list)
    for element in page.xpath(f"(//*[@class or @id])[position() <= {MOST_ELEMENTS}]"):
        name, attributes = str(element.root.tag), element.attrib
        key = next((one for one in sorted(attributes, key=_rank) if _KEY_LIKE.match(one) and attributes[one]), None)
        if key is None or name in _PASSED_OVER:
            continue
        first = attributes.get("class", "").split()[:1]
        kinds[(f"{name}.{first[0]}" if first else name, key)].append(element)
    found = []
    for (selector, key), elements in kinds.items():
        size = sum(len(" ".join(one.xpath("string()").get("").split())) for one in elements) // len(elements)
        different = len({one.attrib[key] for one in elements}) == len(elements)
        if len(elements) >= LEAST_REPEATED and size >= LEAST_CHARACTERS and different:
            found.append((len(elements) * size, _told(selector, key, elements)))
    return [told for _, told in sorted(found, reverse=True)[:MOST_HINTS]]


def _rank(attribute: str) -> tuple[bool, str]:
    return attribute == "id", attribute  # an attribute of its own is a better key than an id


def _told(selector: str, key: str, elements: list[Selector]) -> str:
    inside = "".join(
        f", {what} inside"
        for what, path in (("a link", ".//a[@href]"), ("a time", ".//time"))
        if elements[0].xpath(path)
    )
    return f'{len(elements)} × `items: "{selector}[{key}]"`, `key: "::attr({key})"`{inside}'

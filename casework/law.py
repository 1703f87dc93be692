"""Legal bases as they are printed: a law's title and an article, or not at all."""

from __future__ import annotations

import re
from collections.abc import Iterable

from casework.errors import InvalidInput
from config.taxonomy import LAWS, LawRef

_ARTICLE = re.compile(
    r"(?P<article>\d{1,3})(?:¶(?P<paragraph>\d{1,2}))?(?P<items>(?:\([一二三四五六七八九十]{1,3}\))*)"
)


def cite(reference: LawRef) -> str:
    """Return the citation in full, e.g. 《未成年人网络保护条例》第22条第2款.

    Raises:
        InvalidInput: the law is unknown, or the article is not of the form 22, 22¶2 or 6(九).
    """
    match = _ARTICLE.fullmatch(reference.article)
    if reference.law not in LAWS:
        raise InvalidInput("law", reference.law, ", ".join(LAWS))
    if match is None:
        raise InvalidInput("article", reference.article, "22、22¶2 或 6(九)")
    paragraph = f"第{match['paragraph']}款" if match["paragraph"] else ""
    items = match["items"].replace("(", "（").replace(")", "）")
    return f"《{LAWS[reference.law]}》第{match['article']}条{paragraph}" + (f"第{items}项" if items else "")


def cite_all(references: Iterable[LawRef]) -> str:
    """Return the citations joined by 、, each once.

    Raises:
        InvalidInput: one of them does not parse.
    """
    return "、".join(dict.fromkeys(cite(reference) for reference in references))

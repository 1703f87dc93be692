"""How a table that a platform supplies is read: which of its columns holds what."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from config.documents import Strict

Column = Literal["text", "url", "unit", "thread", "kind", "published_at", "position", "section"]
Encoding = Literal["utf-8", "gb18030"]
Heading = Annotated[str, Field(min_length=1, max_length=200)]


class ImportRecipe(Strict):
    """How supplied tables are read."""

    columns: dict[Column, Heading] = Field(
        default_factory=dict, description="what is read → heading of its column; what is missing is looked for by name"
    )
    encoding: Encoding | None = Field(
        None, description="how tables are encoded; none: UTF-8 where it fits, else GB 18030 (GBK)"
    )

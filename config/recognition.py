"""By what a kind of software is recognised, as its preset says under `recognise`."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

from pydantic import ConfigDict, Field, ValidationError, model_validator

from config.checking import problems_of
from config.documents import Strict
from config.layers import read_layer
from config.problems import PolicyError
from config.recipe import Css, FieldRecipe, JmesPath, Regex


class Marker(Strict):
    """One thing that gives a kind of software away."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    css: Css | None = Field(None, description="found on the page, where it is HTML or XML")
    jmespath: JmesPath | None = Field(None, description="found in the answer, where it is JSON")
    header: str | None = Field(None, max_length=60, description="a header of the answer")
    regex: Regex | None = Field(None, description="what the finding must match")

    @model_validator(mode="after")
    def _exactly_one_place(self) -> Marker:
        named = [name for name in ("css", "jmespath", "header") if getattr(self, name) is not None]
        if len(named) != 1:
            found = ", ".join(named) or "none"
            raise ValueError(f"found {found}; allowed: exactly one of css, jmespath, header")
        return self

    def __str__(self) -> str:
        place = self.css or self.jmespath or f"header {self.header}"
        return f"{place} matching {self.regex}" if self.regex else str(place)


class Recognition(Strict):
    """How `woodpecker site new` knows a kind of software, and where it finds the sections of such a site."""

    software: str = Field(min_length=1, max_length=60, description="its name, as people know it")
    markers: tuple[Marker, ...] = Field(min_length=1, max_length=12, description="any of them is enough")
    sections: FieldRecipe | None = Field(
        None, description="addresses at which sections start, where the page has links"
    )
    platform_class: str = Field("forum_qa", alias="class", description="the class that such a site usually has")
    rank: int = Field(
        0, ge=0, le=9, description="kinds of a lower rank are proposed first: named software before kinds"
    )
    needs_agreement: bool = Field(False, description="under the basis robots other presets are proposed first")
    hint: str = Field("", max_length=300, description="what whoever writes the site file should know")


def recognition_of(path: Path) -> Recognition | None:
    """Return what a preset's file says under `recognise`, or None when it says nothing.

    Raises:
        PolicyError: it is wrong, or the file cannot be read.
    """
    return _recognition(path, path.stat().st_mtime_ns)


@lru_cache(maxsize=128)
def _recognition(path: Path, _changed: int) -> Recognition | None:
    layer = read_layer(path)
    if "recognise" not in layer.values:
        return None
    try:
        return Recognition.model_validate(layer.values["recognise"])
    except ValidationError as error:
        raise PolicyError(problems_of(error, Recognition, layer, str(path))) from error

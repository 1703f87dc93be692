"""Reading our own YAML data files: safe, bounded, and typed by pydantic."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict
from ruamel.yaml import YAML

HERE = Path(__file__).resolve().parent


class Strict(BaseModel):
    """A model whose unknown keys are errors and whose values do not change."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    @property
    def digest(self) -> str:
        """SHA-256 of everything that it says."""
        content = json.dumps(self.model_dump(mode="json"), sort_keys=True, ensure_ascii=False)
        return hashlib.sha256(content.encode()).hexdigest()


def read_shipped(name: str) -> Any:
    """Return the content of a data file that is part of this package."""
    return YAML(typ="safe").load((HERE / name).read_text("utf-8"))

"""A trained encoder made smaller without training it again: fewer rows and narrower rows in its tables.

Rows: a table of half the rows has two old rows for each new one, and keeps the longer: rows of pairs that were never
seen are short. Columns: a table is laid on the strongest of its singular vectors, and the layer that reads it turns
with it, so that nothing is lost but the weakest directions.
"""

from __future__ import annotations

import torch
from pydantic import BaseModel, ConfigDict, Field
from torch import Tensor, nn

from classifiers.training.encoder_model import Embedding, WoodpeckerConfig, WoodpeckerForCategories

HASHED = ("pair", "triple", "sound_pair")
READ = ("character", "pair", "pair", "triple", "sound", "sound_pair", "sound_pair")  # as the embedding lays them out


class Shrunk(BaseModel):
    """How much smaller."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    rows: int = Field(default=1, ge=1, description="hashed tables keep one row of so many")
    width: float = Field(default=1.0, gt=0, le=1, description="share of every table's columns that is kept")


def shrink(model: WoodpeckerForCategories, wanted: Shrunk) -> WoodpeckerForCategories:
    """A smaller copy; the layers and heads stay as they are.

    Raises:
        ValueError: a table has a number of rows that cannot be parted so.
    """
    old: Embedding = model.encoder.embedding
    tables = {name: getattr(old, name).weight.detach() for name in dict.fromkeys(READ)}
    for name in HASHED:
        tables[name] = _fewer_rows(name, tables[name], wanted.rows)
    turned = {name: _axes(table, max(1, round(table.shape[1] * wanted.width))) for name, table in tables.items()}
    config = WoodpeckerConfig(**model.config.to_dict())
    for name, axes in turned.items():
        setattr(config, name, axes.shape[1])
    for name in HASHED:
        setattr(config, f"{name}_buckets", len(tables[name]))
    smaller: WoodpeckerForCategories = WoodpeckerForCategories(config).eval()
    kept = {key: value for key, value in model.state_dict().items() if not key.startswith("encoder.embedding.")}
    smaller.load_state_dict(kept, strict=False)
    new: Embedding = smaller.encoder.embedding
    with torch.no_grad():
        for name, axes in turned.items():
            getattr(new, name).weight.copy_(tables[name] @ axes)
        _copy(old, new, turned)
    return smaller


def _copy(old: Embedding, new: Embedding, turned: dict[str, Tensor]) -> None:
    """The rest of the embedding: its projection, part by part turned as the tables are."""
    widths = [len(turned[name]) for name in READ]
    parts = old.project.weight.split(widths, dim=1)
    new.project.weight.copy_(torch.cat([part @ turned[name] for name, part in zip(READ, parts, strict=True)], dim=1))
    new.project.bias.copy_(old.project.bias)
    new.norm.load_state_dict(old.norm.state_dict())
    new.sound_of.copy_(old.sound_of)


def _fewer_rows(name: str, table: Tensor, many: int) -> Tensor:
    if len(table) % many:
        raise ValueError(f"{name}: {len(table)} rows cannot be parted in {many}")
    stacked = table.view(many, len(table) // many, table.shape[1])  # a hash modulo fewer rows: those one stride apart
    longest = stacked.norm(dim=2).argmax(dim=0)
    return stacked[longest, torch.arange(stacked.shape[1])]


def _axes(table: Tensor, width: int) -> Tensor:
    """The strongest directions of a table's rows, one per column."""
    if width == table.shape[1]:
        return torch.eye(width, dtype=table.dtype)
    _, vectors = torch.linalg.eigh((table.T @ table).double())
    return vectors[:, -width:].flip(1).to(table.dtype)


def parameters(model: nn.Module) -> int:
    """Numbers in a model."""
    return sum(parameter.numel() for parameter in model.parameters())

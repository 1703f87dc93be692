"""Made-up sets for trainings that take seconds."""

from __future__ import annotations

PLAIN = (
    "今天", "作文课", "春游", "同学", "天气", "晚饭", "小猫",
    "图书馆", "足球", "画画", "钢琴", "作业", "周末", "公园",
)  # fmt: skip
"""Words of which ordinary talk is drawn."""


def described(name: str, says: str, *more: str, share: float = 0.5) -> str:
    """A set's entry in a file of sets: `says` are the items of its evidence, `more` further lines of it."""
    lines = [
        f"{name}:", f"  file: {name}.jsonl", "  origin: made up", "  licence: none", "  tier: open",
        "  register: made up", f"  evidence: [{says}]", "  cannot_tell: everything",
        f"  hold_back: {{by: tail, share: {share}}}", *(f"  {line}" for line in more),
    ]  # fmt: skip
    return "\n".join(lines) + "\n"


def told_by_label(slug: str) -> str:
    """Evidence of a set whose label 1 says a category and whose 0 says that it is not."""
    return f"{{values: [1], says: {{{slug}: 1}}}}, {{values: [0], says: {{{slug}: 0}}}}"

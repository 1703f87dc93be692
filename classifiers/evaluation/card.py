"""The model card, written from the figures that training measured: `python -m classifiers.evaluation.card`."""

from __future__ import annotations

import json
import sys
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from classifiers.encoder import newest_encoder
from classifiers.errors import ModelError
from classifiers.evaluation.markdown import table
from classifiers.evaluation.proxies_card import proxies_of
from classifiers.evaluation.robustness import GOALS, MOST_ADDED, TEXTS, short_of
from classifiers.linear import MODELS, newest

CARD = "card.json"
_OPENING = """\
# Model card: {version}

<!-- Written by `python -m classifiers.evaluation.card > docs/model-card.md`, its drawing by
`python -m classifiers.evaluation.reliability > docs/model-card.svg`; train again instead of changing it. -->

**What it is.** The assessor that ships: {parts} (see [detection.md](detection.md)).
It gives a probability for each of fifteen categories; policy says from which score on a human looks. **It decides
nothing.**

**For whom.** Units that look for information harmful to minors on public pages, with people who review every hit.

**Not for.** Deciding, blocking or punishing by score; judging persons; private messages; opinion, news, politics or
religion; other languages; proof of anything. `sexual_exploitation` has no trained column and no figure: no text of that
kind is collected or written; word rules on solicitation patterns alone speak, for named duty staff.

**How it was measured.** On rows held back by source, incident, topic or near-copy group; half of them calibrate, the
other half gave these figures, through the whole cascade. Build the linear model again and measure any model:

```
woodpecker train linear --data DATA/labelled
woodpecker evaluate --data DATA/labelled --model FOLDER --card
```

The encoder that ships comes of [six commands and a GPU](encoder.md#with-a-gpu). Two cores can make another, weaker one,
from labels alone: `woodpecker train labels --encoder classifiers/training/pretrained --data DATA/labelled`.
"""


_PARTS = "evasions are undone; word rules and a linear model over hashed character\nn-grams read every text"
_ENCODER = ", and a small encoder whatever is not surely harmless to it, blended with the linear\nmodel"
_COMBINED = "; what rules and models say is combined"


def shipped() -> Path:
    """Return the folder whose card is in the docs: the newest encoder's, or the newest linear model's without one."""
    return newest_encoder(MODELS) or newest()


def render(card: Mapping[str, Any]) -> str:
    """Return a card's figures as Markdown."""
    parts = [
        _OPENING.format(version=card["version"], parts=_what_speaks(card)),
        *_categories(card),
        *_sets(card),
        *_ordinary(card),
    ]
    if "parts" in card:
        parts += _parts(card["parts"])
    for name in ("proxies", "ablation", "evasions", "spans", "agreement"):
        if name in card:
            parts += _MORE[name](card[name])
    parts += _failures() + list(_data(card))
    return "\n".join(parts).rstrip() + "\n"


def _what_speaks(card: Mapping[str, Any]) -> str:
    """The parts of a cascade; an encoder stands before the linear model in its version."""
    return _PARTS + (_ENCODER if "+" in card["version"] else "") + _COMBINED


def _figures(one: Mapping[str, Any]) -> tuple[Any, ...]:
    low, high = one["f1_interval"]
    f1 = f"{one['f1']:.3f} ({low:.3f}–{high:.3f})"
    figures = (f"{one[name]:.3f}" for name in ("precision", "recall"))
    return (one["rows"], one["positives"], *figures, f1, f"{one['macro_f1']:.3f}", f"{one['ece']:.3f}")


_HEAD = ("rows", "positive", "precision", "recall", "F1 (95 %)", "macro-F1", "calibration error")


def _categories(card: Mapping[str, Any]) -> list[str]:
    rows = ((f"`{slug}`", *_figures(one["at_half"])) for slug, one in card["categories"].items())
    return [
        "## By category, at a score of .5\n",
        *table(("category", *_HEAD), rows),
        "Do the scores come true? On the diagonal, a score of .7 means that seven of ten such texts are of the\n"
        f"category; a larger point stands for more texts. {_calibrated(card.get('calibrated_for', {}))}\n\n"
        "![Reliability of each category](model-card.svg)\n",
        "Rules alone speak for: " + ", ".join(f"`{slug}`" for slug in card["rules_only"]) + ".\n",
    ]


def _calibrated(shares: Mapping[str, float]) -> str:
    """For how common a category its scores are calibrated: most of them, and those that differ."""
    if not shares:
        return ""
    most = Counter(shares.values()).most_common(1)[0][0]
    others = "".join(f", {100 * share:g} % of `{slug}`" for slug, share in shares.items() if share != most)
    return (
        f"Scores are calibrated\nas if at least {100 * most:g} % of texts were of a category{others},\n"
        "which is nearer to what people look at than these rows are: so rare categories lie below the diagonal here."
    )


def _sets(card: Mapping[str, Any]) -> list[str]:
    rows = (
        (f"`{slug}`", name, *_figures(one["at_half"]))
        for slug, figures in card["categories"].items()
        for name, one in figures["sets"].items()
        if one["at_half"]["positives"] >= 5
    )
    return [
        "## By category and set\n",
        "`written` are texts of our own: whole topics never seen in training, with hard negatives that share\n"
        "the positives' words. They are much harder than what a platform carries on an ordinary day.\n",
        *table(("category", "set", *_HEAD), rows),
    ]


def _ordinary(card: Mapping[str, Any]) -> list[str]:
    rows = (
        (
            name,
            one["rows"],
            f"{one['flagged'] * 100:.2f} %",
            ", ".join(sorted(one["by"], key=lambda s: -one["by"][s])[:3]),
        )
        for name, one in card["ordinary"].items()
    )
    return ["## Ordinary talk that is flagged\n", *table(("set", "rows", "flagged for anything", "mostly for"), rows)]


def _parts(found: Mapping[str, Any]) -> list[str]:
    """The linear model, the encoder and their average, each by itself, without word rules."""
    rows = (
        (
            scorer,
            texts,
            *(f"{found[scorer][texts]['mean'][name]:.3f}" for name in ("macro_f1", "average_precision", "ece")),
        )
        for texts in ("untouched", "evaded")
        for scorer in ("linear", "encoder", "average")
    )
    categories = found["average"]["untouched"]["categories"]
    by_category = (
        (
            f"`{slug}`",
            *(
                f"{found[scorer][texts]['categories'][slug]['average_precision']:.3f}"
                for texts in ("untouched", "evaded")
                for scorer in ("linear", "encoder", "average")
            ),
        )
        for slug in categories
    )
    same = found["agreement"]
    return [
        "## What each part brings\n",
        "Means over the categories, without word rules; *evaded*: every text written as somebody would who evades.\n",
        *table(("scorer", "texts", "macro-F1", "average precision", "calibration error"), rows),
        "Average precision by category:\n",
        *table(
            ("category", "linear", "encoder", "both", "linear, evaded", "encoder, evaded", "both, evaded"),
            by_category,
        ),
        f"The int8 file decides as the float model does in {same['decisions'] * 100:.2f} % of decisions "
        f"({same['texts']} texts).\n",
    ]


_WITHOUT = {
    "everything": "everything",
    "rules": "without word rules",
    "second readings": "without second readings",
    "undoing": "without any undoing, folding neither",
    "linear": "without the linear model",
    "encoder": "without the encoder",
    "typed": "without labels given by reading",
    "written": "without texts written by us",
    "grown": "without texts grown from our grammars",
    "weak": "without weak labels (votes of models, word rules)",
}


def _ablation(found: Mapping[str, Any]) -> list[str]:
    head = ("", "average precision", "brought (95 %)", "average precision, evaded", "brought, evaded (95 %)")
    return [
        "## What is lost without each part, and without each kind of label\n",
        f"Means over the categories, of {found['rows']} texts: up to 150 of each category, 1,500 of none: only\n"
        "differences mean something. *Brought* is what everything together has more; intervals draw the same\n"
        "texts for both. `woodpecker ablate --data DATA --model FOLDER --card`\n",
        *table(head, _without(found["parts"])),
        f"Labels are left out of a small linear model, trained on {found['trained_rows']} rows (`ablation.yaml`),\n"
        "alone with word rules and undoing: of less data each kind brings more than of all. Where nothing else is\n"
        "labelled, as in most categories without our own texts, word rules alone are left.\n",
        *table(head, _without(found["labels"])),
    ]


def _without(found: Mapping[str, Any]) -> Iterator[tuple[Any, ...]]:
    for name, by_texts in found.items():
        cells: list[str] = []
        for one in (by_texts["untouched"], by_texts["evaded"]):
            low, high = one["interval"]
            brought = "–" if name == "everything" else f"{one['brought']:+.3f} ({low:+.3f} to {high:+.3f})"
            cells += [f"{one['average_precision']:.3f}", brought]
        yield (_WITHOUT[name], *cells)


def _evasions(found: Mapping[str, Any]) -> list[str]:
    rows = (
        (
            kind,
            one["level"],
            one["texts"],
            f"{one['kept'] * 100:.1f} %",
            f"{GOALS[one['level']] * 100:.0f} %",
            _points(one["ordinary_added"]),
            ", ".join(short_of(one)) or "–",
        )
        for kind, one in found.items()
    )
    head = ("evasion", "level", "texts", "categories kept", "goal", "ordinary texts flagged, points added", "short in")
    return [
        "## Under evasion\n",
        f"Held-back flagged texts, treated on purpose: {TEXTS} that the evasion changes, or as many as there are. Of\n"
        f"ordinary texts at most {_points(MOST_ADDED)} points more shall be flagged.\n",
        *table(head, rows),
    ]


def _points(share: float | None) -> str:
    return "–" if share is None else f"{share * 100:+.2f}"


def _spans(found: Mapping[str, Any]) -> list[str]:
    if not found.get("texts"):
        return []
    return [
        "## Spans\n",
        f"Deleting the spans of a flagged category lowers its score by {found['fall_without_spans']:.3f} on average, "
        f"deleting as much at random by {found['fall_at_random']:.3f}: {found['ratio']:.2f} times as much "
        f"({found['ratio_interval'][0]:.2f}–{found['ratio_interval'][1]:.2f}; {found['texts']} held-back cases).\n",
    ]


def _agreement(found: Mapping[str, Any]) -> list[str]:
    rows = (
        (f"`{slug}`", one["times"], "–" if one["alpha"] is None else f"{one['alpha']:.2f}")
        for slug, one in found["categories"].items()
    )
    return [
        "## Do two readers agree?\n",
        f"{found['texts']} spam texts were read by two readers independently; Krippendorff's alpha over all "
        f"categories is {found['alpha']:.2f}.\n",
        *table(("category", "times given", "alpha"), rows),
    ]


_MORE = {"proxies": proxies_of, "ablation": _ablation, "evasions": _evasions, "spans": _spans, "agreement": _agreement}


def _failures() -> list[str]:
    return [
        "## Known failures, by example\n",
        "- *Stance*: 表哥说刷单日结三百，我让他赶紧报警 is flagged for fraud: only its last words\n"
        "  say that it is a warning.\n",
        "- *No keyword*: 老板，来点叶子 (drugs) and 大师算得准，加他改命 (superstition) stay under .25, below\n"
        "  most thresholds outside kid zones: every word of them is an everyday one.\n",
        "- *Banter*: 你个猪，快来接我放学 between friends is over ½ for bullying, as the insult 你这个猪队友 is.\n",
        "- *Short texts*: under six characters there is too little to go by.\n"
        "- *Own distress*: sad but safe posts are sometimes flagged as `self_harm`; the low threshold is meant so.\n",
    ]


def _data(card: Mapping[str, Any]) -> Iterator[str]:
    yield "## Data and licences\n"
    yield "Weights are trained on these sets; none of their texts is in the repository, except our own.\n"
    rows = (
        (one["name"], one["origin"], one["licence"], one["tier"], one["cannot_tell"].replace("\n", " "))
        for one in card["sets"]
    )
    yield from table(("set", "origin", "licence", "tier", "what it cannot tell"), rows)
    yield (
        "*Limited* means: non-commercial, copyleft, or no licence stated. `woodpecker train linear --tier open "
        "--data DATA` builds without them.\n"
    )


def main(folder: Path | None = None) -> int:
    """Print the card of a model folder, by default of the shipped one."""
    path = (folder or shipped()) / CARD
    try:
        sys.stdout.write(render(json.loads(path.read_text(encoding="utf-8"))))
    except OSError as error:
        raise ModelError(path, str(error), "the card that training writes") from error
    return 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]) if len(sys.argv) > 1 else None))

"""Figures of a trained model on rows it never saw, through the whole cascade."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from classifiers.cascade import Cascade
from classifiers.evaluation.agreement import agreement
from classifiers.evaluation.faithful import deletion
from classifiers.evaluation.metrics import measure, reliability
from classifiers.evaluation.proxies import Held, by_proxy
from classifiers.evaluation.robustness import under_evasion
from classifiers.training.recipe import Recipe
from classifiers.training.rows import UNKNOWN, Rows
from classifiers.training.sets import LabelledSet
from classifiers.training.typed import LABELS, SECOND, load_typed
from config.taxonomy import SLUGS


def measure_model(
    cascade: Cascade,
    rows: Rows,
    use: NDArray[np.bool_],
    recipe: Recipe,
    sets: list[LabelledSet],
    about: dict[str, Any],
) -> dict[str, Any]:
    """Measure per category over all sets, per category and set, and the false alarms on ordinary talk."""
    chosen = np.flatnonzero(use)
    scores = cascade.scores([rows.texts[i] for i in chosen])
    says, origin = rows.says[chosen], rows.origin[chosen]
    thresholds = np.array([recipe.threshold(slug) for slug in SLUGS])
    categories: dict[str, Any] = {}
    for k, slug in enumerate(rows.slugs):
        column = scores[:, SLUGS.index(slug)]
        known = says[:, k] != UNKNOWN
        categories[slug] = _figures(column[known], says[known, k], recipe.threshold(slug))
        categories[slug]["sets"] = {
            name: _figures(column[mine], says[mine, k], recipe.threshold(slug))
            for number, name in enumerate(rows.sets)
            if len(set(says[(mine := known & (origin == number)), k].tolist())) == 2
        }
    return {
        "version": cascade.version,
        "categories": categories,
        "ordinary": _ordinary(scores, origin, thresholds, rows.sets, sets),
        "rules_only": [slug for slug in SLUGS if slug not in rows.slugs],
        "proxies": by_proxy(_held(rows, chosen, scores), cascade.scores, seed=recipe.seed),
        **_behaviour(cascade, rows, chosen, scores, recipe, sets),
        "agreement": agreement(load_typed(LABELS), load_typed(SECOND)),
        "calibrated_for": _common(cascade, recipe),
        "sets": [entry.model_dump(mode="json", include=_CARD_FIELDS) for entry in sets],
        "about": about,
    }


def _held(rows: Rows, chosen: NDArray[np.int64], scores: NDArray[np.float64]) -> Held:
    sets = np.array(rows.sets)[rows.origin[chosen]]
    return Held([rows.texts[i] for i in chosen], rows.says[chosen], rows.slugs, sets, scores, SLUGS)


def _common(cascade: Cascade, recipe: Recipe) -> dict[str, float]:
    """Of each category, the share of texts that its scores are calibrated for at least."""
    if cascade.blend is None:
        return dict.fromkeys(recipe.columns, recipe.least_share)
    manifest = cascade.blend.encoder.manifest
    made, slugs = manifest["recipe"], [entry["slug"] for entry in manifest["categories"]]
    return {slug: made.get("least_shares", {}).get(slug, made["least_share"]) for slug in slugs}


FLAGGED, ORDINARY = 500, 2000  # texts that spans are deleted from, and ordinary ones that evasions are tried on
_CARD_FIELDS = {"name", "origin", "licence", "tier", "register_", "cannot_tell", "hold_back"}


def _behaviour(
    cascade: Cascade,
    rows: Rows,
    chosen: NDArray[np.int64],
    scores: NDArray[np.float64],
    recipe: Recipe,
    sets: list[LabelledSet],
) -> dict[str, Any]:
    """What evasion costs and whether spans are faithful, on flagged texts and on ordinary talk never trained on."""
    limits = np.array([recipe.threshold(slug) for slug in SLUGS])
    random = np.random.default_rng(recipe.seed)
    over = np.flatnonzero((scores >= limits).any(axis=1))
    ordinary = np.isin(rows.origin[chosen], [rows.sets.index(entry.name) for entry in sets if entry.ordinary])
    flagged = random.permutation(over)
    calm = random.permutation(np.flatnonzero(ordinary))[:ORDINARY]
    texts = [[rows.texts[chosen[i]] for i in some] for some in (flagged, calm)]
    thresholds = {slug: recipe.threshold(slug) for slug in SLUGS}
    return {
        "evasions": under_evasion(cascade.scores, texts[0], texts[1], limits, seed=recipe.seed),
        "spans": deletion(cascade, texts[0][:FLAGGED], thresholds, seed=recipe.seed),
    }


def _figures(scores: NDArray[np.float64], labels: NDArray[np.int8], threshold: float) -> dict[str, Any]:
    at_half = measure(scores, labels)
    figures: dict[str, Any] = {"at_half": at_half.as_dict(), "reliability": reliability(scores, labels)}
    if threshold != at_half.threshold:
        figures["at_threshold"] = measure(scores, labels, threshold=threshold).as_dict()
    return figures


def _ordinary(
    scores: NDArray[np.float64],
    origin: NDArray[np.int32],
    thresholds: NDArray[np.float64],
    names: tuple[str, ...],
    sets: list[LabelledSet],
) -> dict[str, Any]:
    """Share of ordinary talk flagged for anything, and for what."""
    over = scores >= thresholds
    found: dict[str, Any] = {}
    for entry in sets:
        if entry.ordinary:
            mine = over[origin == names.index(entry.name)]
            if len(mine):
                shares = mine.mean(axis=0)
                by = {slug: round(float(shares[k]), 5) for k, slug in enumerate(SLUGS) if shares[k] > 0}
                found[entry.name] = {"rows": len(mine), "flagged": round(float(mine.any(axis=1).mean()), 5), "by": by}
    return found

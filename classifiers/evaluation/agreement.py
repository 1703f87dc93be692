"""Do two readers mean the same? Krippendorff's alpha per category, on the texts that both have read."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from config.taxonomy import SLUGS


def agreement(first: Mapping[str, frozenset[str]], second: Mapping[str, frozenset[str]]) -> dict[str, Any]:
    """Return alpha (nominal; Krippendorff 2004) per category that either reader gave, and over all of them.

    `alpha` is None where a category was given so rarely that it says nothing (fewer than five times by both together).
    """
    import krippendorff

    shared = sorted(first.keys() & second.keys())
    found: dict[str, Any] = {}
    pooled: list[np.ndarray] = []
    for slug in SLUGS:
        given = np.array([[slug in labels[key] for key in shared] for labels in (first, second)], dtype=np.int64)
        pooled.append(given)
        if (times := int(given.sum())) == 0:
            continue
        alpha = krippendorff.alpha(reliability_data=given, level_of_measurement="nominal") if times >= 5 else None
        found[slug] = {"times": times, "alpha": None if alpha is None else round(float(alpha), 3)}
    everything = krippendorff.alpha(reliability_data=np.concatenate(pooled, axis=1), level_of_measurement="nominal")
    return {"texts": len(shared), "alpha": round(float(everything), 3), "categories": found}

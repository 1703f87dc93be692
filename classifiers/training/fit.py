"""Fit one column per category: logistic loss on n-gram counts scaled by naive-Bayes log-count ratios.

The ratios (Wang and Manning 2012) are folded into the weights, so that serving knows nothing of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from classifiers.ngrams import grams
from classifiers.normalise.fold import fold

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix

BATCH = 4096


def counts(texts: Sequence[str], bits: int) -> csr_matrix:
    """N-gram counts of texts as a sparse matrix, each row divided by the square root of its number of n-grams."""
    from scipy.sparse import csr_matrix, vstack

    parts = []
    for begin in range(0, len(texts), BATCH):
        found = grams(fold(texts[begin : begin + BATCH]), bits)
        sizes = np.diff(found.offsets)
        scale = np.repeat(1.0 / np.sqrt(np.maximum(sizes, 1)), sizes).astype(np.float32)
        part = csr_matrix((scale, found.buckets, found.offsets), shape=(len(sizes), 1 << bits))
        part.sum_duplicates()
        parts.append(part)
    return vstack(parts).tocsr() if parts else csr_matrix((0, 1 << bits), dtype=np.float32)


def fit_column(
    x: csr_matrix, y: NDArray[np.int8], weight: NDArray[np.float64], *, strength: float, smoothing: float, seed: int
) -> tuple[NDArray[np.float64], float]:
    """Fit one category; returns the weight of each bucket and the intercept.

    `strength` is the inverse of the L2 penalty, `smoothing` the pseudo-count of the log-count ratios.
    """
    from scipy.sparse import diags
    from sklearn.linear_model import LogisticRegression

    ratio = _log_ratio(x, y, weight, smoothing)
    model: Any = LogisticRegression(C=strength, solver="liblinear", dual=True, max_iter=60, random_state=seed)
    model.fit(x @ diags(ratio), y, sample_weight=weight)
    return model.coef_[0].astype(np.float64) * ratio, float(model.intercept_[0])


def _log_ratio(
    x: csr_matrix, y: NDArray[np.int8], weight: NDArray[np.float64], smoothing: float
) -> NDArray[np.float32]:
    present = x.copy()
    present.data = np.ones_like(present.data)
    for_it = np.asarray(present.T @ (weight * (y == 1))).ravel() + smoothing
    against = np.asarray(present.T @ (weight * (y == 0))).ravel() + smoothing
    ratio: NDArray[np.float32] = np.log((for_it / for_it.sum()) / (against / against.sum())).astype(np.float32)
    return ratio

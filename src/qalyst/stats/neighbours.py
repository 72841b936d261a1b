"""Structure that a fit misses shows where neighbours are wrong in the same direction."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from qalyst.axes import Float, Int

NEIGHBOURS = 5
_NONE = np.empty(0, np.int64)


@dataclass(frozen=True)
class Pairs:
    """Pairs of neighbouring draws, each pair once.

    Attributes
    ----------
    first, second : [pair] draws
    """

    first: Int
    second: Int

    def of(self, kept: np.ndarray[tuple[int, ...], np.dtype[np.bool_]]) -> Pairs:
        """The pairs whose draws are both `kept` [draw]."""
        both = kept[self.first] & kept[self.second]
        return Pairs(self.first[both], self.second[both])


NO_PAIRS = Pairs(_NONE, _NONE)


def pairs_along(order: Int) -> Pairs:
    """Each draw with the five that follow it, of draws [draw] in order of a parameter."""
    steps = range(1, min(NEIGHBOURS, len(order) - 1) + 1)
    return Pairs(
        np.concatenate([_NONE, *(order[:-step] for step in steps)]),
        np.concatenate([_NONE, *(order[step:] for step in steps)]),
    )


def pairs_among(scores: Float) -> Pairs:
    """Each draw with the five nearest to it in the scores [draw, parameter]."""
    from scipy.spatial import cKDTree

    n, k = len(scores), min(NEIGHBOURS, len(scores) - 1)
    _, near = cKDTree(scores).query(scores, k=range(2, k + 2))
    first, second = np.repeat(np.arange(n), k), near.ravel()
    keys = np.unique(np.minimum(first, second) * n + np.maximum(first, second))
    first, second = keys // n, keys % n
    apart = first != second  # a draw with many equals may be listed beside itself
    return Pairs(first[apart], second[apart])


def covariance(residual: Float, pairs: Pairs) -> tuple[float, float]:
    """Mean product of neighbours' residuals [draw], and its z-score if they were independent.

    The z-score takes the spread of the products as it is, so residuals may vary in size. Without
    structure in the residuals it is near standard normal.

    References
    ----------
    Moran (1950) Biometrika 37:17-23.

    Examples
    --------
    >>> x = np.arange(400)
    >>> covariance(np.sin(x / 20), pairs_along(x))[1] > 10
    True
    """
    products = residual[pairs.first] * residual[pairs.second]
    spread = np.sqrt((products**2).sum())
    if spread == 0:
        return 0.0, 0.0
    return float(products.mean()), float(products.sum() / spread)

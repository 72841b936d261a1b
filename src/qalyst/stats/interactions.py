"""Which pairs of parameters act together: products of their functions, tested on residuals."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from qalyst.axes import Float

TESTED = 3  # functions of each parameter whose products are tested
LEVEL = 0.01  # family-wise, over pairs and results
MOST_PAIRS = 30
FULL, FULL_PAIRS, LESS = 5, 12, 3  # functions a side of a chosen pair; fewer for many pairs


@dataclass(frozen=True)
class Interactions:
    """Pairs that were chosen.

    Attributes
    ----------
    pairs : of positions of parameters, the clearest first.
    p_value : [column] of the clearest pair, times the number of pairs; at most 1.
    """

    pairs: tuple[tuple[int, int], ...]
    p_value: Float


def find_interactions(functions: Sequence[Float], residual: Float) -> Interactions:
    """Pairs of parameters whose products explain what a sum of curves leaves.

    Parameters
    ----------
    functions : of each parameter [draw, function], mean 0, the smoothest first.
    residual : [draw, column]
    """
    n_columns, pairs = residual.shape[1], list(combinations(range(len(functions)), 2))
    if not pairs:
        return Interactions((), np.ones(n_columns))
    p_values = np.array(
        [_p_value(products(functions[j], functions[k], TESTED), residual) for j, k in pairs]
    )
    least = p_values.min(axis=1)
    order = np.argsort(least, kind="stable")[:MOST_PAIRS]
    chosen = [i for i in order if least[i] * len(pairs) * n_columns < LEVEL]
    corrected = np.minimum(1.0, p_values.min(axis=0) * len(pairs))
    return Interactions(tuple(pairs[i] for i in chosen), corrected)


def interaction_block(first: Float, second: Float, n_pairs: int) -> Float:
    """Products [draw, function] of a chosen pair; those of rougher functions are smaller."""
    side = FULL if n_pairs <= FULL_PAIRS else LESS
    order_1 = np.arange(min(side, first.shape[1]))
    order_2 = np.arange(min(side, second.shape[1]))
    weight = 1 / np.sqrt(order_1[:, None] + order_2 + 1.0)
    return products(first, second, side) * weight.ravel()


def products(first: Float, second: Float, side: int) -> Float:
    """All products [draw, function] of the first `side` functions of two parameters."""
    first, second = first[:, :side], second[:, :side]
    return (first[:, :, None] * second[:, None, :]).reshape(len(first), -1)


def _p_value(terms: Float, residual: Float) -> Float:
    """F test [column] that products explain nothing of the residuals."""
    from scipy.special import fdtrc

    n, n_terms = terms.shape
    freedom = n - n_terms - 1
    if freedom < 1:
        return np.ones(residual.shape[1])
    terms = terms - terms.mean(axis=0)
    gram = terms.T @ terms
    gram[np.diag_indices_from(gram)] += 1e-8 * n
    outer = terms.T @ residual
    explained = (outer * np.linalg.solve(gram, outer)).sum(axis=0)
    total = (residual**2).sum(axis=0)
    left = np.maximum(total - explained, np.finfo(float).tiny)
    return np.asarray(fdtrc(n_terms, freedom, (explained / n_terms) / (left / freedom)))

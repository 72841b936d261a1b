"""Linear regression on blocks of functions, each block shrunk by a variance of its own."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from qalyst.axes import Float, Int

ROUNDS = 30
SETTLED = 0.03  # change of the logarithm of a variance
ABSENT = 0.05  # effective degrees of freedom below which a block no longer decides
MOST_LEVERAGE = 0.99
SMALLEST = 1e-10  # residual variance, of the total: results without noise


@dataclass(frozen=True)
class Blocks:
    """Functions of draws in blocks that share a variance.

    Attributes
    ----------
    columns : [draw, function], scaled so that functions of one block are alike a priori.
    block : [function] number of its block.
    """

    columns: Float
    block: Int

    def with_block(self, columns: Float) -> Blocks:
        """These and one block more."""
        number = np.full(columns.shape[1], self.block.max() + 1)
        return Blocks(np.hstack([self.columns, columns]), np.r_[self.block, number])


def fit_blocks(blocks: Blocks, y: Float) -> tuple[Float, Float]:
    """Fit and leave-one-out fit [draw, column] of results [draw, column].

    Coefficients of block b are normal with variance tau_b; the variances are those of largest
    restricted likelihood for each result, found by fixed-point steps.

    References
    ----------
    Harville (1977) J Am Stat Assoc 72:320-338; MacKay (1992) Neural Comput 4:415-447.
    """
    mean = y.mean(axis=0)
    centred, functions = y - mean, blocks.columns - blocks.columns.mean(axis=0)
    gram, products = functions.T @ functions, functions.T @ centred
    fit, leverage = np.zeros_like(y), np.full(y.shape, 1 / len(y))
    for column in range(y.shape[1]):
        total = float(centred[:, column] @ centred[:, column])
        if total > 0:
            weights, inverse = _shrunk(gram, products[:, column], total, len(y), blocks.block)
            fit[:, column] = functions @ weights
            leverage[:, column] += np.einsum("ij,ij->i", functions @ inverse, functions)
    leverage = np.minimum(leverage, MOST_LEVERAGE)
    return fit + mean, (fit - leverage * centred) / (1 - leverage) + mean


def _shrunk(gram: Float, products: Float, total: float, n: int, block: Int) -> tuple[Float, Float]:
    """Coefficients [function], and the inverse [function, function] that gives leverages."""
    n_blocks = int(block.max()) + 1
    noise = total / n / 2
    variance = np.full(n_blocks, noise / n_blocks / np.sqrt(max(1.0, len(block) / n_blocks)))
    for _ in range(ROUNDS):
        ratio = noise / variance[block]
        inverse = _inverse(gram + np.diag(ratio + 1e-9 * n))
        coefficients = inverse @ products
        free = 1 - ratio * np.diag(inverse)  # effective degrees of freedom of each function
        freedom = np.bincount(block, free, n_blocks)
        squares = np.bincount(block, coefficients**2, n_blocks)
        residual = total - 2 * coefficients @ products + coefficients @ gram @ coefficients
        noise = max(residual / max(n - 1 - free.sum(), 1.0), SMALLEST * total / n)
        updated = np.maximum(squares / np.maximum(freedom, 1e-6), 1e-12 * total / n)
        present = freedom > ABSENT
        change = np.abs(np.log(updated / variance))[present].max(initial=0.0)
        variance = updated
        if change < SETTLED:
            break
    return coefficients, inverse


def _inverse(matrix: Float) -> Float:
    """Inverse of a positive definite matrix."""
    from scipy.linalg import lapack

    lower, failed = lapack.dpotrf(matrix, lower=1)
    inverse, failed_too = lapack.dpotri(lower, lower=1)
    assert failed == failed_too == 0  # the diagonal has a ridge
    found: Any = np.tril(inverse)
    return np.asarray(found + np.tril(inverse, -1).T)

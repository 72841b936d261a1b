"""Numbers drawn together: a joint normal, and a Gaussian copula over any families."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import numpy as np

from qalyst.axes import Float
from qalyst.stats.scalar_families import ImpossibleMoments

SMALLEST_UNIFORM, GREATEST_UNIFORM = 2.0**-54, 1 - 2.0**-53


def joint_normal(
    values: Float, covariance: Float, u: Float, *, names: Sequence[str] | None = None
) -> Float:
    """Draws of a joint normal, [name, draw].

    Parameters
    ----------
    values : [name], means.
    covariance : [name, name], symmetric and positive definite.
    u : [name, draw], addressed uniforms.
    names : [name], to word errors.

    References
    ----------
    Cholesky's method: Briggs, Claxton & Sculpher (2006), section 4.4.3.
    """
    from scipy import special

    factor = cholesky(covariance, names=names)
    return np.asarray(values)[:, None] + combined(factor, special.ndtri(u))


def gaussian_copula(u: Float, correlation: Float, *, names: Sequence[str] | None = None) -> Float:
    """Correlated uniforms, [name, draw], each still uniform by itself.

    Parameters
    ----------
    u : [name, draw], addressed uniforms.
    correlation : [name, name], of the normal scores; ones on its diagonal, positive definite.
    names : [name], to word errors.

    References
    ----------
    Nelsen (2006) An Introduction to Copulas, section 2.3.
    """
    from scipy import special

    correlation = np.asarray(correlation, np.float64)
    if not np.allclose(np.diagonal(correlation), 1, rtol=0, atol=1e-12):
        raise ImpossibleMoments("a correlation of a number with itself is not 1")
    scores = combined(cholesky(correlation, names=names), special.ndtri(u))
    uniform = np.asarray(special.ndtr(scores), np.float64)
    return np.clip(uniform, SMALLEST_UNIFORM, GREATEST_UNIFORM)


def cholesky(covariance: Float, *, names: Sequence[str] | None = None) -> Float:
    """Lower triangular L [name, name] with ``L L' = covariance``.

    Parameters
    ----------
    covariance : [name, name]; a matrix that is not symmetric positive definite is refused.
    names : [name], to word errors.
    """
    matrix = np.asarray(covariance, np.float64)
    if matrix.ndim != 2 or matrix.shape[0] != matrix.shape[1]:
        raise ImpossibleMoments("a covariance has as many rows as columns, one for each name")
    labels = [str(row + 1) for row in range(len(matrix))] if names is None else list(names)
    _check_pairs(matrix, labels)
    try:
        return np.asarray(np.linalg.cholesky(matrix), np.float64)
    except np.linalg.LinAlgError:
        raise ImpossibleMoments(
            f"the covariance of {', '.join(labels)} is not positive definite: "
            "each pair is possible, but not all of them together"
        ) from None


def _check_pairs(matrix: Float, labels: Sequence[str]) -> None:
    """Refuse what a single entry or pair of entries shows to be wrong."""
    variances = np.diagonal(matrix)
    if not np.isfinite(matrix).all():
        raise ImpossibleMoments("a covariance holds a number that is not finite")
    for label, variance in zip(labels, variances, strict=True):
        if variance <= 0:
            raise ImpossibleMoments(f"the variance of {label} is {variance:g}; it must be above 0")
    size = np.sqrt(np.outer(variances, variances))
    for column, row in itertools.combinations(range(len(matrix)), 2):
        pair = f"{labels[column]} and {labels[row]}"
        one, other = matrix[row, column], matrix[column, row]
        if abs(one - other) > 1e-9 * size[row, column]:
            raise ImpossibleMoments(f"the covariance of {pair} is {one:g} once and {other:g} once")
        if abs(one) >= size[row, column]:
            raise ImpossibleMoments(
                f"the covariance of {pair} is {one:g}, "
                f"a correlation of {one / size[row, column]:.3g}"
            )


def combined(factor: Float, scores: Float) -> Float:
    """``factor @ scores``, [name, draw], in one order of adding: that of BLAS depends on chunks."""
    total = np.zeros(np.shape(scores))
    for column, score in enumerate(scores):
        total += factor[:, column, None] * score
    return total

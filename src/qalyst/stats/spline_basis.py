"""Functions of a parameter that a smooth curve is made of: orthonormal, the smoothest first."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from qalyst.axes import Float, Int

INTERVALS = 30  # between knots at equally spaced ranks
DRAWS_PER_INTERVAL, VALUES_PER_INTERVAL = 4, 2  # at least: short samples get fewer intervals
MOST_LEVELS = 20  # distinct values of a parameter that is taken level by level
TESTED = 6  # functions in the test of no dependence


@dataclass(frozen=True)
class Basis:
    """Functions on the distinct values of a parameter, in ascending order of the values.

    Over the draws the functions are orthonormal and have mean 0; the constant is not among them.

    Attributes
    ----------
    scores : [value] normal scores, mean 0 over the draws.
    columns : [value, function] polynomial-like: the first is linear in the score (level by level
        the next ones are its powers), the others bend more and more.
    squared : [value, function] `columns` squared.
    roughness : [function] integral of the squared second derivative; 0 of what is not penalised.
    tested : how many of the first functions a test of no dependence looks at.
    """

    scores: Float
    columns: Float
    squared: Float
    roughness: Float
    tested: int


@dataclass(frozen=True)
class Placed:
    """A parameter's draws on a basis.

    Attributes
    ----------
    basis : functions on the distinct values.
    row : [draw] which distinct value a draw has.
    order : [draw] draws in ascending order; tied ones as they come.
    """

    basis: Basis
    row: Int
    order: Int

    def totals(self, y: Float) -> Float:
        """Sum of `y` [draw, column] over the draws of each distinct value: [value, column]."""
        n_values = len(self.basis.scores)
        if n_values == len(y):
            return np.asarray(y[self.order])
        return np.stack([np.bincount(self.row, each, n_values) for each in y.T], axis=1)


def placed(x: Float) -> Placed | None:
    """The draws of a parameter on the basis they share with others; None if they are constant.

    A parameter counts by its ranks alone. Draws without ties have normal scores
    ``Phi^-1((rank - 1/2) / n)`` and share one basis per number of draws. Tied draws have the
    score of their middle rank and a basis of their own; up to 20 distinct values are levels.

    Parameters
    ----------
    x : [draw], finite.

    Examples
    --------
    >>> placed(np.array([3.0, 3.0])) is None
    True
    >>> placed(np.array([1.0, 0.0, 1.0, 0.0])).basis.columns.round(9).tolist()
    [[-0.5], [0.5]]
    """
    order = np.argsort(x, kind="stable")
    ascending = x[order]
    starts = np.flatnonzero(np.r_[True, ascending[1:] != ascending[:-1]])
    n, n_values = len(x), len(starts)
    if n_values == 1:
        return None
    row = np.empty(n, np.int64)
    if n_values == n and n > MOST_LEVELS:
        row[order] = np.arange(n)
        return Placed(_shared(n), row, order)
    counts = np.diff(np.r_[starts, n])
    row[order] = np.repeat(np.arange(n_values), counts)
    scores = _scores(starts + counts / 2, n)
    build = _levels if n_values <= MOST_LEVELS else _cubic
    return Placed(build(scores, counts), row, order)


def normal_scores(x: Float) -> Float:
    """Normal scores [draw] of draws [draw]; tied ones have that of their middle rank."""
    on = placed(x)
    return np.zeros(len(x)) if on is None else on.basis.scores[on.row]


def _scores(rank: NDArray[Any], n: int) -> Float:
    from scipy.special import ndtri

    return np.asarray(ndtri(rank / n), np.float64)


@lru_cache(maxsize=4)
def _shared(n: int) -> Basis:
    return _cubic(_scores(np.arange(n) + 0.5, n), np.ones(n, np.int64))


def _cubic(scores: Float, counts: Int) -> Basis:
    """Cubic splines with knots at equally spaced ranks, turned so that the penalty is diagonal.

    References
    ----------
    Demmler & Reinsch (1975) Numer Math 24:375-382; Eilers & Marx (1996) Stat Sci 11:89-121.
    """
    from scipy.interpolate import BSpline

    n = int(counts.sum())
    intervals = min(INTERVALS, n // DRAWS_PER_INTERVAL, len(scores) // VALUES_PER_INTERVAL)
    # by rank: knots that are equally spaced in the score would miss waves in the centre
    steps = np.r_[0.5, np.arange(1, intervals), intervals - 0.5]  # tails are wide: two pieces
    inner = np.unique(np.quantile(np.repeat(scores, counts), steps / intervals))
    inner = inner[(inner > scores[0]) & (inner < scores[-1])]
    knots = np.r_[[scores[0]] * 4, inner, [scores[-1]] * 4]
    splines: Any = BSpline.design_matrix(scores, knots, 3).tocsr()
    gram = (splines.T @ splines.multiply(counts[:, None])).toarray()
    seen, unseen = _directions(gram)
    penalty = _penalty(knots)
    across = seen.T @ penalty @ unseen
    # what the draws do not see bends as little as it can
    least = across @ np.linalg.pinv(unseen.T @ penalty @ unseen, hermitian=True) @ across.T
    turned = seen.T @ penalty @ seen - least
    roughness, vectors = np.linalg.eigh((turned + turned.T) / 2)
    columns = splines @ (seen @ vectors)
    centred = scores - counts @ scores / n
    # the two smoothest span the constant and the straight line, in some rotation
    columns[:, 1] = centred / np.sqrt(counts @ centred**2)
    columns, roughness = columns[:, 1:], np.r_[0.0, roughness[2:]]
    return Basis(centred, columns, columns**2, roughness, min(TESTED, len(roughness)))


def _directions(gram: Float) -> tuple[Float, Float]:
    """Combinations of functions that are orthonormal over the draws, and those that are nothing."""
    norms, vectors = np.linalg.eigh(gram)
    some = norms > 1e-10 * norms[-1]
    return vectors[:, some] / np.sqrt(norms[some]), vectors[:, ~some]


def _penalty(knots: Float) -> Float:
    """Integral of products of second derivatives [spline, spline]; two points are exact."""
    from scipy.interpolate import BSpline

    edges = np.unique(knots)
    middle, half = (edges[1:] + edges[:-1]) / 2, np.diff(edges) / 2
    points = np.concatenate([middle - half / np.sqrt(3), middle + half / np.sqrt(3)])
    bends = BSpline(knots, np.eye(len(knots) - 4), 3).derivative(2)(points)
    return np.asarray(bends.T @ (bends * np.tile(half, 2)[:, None]))


def _levels(scores: Float, counts: Int) -> Basis:
    """All functions of a few levels: orthogonal polynomials of the score, not penalised."""
    n = int(counts.sum())
    centred = scores - counts @ scores / n
    across = 2 * (scores - scores[0]) / (scores[-1] - scores[0]) - 1
    weight = np.sqrt(counts)[:, None]
    powers = np.polynomial.legendre.legvander(across, len(scores) - 1)
    orthogonal, upper = np.linalg.qr(weight * powers)
    columns = (orthogonal * np.sign(np.diag(upper)) / weight)[:, 1:]
    return Basis(centred, columns, columns**2, np.zeros(len(scores) - 1), len(scores) - 1)

"""A smooth surface through draws: the mean of a result given several parameters."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from qalyst.axes import Float, Int
from qalyst.stats.blocks import Blocks, fit_blocks
from qalyst.stats.gaussian_process import process_block
from qalyst.stats.interactions import find_interactions, interaction_block
from qalyst.stats.neighbours import Pairs, covariance, pairs_along, pairs_among
from qalyst.stats.spline_basis import Basis, placed
from qalyst.stats.splines import smooth

# Functions of a parameter in a group of up to so many.
_SIZES = ((3, 24), (10, 12), (np.inf, 8))
_LINEAR = 0.1  # roughness of the straight line, of the first function that bends
ALIKE = 1 - 1e-9  # correlation of scores from which two parameters say the same
SEARCHED = 4_000  # draws among which neighbours are sought in more than `PLAIN` dimensions
PLAIN = 4
MISSED = 3.0  # z-score of neighbours' residuals from which a Gaussian process is added
NEGLIGIBLE = 1e-4  # covariance of neighbours' residuals, of the variance, that changes no decision
LEARNED, CENTRES = 500, 200


@dataclass(frozen=True)
class Surface:
    """The mean of results given several parameters, fitted to draws.

    Attributes
    ----------
    fit : [draw, column] fitted mean.
    left_out : [draw, column] what the fit would be without that draw.
    pairs : neighbouring draws, for the search for structure that is still missed.
    p_value : [column] that parameters do not act together, corrected for the number of pairs;
        each parameter's own effect is not tested here.
    """

    fit: Float
    left_out: Float
    pairs: Pairs
    p_value: Float


def smooth_surface(x: Float, y: Float) -> Surface:
    """Sum of curves, of products that a test asks for, and of a Gaussian process if still needed.

    Parameters that are constant, or the same as an earlier one by rank, are left out. The result
    does not depend on the order of the draws.

    Parameters
    ----------
    x : [draw, parameter], finite; at least one that is not constant
    y : [draw, column] results, finite

    References
    ----------
    Wood (2017) Generalized Additive Models, 2nd ed., CRC Press; Strong, Oakley & Brennan (2014)
    Med Decis Making 34:311-326.
    """
    bases, scores, kept = _distinct(x)
    if len(kept) == 1:
        curve = smooth(x[:, kept[0]], y)
        return Surface(curve.fit, curve.left_out, pairs_along(curve.order), np.ones(y.shape[1]))
    size = next(size for most, size in _SIZES if len(kept) <= most)
    functions = [on[:, :size] for on, _ in bases]
    blocks = _curves(functions, [roughness[:size] for _, roughness in bases])
    fit, left_out = fit_blocks(blocks, y)
    found = find_interactions(functions, y - fit)
    if found.pairs:
        for j, k in found.pairs:
            blocks = blocks.with_block(
                interaction_block(functions[j], functions[k], len(found.pairs))
            )
        fit, left_out = fit_blocks(blocks, y)
    draws = _scattered(scores)
    pairs, p_value = _neighbours(scores, draws), found.p_value.copy()
    for column in np.flatnonzero(_misses(y, fit, pairs)):
        one = slice(column, column + 1)
        extra = process_block(
            scores,
            y[:, column] - fit[:, column],
            learned=draws[:LEARNED],
            centres=draws[-CENTRES:],
        )
        fit[:, one], left_out[:, one] = fit_blocks(blocks.with_block(extra), y[:, one])
        p_value[column] = 0.0
    return Surface(fit, left_out, pairs, p_value)


def _distinct(x: Float) -> tuple[list[tuple[Float, Float]], Float, list[int]]:
    """Functions [draw, function] and roughness, scores [draw, parameter], and who is kept."""
    bases: list[tuple[Float, Float]] = []
    scores: list[Float] = []
    kept: list[int] = []
    for j, column in enumerate(x.T):
        on = placed(column)
        if on is None:
            continue
        score = on.basis.scores[on.row]
        unit = score / np.sqrt(score @ score)
        if any(abs(unit @ other) / np.sqrt(other @ other) > ALIKE for other in scores):
            continue
        bases.append((on.basis.columns[on.row] * np.sqrt(len(x)), _roughness(on.basis)))
        scores.append(score)
        kept.append(j)
    return bases, np.column_stack(scores), kept


def _roughness(basis: Basis) -> Float:
    """Roughness [function], above 0 for all."""
    bends = basis.roughness > 0
    if not bends.any():  # levels: powers of the score
        return np.arange(1.0, len(bends) + 1) ** 2
    return np.where(bends, basis.roughness, _LINEAR * basis.roughness[bends].min())


def _curves(functions: list[Float], roughness: list[Float]) -> Blocks:
    scaled = [
        on * (rough / rough[0]) ** -0.25 for on, rough in zip(functions, roughness, strict=True)
    ]
    block = np.repeat(np.arange(len(scaled)), [on.shape[1] for on in scaled])
    return Blocks(np.hstack(scaled), block)


def _scattered(scores: Float) -> Int:
    """Draws in a random order that depends on their scores, not on where they stand."""
    order = np.lexsort(scores.T)
    return order[np.random.default_rng(0).permutation(len(order))]


def _neighbours(scores: Float, draws: Int) -> Pairs:
    if scores.shape[1] <= PLAIN or len(draws) <= SEARCHED:
        return pairs_among(scores)
    some = draws[:SEARCHED]
    pairs = pairs_among(scores[some])
    return Pairs(some[pairs.first], some[pairs.second])


def _misses(y: Float, fit: Float, pairs: Pairs) -> list[bool]:
    """Whether neighbours' residuals show structure that matters, for each result."""
    found = [covariance(each, pairs) for each in (y - fit).T]
    least = NEGLIGIBLE * y.var(axis=0)
    return [z > MISSED and size > small for (size, z), small in zip(found, least, strict=True)]

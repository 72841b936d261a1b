"""What it gains to decide on a fitted mean of net benefit, and how sure that is."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from qalyst.axes import Float, Int
from qalyst.stats.neighbours import Pairs, covariance

Z = 1.96  # of a 95 % interval
NEAR = 0.25  # standard deviations of the fitted difference that count as near the boundary
CLEAR = 2.0  # z-score from which structure near the boundary is believed
CAP = 0.5  # most that E max(0, e) can be if E e = 0, in standard deviations of e
TIE_PAIRS = 256


@dataclass(frozen=True)
class Gain:
    """What it gains to decide on a fitted mean rather than on the overall mean.

    Attributes
    ----------
    value : mean over draws of the best fitted net benefit, less the best mean.
    left_out : gain of the policy that decides in each draw by the fit without that draw, scored
        by that draw's own net benefit: honest, so rather low.
    se : Monte Carlo standard error.
    tie : how much the maximum of the sample means may lie above that of the true ones; it is what
        the value may lack if strategies are nearly equal.
    bound : what the value may lack because the fit misses structure near the decision boundary;
        0 if none shows.
    gains : [draw] of the policy of `left_out`.
    """

    value: float
    left_out: float
    se: float
    tie: float
    bound: float
    gains: Float

    def upper(self, *, with_bound: bool = True) -> float:
        """Upper end of the 95 % interval."""
        return self.value + Z * self.se + self.tie + (self.bound if with_bound else 0.0)


def informed_gain(benefit: Float, fit: Float, left_out: Float, pairs: Pairs, tie: float) -> Gain:
    """Gain of deciding on `fit`.

    Parameters
    ----------
    benefit : [draw, strategy] net benefit less that of the strategy with the best mean.
    fit : [draw, strategy] its fitted mean.
    left_out : [draw, strategy] its fitted mean without the draw itself.
    pairs : neighbouring draws, to look for structure that the fit misses.
    tie : `tie_bias` of `benefit`.

    References
    ----------
    Strong, Oakley & Brennan (2014) Med Decis Making 34:311-326; Luedtke & van der Laan (2016)
    Ann Stat 44:713-742 (error of the value of a fitted policy).
    """
    n = len(benefit)
    gains = benefit[np.arange(n), left_out.argmax(axis=1)]
    return Gain(
        value=float(fit.max(axis=1).mean() - max(fit.mean(axis=0))),
        left_out=float(gains.mean()),
        se=float(gains.std() / np.sqrt(n)),
        tie=tie,
        bound=_missed(benefit, fit, pairs),
        gains=gains,
    )


def tie_bias(benefit: Float) -> float:
    """How far the maximum of the sample means is expected above the maximum of the true ones.

    As if the sample means were the true ones; by 512 antithetic normal vectors, always the same.

    Parameters
    ----------
    benefit : [draw, strategy] net benefit less that of the strategy with the best mean.
    """
    n, n_strategies = benefit.shape
    if n_strategies == 1:
        return 0.0
    variance, directions = np.linalg.eigh(np.atleast_2d(np.cov(benefit, rowvar=False)) / n)
    half = directions * np.sqrt(np.maximum(variance, 0))
    normals = np.random.default_rng(0).standard_normal((TIE_PAIRS, n_strategies)) @ half.T
    means = benefit.mean(axis=0)
    highest = np.concatenate([means + normals, means - normals]).max(axis=1)
    return float(max(0.0, highest.mean() - means.max()))


def _missed(benefit: Float, fit: Float, pairs: Pairs) -> float:
    """What structure near the decision boundary adds if the fit misses it.

    With missed structure e of variance v, and density p of the fitted difference of the best two
    strategies at 0, E max(0, g + e) - E max(0, g) is near v p / 2, at most half the root of v.
    v is the covariance of the residuals of neighbours.
    """
    if fit.shape[1] == 1 or not len(pairs.first):
        return 0.0
    best_two, margin, residual = _best_two(benefit, fit)
    reach = NEAR * margin.std()
    near = np.abs(margin) < reach
    local = pairs.of(near)
    same = best_two[local.first] == best_two[local.second]
    found, z = covariance(residual, Pairs(local.first[same], local.second[same]))
    if z <= CLEAR:
        return 0.0
    density = near.mean() / (2 * reach)
    return float(min(found * density / 2, CAP * np.sqrt(found)))


def _best_two(benefit: Float, fit: Float) -> tuple[Int, Float, Float]:
    """Which two strategies are best [draw], their fitted difference and its residual [draw]."""
    n_strategies = fit.shape[1]
    rows = np.arange(len(fit))
    top = np.sort(np.argpartition(fit, n_strategies - 2, axis=1)[:, -2:], axis=1)
    low, high = top.T
    margin = fit[rows, high] - fit[rows, low]
    return low * n_strategies + high, margin, benefit[rows, high] - benefit[rows, low] - margin

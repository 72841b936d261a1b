"""The logarithm of survival of each family, as an array function of time and parameters.

Every function takes t >= 0 in years and broadcasts over it and the scalar parameters; a vector
parameter has its own axis first. The value at t = 0 is 0. Checks: `qalyst.stats.survival.check`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias

import numpy as np

from qalyst.axes import Float
from qalyst.stats.incomplete import log_beta_share, log_lower_gamma, log_upper_gamma

Numbers: TypeAlias = Float | float
Vector: TypeAlias = Float | Sequence[Numbers]

# Nearer to 0 than this, the rounding of exp(Q w) costs more than the step to the lognormal.
LOGNORMAL_Q = 1e-8


def exponential(t: Numbers, *, rate: Numbers) -> Float:
    """Log survival ``-rate t``."""
    return -np.multiply(rate, t)


@np.errstate(over="ignore")
def weibull(t: Numbers, *, shape: Numbers, scale: Numbers) -> Float:
    """Log survival ``-(t / scale)^shape``."""
    return -np.power(np.divide(t, scale), shape)


@np.errstate(over="ignore")
def gompertz(t: Numbers, *, shape: Numbers, rate: Numbers) -> Float:
    """Log survival ``-(rate / shape) (exp(shape t) - 1)``; a negative shape leaves survivors."""
    level = np.equal(shape, 0)
    growth = np.where(level, 1.0, shape)
    return -np.multiply(rate, np.where(level, t, np.expm1(np.multiply(growth, t)) / growth))


def lognormal(t: Numbers, *, meanlog: Numbers, sdlog: Numbers) -> Float:
    """Log survival ``log Phi(-(log t - meanlog) / sdlog)``."""
    from scipy import special

    return np.asarray(special.log_ndtr((meanlog - _log(t)) / sdlog))


def loglogistic(t: Numbers, *, shape: Numbers, scale: Numbers) -> Float:
    """Log survival ``-log(1 + (t / scale)^shape)``."""
    return -np.logaddexp(0.0, shape * (_log(t) - np.log(scale)))


def gamma(t: Numbers, *, shape: Numbers, rate: Numbers) -> Float:
    """Log survival ``log Q(shape, rate t)``, the regularised upper incomplete gamma function."""
    return log_upper_gamma(np.asarray(shape, np.float64), np.multiply(rate, t))


@np.errstate(over="ignore")
def gengamma(t: Numbers, *, mu: Numbers, sigma: Numbers, Q: Numbers) -> Float:
    """Log survival of the generalised gamma; Q = 0 is lognormal, Q = 1 Weibull, Q = sigma gamma.

    References
    ----------
    Prentice (1974) Biometrika 61:539-544, in the form of Jackson (2016) J Stat Softw 70(8).
    """
    normal = np.abs(Q) < LOGNORMAL_Q
    bent = np.where(normal, 1.0, Q)
    shape = bent**-2.0
    log_ratio = bent * (_log(t) - mu) / sigma
    # Each function is 0 where it is given the end at which survival is 1: the other one's cells.
    upper = log_upper_gamma(shape, shape * np.exp(np.where(bent > 0, log_ratio, -np.inf)))
    lower = log_lower_gamma(shape, np.where(bent > 0, np.inf, log_ratio))
    return np.where(normal, lognormal(t, meanlog=mu, sdlog=sigma), upper + lower)


def genf(t: Numbers, *, mu: Numbers, sigma: Numbers, Q: Numbers, P: Numbers) -> Float:
    """Log survival of the generalised F: ``log t = mu + sigma log(F) / delta``.

    F has 2 s1 and 2 s2 degrees of freedom; ``delta^2 = Q^2 + 2 P``,
    ``s1 = 2 / (delta (delta + Q))``, ``s2 = 2 / (delta (delta - Q))``.
    Q = 0, P = 1 is log-logistic; P towards 0 is the generalised gamma.

    References
    ----------
    Prentice (1975) Biometrika 62:607-614, in the form of Jackson (2016) J Stat Softw 70(8).
    """
    delta = np.sqrt(np.square(Q) + np.multiply(2, P))
    # (delta - Q)(delta + Q) = 2 P: the smaller factor is had from the larger, not by subtraction.
    larger = delta + np.abs(Q)
    few, many = 2 / (delta * larger), larger / (delta * P)
    s1, s2 = np.where(np.greater(Q, 0), few, many), np.where(np.greater(Q, 0), many, few)
    log_odds = np.log(s1 / s2) + delta * (_log(t) - mu) / sigma
    return log_beta_share(s2, s1, log_odds)


def spline(t: Numbers, *, gammas: Vector, knots: Vector, scale: str) -> Float:
    """Log survival of a natural cubic spline in log time.

    Parameters
    ----------
    t : years.
    gammas : [coefficient, ...], intercept and slope, then one for each inner knot.
    knots : [knot], log years, boundaries included.
    scale : what the spline is: `hazard` log cumulative hazard, `odds` log cumulative odds,
        `normal` minus the normal quantile of survival.

    References
    ----------
    Royston & Parmar (2002) Stat Med 21:2175-2197.
    """
    from scipy import special

    eta = _spline_predictor(_log(t), gammas, knots)
    if scale == "hazard":
        with np.errstate(over="ignore"):
            return -np.exp(eta)
    if scale == "odds":
        return -np.logaddexp(0.0, eta)
    return np.asarray(special.log_ndtr(-eta))


def piecewise(t: Numbers, *, starts: Vector, hazards: Vector) -> Float:
    """Log survival under constant hazards.

    Parameters
    ----------
    t : years.
    starts : [interval], years; the first is 0, and the last interval never ends.
    hazards : [interval, ...], 1/year.
    """
    total: Float = np.asarray(0.0)
    ends = [*starts[1:], np.inf]
    for start, end, hazard in zip(starts, ends, hazards, strict=True):
        exposure = np.clip(t, start, end) - start
        total = total - np.multiply(hazard, np.where(np.equal(hazard, 0), 0.0, exposure))
    return total


def points(t: Numbers, *, times: Vector, survival: Vector) -> Float:
    """Log survival, linear between stated points; the hazard of the last interval is held for ever.

    Parameters
    ----------
    t : years.
    times : [point], years, increasing; survival 1 at time 0 is understood if not stated.
    survival : [point, ...].
    """
    stated = np.log(np.asarray(survival, np.float64))
    years = np.asarray(times, np.float64)
    if years[0] > 0:
        years = np.concatenate([[0.0], years])
        stated = np.concatenate([np.zeros_like(stated[:1]), stated])
    lengths = np.diff(years).reshape(-1, *(1,) * (stated.ndim - 1))
    return piecewise(t, starts=years[:-1], hazards=-np.diff(stated, axis=0) / lengths)


def spline_slope(x: Numbers, gammas: Vector, knots: Vector) -> Float:
    """Slope of the spline in log time at x (log years) between its boundary knots."""
    slope = np.asarray(gammas[1], np.float64)
    for coefficient, knot, weight in _inner_knots(gammas, knots):
        bend = np.square(_above(x, knot)) - weight * np.square(_above(x, knots[0]))
        slope = slope + 3 * coefficient * bend
    return slope


def least_spline_slope(gammas: Vector, knots: Vector) -> Float:
    """Least slope of the spline in log time anywhere; below 0 the survival rises.

    The slope is a parabola between knots and constant outside, so its least value is at a knot or
    where its own slope crosses zero.
    """
    bends = [_spline_bend(knot, gammas, knots) for knot in knots]
    candidates = [spline_slope(knot, gammas, knots) for knot in knots]
    for left, right, low, high in zip(knots, knots[1:], bends, bends[1:], strict=False):
        turns = np.multiply(low, high) < 0
        share = np.where(turns, low / np.where(turns, low - high, 1.0), 0.0)
        candidates.append(spline_slope(left + share * (right - left), gammas, knots))
    return np.asarray(np.min(np.broadcast_arrays(*candidates), axis=0), np.float64)


def _spline_predictor(x: Float, gammas: Vector, knots: Vector) -> Float:
    """Value of the spline at x (log years): cubic between the boundary knots, straight outside."""
    inside = np.clip(x, knots[0], knots[-1])
    value = gammas[0] + np.multiply(gammas[1], inside)
    for coefficient, knot, weight in _inner_knots(gammas, knots):
        cubic = _above(inside, knot) ** 3 - weight * _above(inside, knots[0]) ** 3
        value = value + coefficient * cubic
    outside = x - inside
    slope = spline_slope(inside, gammas, knots)
    return value + slope * np.where(slope == 0, 0.0, outside)


def _spline_bend(x: Numbers, gammas: Vector, knots: Vector) -> Float:
    """Sixth of the second derivative of the spline at x (log years) between its boundary knots."""
    bend: Float = np.asarray(0.0)
    for coefficient, knot, weight in _inner_knots(gammas, knots):
        bend = bend + coefficient * (_above(x, knot) - weight * _above(x, knots[0]))
    return bend


def _inner_knots(gammas: Vector, knots: Vector) -> list[tuple[Numbers, Numbers, Numbers]]:
    """Coefficient, place and weight (lambda of Royston & Parmar) of each inner knot."""
    span = knots[-1] - knots[0]
    inner = zip(gammas[2:], knots[1:-1], strict=True)
    return [(coefficient, knot, (knots[-1] - knot) / span) for coefficient, knot in inner]


def _above(x: Numbers, knot: Numbers) -> Float:
    """How far x is above the knot; 0 below it."""
    return np.maximum(np.subtract(x, knot), 0.0)


def _log(t: Numbers) -> Float:
    """Log of time, minus infinity at 0."""
    with np.errstate(divide="ignore"):
        return np.log(t)

"""A smooth curve through draws: the mean of a result given one parameter."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from qalyst.axes import Float, Int
from qalyst.stats.spline_basis import Placed, placed

# Smoothing on a logarithmic grid about the middle roughness: from a straight line to no penalty.
_GRID = np.exp(np.linspace(-14.0, 14.0, 57))


@dataclass(frozen=True)
class Smooth:
    """The mean of results given a parameter, fitted to draws.

    Attributes
    ----------
    fit : [draw, column] fitted mean.
    leverage : [draw, column] weight of a draw's own result in its fit.
    left_out : [draw, column] what the fit would be without that draw.
    freedom : [column] effective degrees of freedom, the constant's among them.
    p_value : [column] of the F test that the mean does not depend on the parameter.
    order : [draw] draws in ascending order of the parameter.
    """

    fit: Float
    leverage: Float
    left_out: Float
    freedom: Float
    p_value: Float
    order: Int


def smooth(x: Float, y: Float) -> Smooth:
    """Penalised cubic spline in the normal score of `x`, smoothed by restricted likelihood.

    Each column has a smoothing of its own. Tied draws have one fitted value; a parameter of at
    most 20 distinct values has the mean of each, a constant one the mean of all.

    Parameters
    ----------
    x : [draw] parameter, finite
    y : [draw, column] results, finite

    References
    ----------
    Wood (2011) J R Stat Soc B 73:3-36; Strong, Oakley & Brennan (2014) Med Decis Making
    34:311-326.

    Examples
    --------
    >>> x = np.arange(100.0)
    >>> curve = smooth(x, np.column_stack([np.exp(x), np.ones(100)]))
    >>> curve.fit.shape, curve.fit[:, 1].tolist() == [1.0] * 100
    ((100, 2), True)
    """
    on = placed(x)
    n, mean = len(y), y.mean(axis=0)
    centred = y - mean
    if on is None:
        return _flat(y, centred, mean)
    total = (centred**2).sum(axis=0)
    coordinates = on.basis.columns.T @ on.totals(centred)
    kept = shrinkage(coordinates, on.basis.roughness, total, n)
    fit = (on.basis.columns @ (kept * coordinates))[on.row]
    leverage = (on.basis.squared @ kept + 1 / n)[on.row]
    return Smooth(
        fit=fit + mean,
        leverage=leverage,
        left_out=leave_one_out(centred, fit, leverage) + mean,
        freedom=kept.sum(axis=0) + 1,
        p_value=_no_dependence(coordinates, total, on, n),
        order=on.order,
    )


def shrinkage(coordinates: Float, roughness: Float, total: Float, n: int) -> Float:
    """How much of each coordinate is kept, ``1 / (1 + lambda s)``, by restricted likelihood.

    Parameters
    ----------
    coordinates : [function, column] of the centred results
    roughness : [function]
    total : [column] sums of squares of the centred results
    n : draws

    Returns
    -------
    kept : [function, column], between 0 and 1
    """
    bends = roughness > 0
    if not bends.any():
        return np.ones_like(coordinates)
    penalty = _GRID[:, None] * (roughness / np.median(roughness[bends]))
    kept = 1 / (1 + penalty)  # [lambda, function]
    squares = coordinates**2
    residual = total - squares.sum(axis=0)
    lost = (1 - kept[:, bends]) @ squares[bends] + residual  # [lambda, column]
    lost = np.maximum(lost, 1e-14 * total + np.finfo(float).tiny)
    freedom = n - 1 - (~bends).sum()
    criterion = freedom * np.log(lost) - np.log(1 - kept[:, bends]).sum(axis=1)[:, None]
    return np.asarray(kept[criterion.argmin(axis=0)].T)


def leave_one_out(centred: Float, fit: Float, leverage: Float) -> Float:
    """The fit [draw, column] of centred results without the draw itself, ``(f - h y) / (1 - h)``.

    A draw that alone has its level has the mean of the other draws.
    """
    n = len(centred)
    alone = leverage > 1 - 1e-9
    rest = 1 - np.where(alone, 0.0, leverage)
    return np.where(alone, -centred / (n - 1), (fit - leverage * centred) / rest)


def _no_dependence(coordinates: Float, total: Float, on: Placed, n: int) -> Float:
    from scipy.special import fdtrc

    tested = on.basis.tested
    explained = (coordinates[:tested] ** 2).sum(axis=0)
    freedom = n - 1 - tested
    if freedom < 1:
        return np.ones_like(total)
    # a result without residual depends; one without any spread does not
    residual = np.maximum(total - explained, 1e-14 * total + np.finfo(float).tiny)
    ratio = (explained / tested) / (residual / freedom)
    return np.asarray(np.where(total > 0, fdtrc(tested, freedom, ratio), 1.0))


def _flat(y: Float, centred: Float, mean: Float) -> Smooth:
    n, ones = len(y), np.ones(y.shape[1])
    leverage = np.full(y.shape, 1 / n)
    left_out = leave_one_out(centred, np.zeros_like(y), leverage) + mean
    return Smooth(np.zeros_like(y) + mean, leverage, left_out, ones, ones, np.arange(n))

"""EVPPI of single parameters at many thresholds at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike

from qalyst.axes import WTP, Float
from qalyst.decision._inputs import DRAWS, Values, labelled
from qalyst.decision._parameters import Parameters, groups, table
from qalyst.decision.evppi import check_enough_draws
from qalyst.decision.net_benefit import thresholds
from qalyst.decision.uncertainty import decision_curves
from qalyst.errors import ModelError
from qalyst.stats.spline_basis import Placed, placed
from qalyst.stats.splines import shrinkage

PARAMETER = "parameter"
PIECES = 500  # of neighbouring draws whose means stand for them


def evppi_curve(
    costs: Values,
    effects: Values,
    parameters: Parameters,
    wtp: ArrayLike | xr.DataArray,
    *,
    of: Sequence[str] | str | None = None,
    strategies: Sequence[str] | None = None,
) -> xr.DataArray:
    """EVPPI of single parameters by threshold, per person.

    Net benefit is linear in the threshold, and so are its coordinates in the functions of a
    smoothing spline: one set of them serves all thresholds, each of which has a smoothing of its
    own. The maximum is taken over means of 500 pieces of neighbouring draws, which changes values
    by less than 1e-4 of the largest.

    Parameters
    ----------
    costs : [draw, strategy], currency
    effects : [draw, strategy], e.g. QALYs
    parameters : [draw, parameter], of the same draws; see `evppi`.
    wtp : [wtp], currency per unit of effect
    of : names; every parameter if None.
    strategies : names, if `costs` and `effects` are plain arrays.

    Returns
    -------
    evppi : [wtp, parameter], currency per person
        From 0 to the EVPI of the same draws.

    References
    ----------
    Strong, Oakley & Brennan (2014) Med Decis Making 34:311-326.

    Examples
    --------
    >>> x = np.random.default_rng(1).standard_normal(1_000)
    >>> costs = {"old": np.zeros(1_000), "new": np.full(1_000, 20.0)}
    >>> effects = {"old": np.zeros(1_000), "new": 1 + x}
    >>> curve = evppi_curve(costs, effects, {"x": x}, [0, 20, 40])
    >>> curve.dims, curve.sel(wtp=0).item()
    (('wtp', 'parameter'), 0.0)
    """
    cost, effect = labelled(costs, effects, strategies=strategies, dims=DRAWS)
    check_enough_draws(*cost.shape)
    threshold = thresholds(wtp)
    drawn = table(parameters, len(cost))
    wanted = groups(of, drawn.columns)
    if any(len(group) > 1 for group in wanted):
        raise ModelError(
            "a curve of a group", where="of", mend="name single parameters; groups: `evppi`"
        )
    evpi = decision_curves(cost, effect, threshold).evpi.to_numpy()
    sample = _Sample.of(cost.values, effect.values, threshold.values, evpi)
    found = [
        np.minimum(sample.value(placed(drawn.columns[name])), sample.evpi) for (name,) in wanted
    ]
    return xr.DataArray(
        np.column_stack(found),
        dims=(WTP, PARAMETER),
        coords={WTP: threshold, PARAMETER: [name for (name,) in wanted]},
        name="evppi",
    )


@dataclass(frozen=True)
class _Sample:
    """Costs and effects against the first strategy, and what all parameters share.

    Attributes
    ----------
    increments : [draw, 2 strategies] effects, then costs; centred.
    mean : [2 strategies] of what was centred.
    best : [wtp] strategy with the best mean net benefit.
    squares : [wtp, strategy] sum of squares of centred net benefit less that of the best.
    evpi : [wtp]
    """

    wtp: Float
    increments: Float
    mean: Float
    best: np.ndarray[tuple[int], np.dtype[np.int64]]
    squares: Float
    evpi: Float

    @classmethod
    def of(cls, cost: Float, effect: Float, wtp: Float, evpi: Float) -> _Sample:
        gained, spent = effect - effect[:, :1], cost - cost[:, :1]
        increments = np.hstack([gained, spent])
        mean = increments.mean(axis=0)
        benefit = _net(mean[None], wtp)[:, 0]
        best = benefit.argmax(axis=1)
        increments = increments - mean
        products = increments.T @ increments
        n_strategies = gained.shape[1]
        squares = np.empty((len(wtp), n_strategies))
        for strategy in range(n_strategies):
            weight = np.zeros((len(wtp), 2 * n_strategies))
            rows = np.arange(len(wtp))
            weight[:, strategy], weight[:, n_strategies + strategy] = wtp, -1
            weight[rows, best] -= wtp
            weight[rows, n_strategies + best] += 1
            squares[:, strategy] = np.einsum("ki,ij,kj->k", weight, products, weight, optimize=True)
        return cls(wtp, increments, mean, best, np.maximum(squares, 0), evpi)

    def value(self, on: Placed | None) -> Float:
        """EVPPI [wtp] of a parameter, before the cap."""
        if on is None:
            return np.zeros(len(self.wtp))
        n, n_wtp = len(self.increments), len(self.wtp)
        coordinates = on.basis.columns.T @ on.totals(self.increments)
        net = self._less_best(_net(coordinates, self.wtp))  # [wtp, function, strategy]
        flat = net.transpose(1, 0, 2).reshape(net.shape[1], -1)  # [function, wtp x strategy]
        kept = shrinkage(flat, on.basis.roughness, self.squares.ravel(), n)
        columns, share = _pieces(on)
        fit = (columns @ (kept * flat)).reshape(len(share), n_wtp, -1)
        mean = self._less_best(_net(self.mean[None], self.wtp))[:, 0]
        return np.asarray(share @ (fit + mean).max(axis=2))  # the best mean is 0

    def _less_best(self, net: Float) -> Float:
        """[wtp, row, strategy] less that of the strategy with the best mean."""
        return net - np.take_along_axis(net, self.best[:, None, None], axis=2)


def _net(increments: Float, wtp: Float) -> Float:
    """Net benefit [wtp, row, strategy] of effects and costs [row, 2 strategies]."""
    gained, spent = np.hsplit(increments, 2)
    return np.asarray(wtp[:, None, None] * gained - spent)


def _pieces(on: Placed) -> tuple[Float, Float]:
    """Mean functions [piece, function] over pieces of neighbouring draws, and shares [piece]."""
    counts = np.bincount(on.row)
    passed = np.cumsum(counts) - counts / 2
    piece = np.floor(passed / counts.sum() * PIECES)
    starts = np.flatnonzero(np.diff(piece, prepend=-1))
    weight = np.add.reduceat(counts, starts)
    sums = np.add.reduceat(on.basis.columns * counts[:, None], starts, axis=0)
    return sums / weight[:, None], weight / counts.sum()

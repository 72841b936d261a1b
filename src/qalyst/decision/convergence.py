"""Whether there are enough draws: the error of each result, and whether more could change it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike

from qalyst.axes import Float
from qalyst.decision._inputs import DRAWS, Values, labelled, names
from qalyst.decision.cea import incremental_analysis
from qalyst.decision.estimates import IcerEstimate, icer_estimate, summary
from qalyst.decision.net_benefit import thresholds
from qalyst.decision.replicates import check_replicates, covariance_of_mean
from qalyst.decision.uncertainty import check_draws, decision_curves
from qalyst.errors import ModelError
from qalyst.stats.addresses import uniforms

LIKELY = 0.05  # a probability of another choice above which more draws are advised
NORMALS = 1_000


@dataclass(frozen=True)
class Stability:
    """How firmly the draws settle the choice at one threshold.

    Attributes
    ----------
    wtp : currency per unit of effect.
    optimal : the strategy with the highest mean net benefit.
    runner_up : the one most likely to take its place; None if there is one strategy.
    gain, gain_mcse : mean net benefit of `optimal` over `runner_up`, and its Monte Carlo error.
    change_if_doubled : probability that another strategy has the highest mean net benefit after as
        many draws more.
    change_ever : the same after infinitely many draws.
    draws_needed : about how many draws bring `change_ever` against `runner_up` down to 5 %; None if
        their means are equal, which no number of draws tells apart.
    """

    wtp: float
    optimal: str
    runner_up: str | None
    gain: float
    gain_mcse: float
    change_if_doubled: float
    change_ever: float
    draws_needed: int | None

    @property
    def settled(self) -> bool:
        """Whether another choice is improbable (below 5 %) however many draws follow."""
        return self.change_ever <= LIKELY


@dataclass(frozen=True)
class Convergence:
    """The Monte Carlo error of every result, and how firmly the choice is settled.

    Attributes
    ----------
    draws, replicates : what the results rest on.
    summary : means of costs, effects, increments and net benefits with ``mcse``; see
        `estimates.summary`.
    curves : probabilities and EVPI with ``ceac_mcse``, ``ceaf_mcse``, ``evpi_mcse``; see
        `uncertainty.decision_curves`.
    icers : of each strategy on the frontier, with ``mcse``.
    stability : of the choice at each threshold, in the order given.
    """

    draws: int
    replicates: int
    summary: xr.Dataset
    curves: xr.Dataset
    icers: tuple[IcerEstimate, ...]
    stability: tuple[Stability, ...]

    @property
    def settled(self) -> bool:
        """Whether the choice is settled at every threshold."""
        return all(each.settled for each in self.stability)

    @property
    def error(self) -> float:
        """The largest Monte Carlo standard error of an incremental net benefit, currency."""
        return float(self.summary.inmb.sel(statistic="mcse").max())

    def draws_for(self, error: float) -> int:
        """About how many draws give every incremental net benefit at most this error.

        Independent draws: the error falls with the square root of their number. Draws of a design
        fall faster, so that fewer are enough.
        """
        if not error > 0:
            raise ModelError(f"an error of {error:g}", where="error", mend="give an amount above 0")
        return math.ceil(self.draws * (self.error / error) ** 2)


def enough_draws(
    costs: Values,
    effects: Values,
    wtp: ArrayLike | xr.DataArray,
    *,
    comparator: str | None = None,
    strategies: Sequence[str] | None = None,
    replicates: int = 1,
) -> Convergence:
    """Whether there are enough draws: Monte Carlo errors, and the chance of another choice.

    Parameters
    ----------
    costs : [draw, strategy], currency
    effects : [draw, strategy], e.g. QALYs
    wtp : [wtp] or one number, currency per unit of effect
    comparator : the strategy that increments are against; that with the lowest mean cost if None.
    strategies : names, if `costs` and `effects` are plain arrays.
    replicates : of the sampling design, draw i in replicate ``i % replicates``; 1: independent.

    References
    ----------
    Hatswell, Bullement, Briggs et al. (2018) PharmacoEconomics 36:1421-1426.

    Examples
    --------
    >>> costs = {"old": [0.0, 0.0, 0.0, 0.0], "new": [4.0, 6.0, 5.0, 5.0]}
    >>> effects = {"old": [0.0, 0.0, 0.0, 0.0], "new": [1.0, 2.0, 0.0, 1.0]}
    >>> found = enough_draws(costs, effects, [10])
    >>> found.stability[0].optimal, round(found.stability[0].change_ever, 2), found.settled
    ('new', 0.1, False)
    """
    cost, effect = labelled(costs, effects, strategies=strategies, dims=DRAWS)
    table = incremental_analysis(cost.mean("draw"), effect.mean("draw"))
    against = comparator if comparator is not None else str(table.rows[0].strategy)
    return Convergence(
        draws=cost.sizes["draw"],
        replicates=replicates,
        summary=summary(cost, effect, wtp, comparator=against, replicates=replicates),
        curves=decision_curves(cost, effect, wtp, replicates=replicates),
        icers=tuple(
            icer_estimate(cost, effect, strategy=later, comparator=earlier, replicates=replicates)
            for earlier, later in zip(table.frontier, table.frontier[1:], strict=False)
        ),
        stability=stability(cost, effect, wtp, replicates=replicates),
    )


def stability(
    costs: Values,
    effects: Values,
    wtp: ArrayLike | xr.DataArray,
    *,
    strategies: Sequence[str] | None = None,
    replicates: int = 1,
) -> tuple[Stability, ...]:
    """How firmly the draws settle the choice, at each threshold.

    The mean of n draws will move, with m more, by a normal amount of variance
    ``V m / (n + m)``, V being the variance of the mean of n; with a difference D of means and the
    standard deviation s of a draw, two strategies change places with probability
    ``Phi(-|D| / (s sqrt(m / (n (n + m)))))``. Of more strategies, 1,000 fixed antithetic normal
    vectors are looked at: a probability is known to 0.01 or so.

    Parameters
    ----------
    costs, effects, wtp, strategies, replicates : see `enough_draws`.

    Returns
    -------
    stability
        One for each threshold, in the order given. Strategies equal in every draw are one choice.

    Examples
    --------
    >>> (found,) = stability({"a": [0, 2], "b": [9, 9]}, {"a": [0, 0], "b": [0, 0]}, 1)
    >>> found.optimal, found.runner_up, found.gain, found.gain_mcse, found.draws_needed
    ('a', 'b', 8.0, 1.0, 2)
    """
    cost, effect = labelled(costs, effects, strategies=strategies, dims=DRAWS)
    check_draws(cost)
    check_replicates(cost.sizes["draw"], replicates)
    spent, gained = cost.to_numpy(), effect.to_numpy()
    return tuple(
        _at(float(k), k * gained - spent, names(cost), replicates) for k in thresholds(wtp).values
    )


def _at(wtp: float, nmb: Float, known: tuple[str, ...], replicates: int) -> Stability:
    """The choice by these net benefits [draw, strategy]."""
    best = int(nmb.mean(axis=0).argmax())
    lead = nmb[:, best, None] - nmb  # of the optimal strategy over each
    rivals = np.flatnonzero((lead != 0).any(axis=0))
    if not rivals.size:
        other = known[1 - best] if len(known) == 2 else None
        return Stability(wtp, known[best], other, 0.0, 0.0, 0.0, 0.0, None)
    gain = lead[:, rivals].mean(axis=0)
    covariance = covariance_of_mean(lead[:, rivals], replicates)
    error = np.sqrt(np.diagonal(covariance))
    with np.errstate(divide="ignore"):
        nearest = int(np.where(error > 0, gain / error, np.inf).argmin())
    if (error == 0).all():
        nearest = int(gain.argmin())
    return Stability(
        wtp=wtp,
        optimal=known[best],
        runner_up=known[rivals[nearest]],
        gain=float(gain[nearest]),
        gain_mcse=float(error[nearest]),
        change_if_doubled=_change(gain, covariance / 2),
        change_ever=_change(gain, covariance),
        draws_needed=_needed(float(gain[nearest]), float(error[nearest]), len(nmb)),
    )


def _change(gain: Float, covariance: Float) -> float:
    """Probability that one of the gains [rival] falls below 0."""
    from scipy import special

    gain = np.maximum(gain, 0.0)  # the optimal strategy leads but for rounding
    if gain.size == 1:
        spread = math.sqrt(covariance[0, 0])
        return float(special.ndtr(-gain[0] / spread)) if spread > 0 else 0.0
    values, vectors = np.linalg.eigh(covariance)
    root = vectors * np.sqrt(np.maximum(values, 0.0))
    moved = gain + _normals(gain.size) @ root.T
    return float((moved < 0).any(axis=1).mean())


@cache
def _normals(count: int) -> Float:
    """[vector, count] fixed normal numbers, each vector with its mirror image."""
    from scipy import special

    half = [
        special.ndtri(uniforms(0, "stability of a choice", str(number), range(NORMALS // 2)))
        for number in range(count)
    ]
    drawn = np.stack(half, axis=1)
    return np.concatenate([drawn, -drawn])


def _needed(gain: float, error: float, draws: int) -> int | None:
    """Draws at which ``Phi(-gain / error)`` is 5 %; the error falls with their square root."""
    from scipy import special

    if gain <= 0:
        return None
    return max(2, math.ceil(draws * (float(special.ndtri(1 - LIKELY)) * error / gain) ** 2))

"""Decision uncertainty over draws: CEAC, CEAF, expected loss and EVPI by threshold."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike, NDArray

from qalyst.axes import DRAW, STRATEGY, WTP, Float, Int
from qalyst.decision._inputs import DRAWS, Values, labelled, names
from qalyst.decision.cea import Switch
from qalyst.decision.net_benefit import thresholds
from qalyst.decision.replicates import check_replicates, error_of_mean
from qalyst.errors import ModelError


def decision_curves(
    costs: Values,
    effects: Values,
    wtp: ArrayLike | xr.DataArray,
    *,
    strategies: Sequence[str] | None = None,
    replicates: int = 1,
) -> xr.Dataset:
    """All the curves of decision uncertainty in one pass over the draws.

    Each draw is looked at where its best strategy changes, so that many thresholds cost hardly more
    than few.

    The loss of a strategy in a draw is how far its net monetary benefit lies below the best
    one. EVPI is the smallest expected loss; its Monte Carlo standard error takes the optimal
    strategy as known.

    Parameters
    ----------
    costs : [draw, strategy], currency
    effects : [draw, strategy], e.g. QALYs
    wtp : [wtp] or one number, currency per unit of effect
    strategies : names, if `costs` and `effects` are plain arrays.
    replicates : of the sampling design, draw i in replicate ``i % replicates``; the errors are
        then those of the means of replicates. 1: independent draws.

    Returns
    -------
    dataset
        ``ceac`` and ``ceac_mcse`` [wtp, strategy]; ``expected_nmb`` and ``expected_loss``
        [wtp, strategy], currency; ``optimal`` [wtp], the strategy with the highest expected net
        benefit (of equals the first); ``ceaf`` and ``ceaf_mcse`` [wtp]; ``evpi`` and
        ``evpi_mcse`` [wtp], currency per person.

    References
    ----------
    van Hout et al. (1994) Health Econ 3:309-319; Fenwick, Claxton & Sculpher (2001) Health
    Econ 10:779-787; Alarid-Escudero et al. (2019) Value Health 22:611-618.

    Examples
    --------
    >>> costs = {"old": [0.0, 0.0], "new": [10.0, 10.0]}
    >>> effects = {"old": [0.0, 0.0], "new": [0.0, 3.0]}
    >>> curves = decision_curves(costs, effects, 10)
    >>> curves.optimal.item(), curves.ceaf.item(), curves.evpi.item()
    ('new', 0.5, 5.0)
    """
    cost, effect = labelled(costs, effects, strategies=strategies, dims=DRAWS)
    check_draws(cost)
    threshold = thresholds(wtp)
    check_replicates(cost.sizes[DRAW], replicates)
    known = names(cost)
    drawn = effect.to_numpy(), cost.to_numpy(), threshold.to_numpy()
    plain = _curves(*drawn)
    best = plain.pop("optimal")
    curves = xr.Dataset(
        {
            name: ((WTP, STRATEGY) if values.ndim == 2 else WTP, values)
            for name, values in plain.items()
        },
        coords={WTP: threshold.to_numpy(), STRATEGY: list(known)},
    )
    curves["optimal"] = (WTP, np.array(known)[best])
    for curve in ("ceac", "ceaf"):
        curves[f"{curve}_mcse"] = binomial_mcse(curves[curve], cost.sizes[DRAW])
    return curves if replicates == 1 else curves.assign(_replicate_errors(*drawn, best, replicates))


def ceac(
    costs: Values,
    effects: Values,
    wtp: ArrayLike | xr.DataArray,
    *,
    strategies: Sequence[str] | None = None,
) -> xr.DataArray:
    """Cost-effectiveness acceptability: share of draws in which each strategy is best.

    A draw in which strategies are equal is shared among them, so that the shares sum to 1.

    Parameters
    ----------
    costs, effects, wtp, strategies : see `decision_curves`.

    Returns
    -------
    ceac : [wtp, strategy], probability

    References
    ----------
    van Hout et al. (1994) Health Econ 3:309-319.

    Examples
    --------
    >>> ceac({"a": [0, 2], "b": [1, 1]}, {"a": [1, 1], "b": [1, 1]}, 0).values.tolist()
    [[0.5, 0.5]]
    """
    return decision_curves(costs, effects, wtp, strategies=strategies)["ceac"]


def ceaf(
    costs: Values,
    effects: Values,
    wtp: ArrayLike | xr.DataArray,
    *,
    strategies: Sequence[str] | None = None,
) -> xr.Dataset:
    """Cost-effectiveness acceptability frontier: how probably the optimal strategy is best.

    The optimal strategy is the one with the highest mean net benefit, which need not be the
    one that is most probably best.

    Parameters
    ----------
    costs, effects, wtp, strategies : see `decision_curves`.

    Returns
    -------
    dataset
        ``ceaf`` [wtp], probability; ``optimal`` [wtp], the strategy.

    References
    ----------
    Fenwick, Claxton & Sculpher (2001) Health Econ 10:779-787.

    Examples
    --------
    >>> frontier = ceaf({"a": [0, 0, 9], "b": [1, 1, 1]}, {"a": [1] * 3, "b": [1] * 3}, 0)
    >>> frontier.optimal.item(), round(frontier.ceaf.item(), 3)
    ('b', 0.333)
    """
    return decision_curves(costs, effects, wtp, strategies=strategies)[["ceaf", "optimal"]]


def expected_loss(
    costs: Values,
    effects: Values,
    wtp: ArrayLike | xr.DataArray,
    *,
    strategies: Sequence[str] | None = None,
) -> xr.DataArray:
    """Expected loss: mean net benefit forgone by a strategy against the best in each draw.

    Parameters
    ----------
    costs, effects, wtp, strategies : see `decision_curves`.

    Returns
    -------
    loss : [wtp, strategy], currency per person

    References
    ----------
    Alarid-Escudero et al. (2019) Value Health 22:611-618.

    Examples
    --------
    >>> expected_loss({"a": [0, 4], "b": [1, 1]}, {"a": [1, 1], "b": [1, 1]}, 0).values.tolist()
    [[1.5, 0.5]]
    """
    return decision_curves(costs, effects, wtp, strategies=strategies)["expected_loss"]


def evpi(
    costs: Values,
    effects: Values,
    wtp: ArrayLike | xr.DataArray,
    *,
    strategies: Sequence[str] | None = None,
) -> xr.DataArray:
    """Expected value of perfect information, ``E max NMB - max E NMB``, per person.

    Parameters
    ----------
    costs, effects, wtp, strategies : see `decision_curves`.

    Returns
    -------
    evpi : [wtp], currency per person
        Never negative; 0 where one strategy is best in every draw.

    References
    ----------
    Briggs, Claxton & Sculpher (2006) Decision Modelling for Health Economic Evaluation, ch. 6.

    Examples
    --------
    >>> evpi({"a": [0, 4], "b": [1, 1]}, {"a": [1, 1], "b": [1, 1]}, 0).item()
    0.5
    """
    return decision_curves(costs, effects, wtp, strategies=strategies)["evpi"]


def switch_thresholds(curve: xr.DataArray) -> tuple[Switch, ...]:
    """Where the highest strategy of a curve changes, read on the curve's own thresholds.

    Of a CEAC: where another strategy becomes the most probably cost-effective. Of expected net
    benefit: where another becomes optimal. A strategy stays while it is equal to the highest.

    Parameters
    ----------
    curve : [wtp, strategy], probability or currency

    Returns
    -------
    switches
        Each with the first threshold of the curve at which the new strategy leads, so exact to
        one step; `IncrementalAnalysis.switches` has the exact ones of expected net benefit.

    Examples
    --------
    >>> curve = ceac({"a": [0, 0], "b": [4, 6]}, {"a": [0, 0], "b": [1, 1]}, range(0, 11, 2))
    >>> switch_thresholds(curve)
    (Switch(wtp=6.0, leaves='a', enters='b'),)
    """
    ordered = curve.sortby(WTP).transpose(WTP, STRATEGY)
    known, found, leader = names(ordered), [], int(ordered.values[0].argmax())
    for wtp, row in zip(ordered[WTP].values, ordered.values, strict=True):
        if row[leader] < row.max():
            entering = int(row.argmax())
            found.append(Switch(float(wtp), leaves=known[leader], enters=known[entering]))
            leader = entering
    return tuple(found)


def binomial_mcse(share: xr.DataArray, n_draws: int) -> xr.DataArray:
    """Monte Carlo standard error of a share of `n_draws` draws, ``sqrt(p (1 - p) / n)``."""
    return (share * (1 - share).clip(min=0) / n_draws) ** 0.5


def check_draws(values: xr.DataArray) -> None:
    """Refuse fewer than two draws: they have no spread."""
    if values.sizes[DRAW] < 2:
        raise ModelError(
            "1 draw shows no uncertainty", where="costs, effects", mend="run 2 draws or more"
        )


def _curves(effect: Float, cost: Float, wtp: Float) -> dict[str, NDArray[Any]]:
    """Every curve as a plain array, `optimal` by position; effect and cost [draw, strategy]."""
    from qalyst.kernels.envelope import acceptability

    order = np.argsort(wtp)
    back = np.argsort(order)
    draws = effect.shape[0]
    mean_effect, mean_cost = _mean(effect), _mean(cost)
    # means of differences: small ones are not lost in large totals
    base = np.lexsort((mean_effect, mean_cost))[0]
    gained, spent = (_mean(each - each[:, base, None]) for each in (effect, cost))
    ahead = np.multiply.outer(wtp, gained) - spent  # of the cheapest strategy
    best = ahead.argmax(axis=1)
    shares, mean, spread = acceptability(effect, cost, wtp[order], best[order])
    acceptable, evpi, spread = shares[:, back].T, mean[back], spread[back]
    certain = (acceptable == 1).any(axis=1)  # rounding of the means must not choose another
    best = np.where(certain, acceptable.argmax(axis=1), best)
    evpi, spread = np.where(certain, 0.0, evpi), np.where(certain, 0.0, spread)
    rows = np.arange(wtp.size)
    behind = np.maximum(ahead[rows, best][:, None] - ahead, 0.0)
    return {
        "ceac": acceptable,
        "expected_loss": evpi[:, None] + behind,
        "evpi_mcse": spread / np.sqrt(draws),
        "expected_nmb": np.multiply.outer(wtp, mean_effect) - mean_cost,
        "optimal": best,
        "evpi": evpi,
        "ceaf": acceptable[rows, best],
    }


def _replicate_errors(
    effect: Float, cost: Float, wtp: Float, best: Int, replicates: int
) -> dict[str, tuple[tuple[str, ...], Float]]:
    """Standard errors from the curves of each replicate; `best` [wtp] is optimal in all of them."""
    parts = [slice(number, None, replicates) for number in range(replicates)]
    each = [_curves(effect[part], cost[part], wtp) for part in parts]
    acceptable = error_of_mean(np.stack([one["ceac"] for one in each]))
    rows = np.arange(wtp.size)
    lost = error_of_mean(np.stack([one["expected_loss"][rows, best] for one in each]))
    return {
        "ceac_mcse": ((WTP, STRATEGY), acceptable),
        "ceaf_mcse": ((WTP,), acceptable[rows, best]),
        "evpi_mcse": ((WTP,), lost),
    }


def _mean(values: Float) -> Float:
    """[strategy] mean over draws, added in pairs: a column at a time."""
    return np.asarray(np.ascontiguousarray(values.T).mean(axis=1))

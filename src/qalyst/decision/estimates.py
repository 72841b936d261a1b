"""Means over draws with their Monte Carlo standard errors and credible intervals."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike

from qalyst.axes import DRAW, STRATEGY, WTP, Float
from qalyst.decision._inputs import DRAWS, Values, check_strategy, increments, labelled
from qalyst.decision._plane import MEANING, RATIO_OF_GAINS, RATIO_OF_LOSSES, quadrants
from qalyst.decision.net_benefit import thresholds
from qalyst.decision.ratio_intervals import INSIDE, check_level, fieller_set
from qalyst.decision.replicates import check_replicates, error_of_mean
from qalyst.decision.uncertainty import check_draws

STATISTIC = "statistic"
STATISTICS = ("mean", "mcse", "lower", "upper")


@dataclass(frozen=True)
class IcerEstimate:
    """An ICER over draws: the ratio of mean increments, and how sure it is.

    `icer` and `mcse` are None if the mean increments lie in no quadrant with a ratio. `interval`
    (percentiles of the draws' ratios) and `fieller` (of normal increments) are None unless all
    draws lie in one such quadrant; `reason` says why. `shares` are those of the quadrants.
    """

    strategy: str
    comparator: str
    quadrant: str
    icer: float | None
    mcse: float | None
    interval: tuple[float, float] | None
    fieller: tuple[float, float] | None
    shares: dict[str, float]
    reason: str


def summary(
    costs: Values,
    effects: Values,
    wtp: ArrayLike | xr.DataArray,
    *,
    comparator: str,
    strategies: Sequence[str] | None = None,
    level: float = 0.95,
    replicates: int = 1,
) -> xr.Dataset:
    """Mean, Monte Carlo standard error and credible interval of each result.

    The standard error of a mean is the draws' standard deviation over the square root of
    their number: it shrinks with more draws. The interval is of the result itself, by quantiles of
    the draws: it does not. Increments are differences within a draw.

    Parameters
    ----------
    costs : [draw, strategy], currency
    effects : [draw, strategy], e.g. QALYs
    wtp : [wtp] or one number, currency per unit of effect
    comparator : the strategy that the increments are against.
    strategies : names, if `costs` and `effects` are plain arrays.
    level : of the credible interval, a probability.
    replicates : of the sampling design, draw i in replicate ``i % replicates``; standard errors
        are then those of the means of replicates. 1: independent draws.

    Returns
    -------
    dataset
        ``cost``, ``effect``, ``incremental_cost``, ``incremental_effect`` [strategy, statistic];
        ``nmb``, ``inmb`` [wtp, strategy, statistic]; `statistic` is mean, mcse, lower, upper.

    References
    ----------
    Hatswell et al. (2018) PharmacoEconomics 36:1421-1426; O'Hagan, Stevenson & Madan (2007)
    Health Econ 16:1009-1023.

    Examples
    --------
    >>> costs = {"old": [0.0, 0.0], "new": [8.0, 12.0]}
    >>> effects = {"old": [0.0, 0.0], "new": [1.0, 3.0]}
    >>> found = summary(costs, effects, 10, comparator="old")
    >>> found.inmb.sel(wtp=10, strategy="new", statistic=["mean", "mcse"]).values.tolist()
    [10.0, 8.0]
    """
    cost, effect = labelled(costs, effects, strategies=strategies, dims=DRAWS)
    check_draws(cost)
    check_replicates(cost.sizes[DRAW], replicates)
    check_level(level)
    check_strategy(comparator, cost, where="comparator")
    spent = cost - cost.sel({STRATEGY: comparator}, drop=True)
    gained = effect - effect.sel({STRATEGY: comparator}, drop=True)
    plain = {
        "cost": cost,
        "effect": effect,
        "incremental_cost": spent,
        "incremental_effect": gained,
    }
    # a strategy a row, so that sorting and adding run along memory
    rows = {name: np.ascontiguousarray(each.to_numpy().T) for name, each in plain.items()}
    found: dict[str, tuple[tuple[str, ...], Float]] = {
        name: ((STRATEGY, STATISTIC), _statistics(each, level, replicates))
        for name, each in rows.items()
    }
    threshold = thresholds(wtp)
    for benefit, more, less in (
        ("nmb", "effect", "cost"),
        ("inmb", "incremental_effect", "incremental_cost"),
    ):
        # one threshold at a time: all of net benefit may not fit into memory
        tables = [
            _statistics(each * rows[more] - rows[less], level, replicates)
            for each in threshold.values
        ]
        found[benefit] = ((WTP, STRATEGY, STATISTIC), np.stack(tables))
    return xr.Dataset(
        found,
        coords={
            WTP: threshold.to_numpy(),
            STRATEGY: cost[STRATEGY].to_numpy(),
            STATISTIC: list(STATISTICS),
        },
        attrs={"comparator": comparator, "level": level, "draws": cost.sizes[DRAW]},
    )


def icer_estimate(
    costs: Values,
    effects: Values,
    *,
    strategy: str,
    comparator: str,
    strategies: Sequence[str] | None = None,
    level: float = 0.95,
    replicates: int = 1,
) -> IcerEstimate:
    """ICER of mean increments with its standard error and, where one exists, its interval.

    With R the ratio and s the (co)variances of the increments over n draws, the standard error is
    ``sqrt((s_cc - 2 R s_ce + R^2 s_ee) / n) / |mean increment of effect|`` (delta method).

    Parameters
    ----------
    costs : [draw, strategy], currency
    effects : [draw, strategy], e.g. QALYs
    strategy, comparator : the two that are compared.
    strategies : names, if `costs` and `effects` are plain arrays.
    level : of the credible interval, a probability.
    replicates : see `summary`.

    References
    ----------
    Briggs & Fenn (1998) Health Econ 7:723-740; Stinnett & Paltiel (1997) Med Decis Making
    17:483-489, on why ratios of different quadrants cannot be ordered.

    Examples
    --------
    >>> found = icer_estimate(
    ...     {"old": [0, 0], "new": [8, 12]}, {"old": [0, 0], "new": [1, 3]},
    ...     strategy="new", comparator="old", level=0.5,
    ... )
    >>> found.icer, round(found.mcse, 6), found.interval
    (5.0, 1.5, (5.0, 7.0))
    """
    cost, effect = labelled(costs, effects, strategies=strategies, dims=DRAWS)
    check_draws(cost)
    check_replicates(cost.sizes[DRAW], replicates)
    check_level(level)
    spent, gained = increments(cost, effect, strategy=strategy, comparator=comparator)
    words, counts = np.unique(quadrants(spent, gained), return_counts=True)
    shares = {str(word): float(n / spent.size) for word, n in zip(words, counts, strict=True)}
    mean_word = str(quadrants(spent.mean(), gained.mean()))
    named = (strategy, comparator, mean_word)
    if mean_word not in (RATIO_OF_GAINS, RATIO_OF_LOSSES):
        return IcerEstimate(*named, None, None, None, None, shares, MEANING[mean_word])
    ratio, error = _ratio(spent, gained, replicates)
    if len(shares) > 1:
        parts = "; ".join(f"{word} {share:.1%}" for word, share in shares.items())
        reason = f"no interval: ratios of different quadrants cannot be ordered ({parts})"
        return IcerEstimate(*named, ratio, error, None, None, shares, reason)
    tail = (1 - level) / 2
    lower, upper = np.quantile(spent / gained, [tail, 1 - tail])
    fieller = fieller_interval(
        float(spent.mean()),
        float(gained.mean()),
        sd_cost=float(spent.std(ddof=1)),
        sd_effect=float(gained.std(ddof=1)),
        covariance=float(np.cov(spent, gained)[0, 1]),
        level=level,
    )
    interval = (float(lower), float(upper))
    return IcerEstimate(*named, ratio, error, interval, fieller, shares, MEANING[mean_word])


def fieller_interval(
    incremental_cost: float,
    incremental_effect: float,
    *,
    sd_cost: float,
    sd_effect: float,
    covariance: float,
    level: float = 0.95,
) -> tuple[float, float] | None:
    """Fieller's interval of the ratio of two normal increments.

    The ratios R at which ``incremental_cost - R incremental_effect`` is within z standard
    deviations of 0.

    Parameters
    ----------
    incremental_cost : mean, currency
    incremental_effect : mean, e.g. QALYs
    sd_cost, sd_effect, covariance : of the two increments.
    level : probability.

    Returns
    -------
    lower, upper
        Currency per unit of effect; None if the increment of effect is within z standard deviations
        of 0, for then the interval has no bounds.

    References
    ----------
    Fieller (1954) J R Stat Soc B 16:175-185; Briggs & Fenn (1998) Health Econ 7:723-740.

    Examples
    --------
    >>> fieller_interval(8.0, 2.0, sd_cost=0.0, sd_effect=0.0, covariance=0.0)
    (4.0, 4.0)
    """
    found = fieller_set(
        incremental_cost,
        incremental_effect,
        sd_cost=sd_cost,
        sd_effect=sd_effect,
        covariance=covariance,
        level=level,
    )
    if found.lower is None or found.upper is None or found.kind != INSIDE:
        return None
    return found.lower, found.upper


def _ratio(spent: Float, gained: Float, replicates: int) -> tuple[float, float]:
    """ICER and its Monte Carlo standard error; both [draw]."""
    ratio = spent.mean() / gained.mean()
    error = error_of_mean(spent - ratio * gained, replicates) / abs(gained.mean())
    return float(ratio), float(error)


def _statistics(values: Float, level: float, replicates: int) -> Float:
    """[strategy, statistic] mean, standard error and quantiles over draws; [strategy, draw]."""
    tail = (1 - level) / 2
    error = error_of_mean(values.T, replicates)
    bounds = np.quantile(values, [tail, 1 - tail], axis=1)
    return np.stack([values.mean(axis=1), error, *bounds], axis=1)

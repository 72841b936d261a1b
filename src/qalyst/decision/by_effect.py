"""Incremental analysis by several effects, and net benefits at several thresholds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike

from qalyst.axes import DRAW, STRATEGY
from qalyst.decision._inputs import DRAWS, Values, check_strategy, increments, labelled
from qalyst.decision.cea import IncrementalAnalysis, incremental_analysis
from qalyst.decision.estimates import IcerEstimate, icer_estimate
from qalyst.decision.net_benefit import net_health_benefit, net_monetary_benefit
from qalyst.decision.ratio_intervals import (
    RESAMPLES,
    BootstrapInterval,
    FiellerSet,
    fieller_set,
    icer_bootstrap,
)
from qalyst.decision.uncertainty import check_draws

MONTHS = 12  # of a year


@dataclass(frozen=True)
class EffectAnalysis:
    """The fully incremental analysis of means over draws by one effect.

    Attributes
    ----------
    table : with the frontier of this effect.
    icers, bootstraps, fieller : of each strategy on the frontier against the one before it:
        `fieller` is the set of the ratio of the increments themselves, as draws spread them.
    """

    effect: str
    table: IncrementalAnalysis
    icers: tuple[IcerEstimate, ...]
    bootstraps: tuple[BootstrapInterval, ...]
    fieller: tuple[FiellerSet, ...]


def incremental_by_effect(
    costs: Values,
    effects: Mapping[str, Values],
    *,
    strategies: Sequence[str] | None = None,
    level: float = 0.95,
    resamples: int = RESAMPLES,
    seed: int = 0,
) -> tuple[EffectAnalysis, ...]:
    """The fully incremental analysis by each effect in turn, with intervals of its ICERs.

    The frontier of one effect need not be that of another: a strategy may buy life years dearly
    and months without symptoms cheaply.

    Parameters
    ----------
    costs : [draw, strategy], currency
    effects : name of an effect -> [draw, strategy]
    strategies : names, if the arrays are plain.
    level : of the intervals.
    resamples, seed : of the bootstrap; see `icer_bootstrap`.

    Examples
    --------
    >>> costs = {"old": [0, 0], "new": [900, 1_100]}
    >>> effects = {
    ...     "qalys": {"old": [1, 1], "new": [1.5, 1.5]},
    ...     "life_years": {"old": [3, 3], "new": [2, 2]},
    ... }
    >>> [(each.effect, each.table.frontier) for each in incremental_by_effect(costs, effects)]
    [('qalys', ('old', 'new')), ('life_years', ('old',))]
    """
    found = []
    for name, values in effects.items():
        cost, effect = labelled(costs, values, strategies=strategies, dims=DRAWS)
        check_draws(cost)
        table = incremental_analysis(cost.mean(DRAW), effect.mean(DRAW))
        pairs = list(zip(table.frontier[1:], table.frontier, strict=False))
        found.append(
            EffectAnalysis(
                effect=name,
                table=table,
                icers=tuple(
                    icer_estimate(cost, effect, strategy=one, comparator=other, level=level)
                    for one, other in pairs
                ),
                bootstraps=tuple(
                    icer_bootstrap(
                        cost,
                        effect,
                        strategy=one,
                        comparator=other,
                        level=level,
                        resamples=resamples,
                        seed=seed,
                    )
                    for one, other in pairs
                ),
                fieller=tuple(_fieller(cost, effect, *pair, level=level) for pair in pairs),
            )
        )
    return tuple(found)


def net_benefits(
    costs: Values,
    effects: Values,
    wtp: ArrayLike | xr.DataArray,
    *,
    comparator: str,
    strategies: Sequence[str] | None = None,
) -> xr.Dataset:
    """Net monetary and net health benefit with increments and Monte Carlo standard errors.

    Parameters
    ----------
    costs : [draw, strategy], currency
    effects : [draw, strategy], e.g. QALYs
    wtp : [wtp] or one number, currency per unit of effect; above 0
    comparator : the strategy that the increments are against.
    strategies : names, if `costs` and `effects` are plain arrays.

    Returns
    -------
    dataset
        ``nmb``, ``inmb`` [wtp, strategy], currency; ``nhb``, ``inhb`` [wtp, strategy], units of
        effect; each with ``_mcse``. ``nhb_months`` and ``inhb_months`` are twelve times as many:
        quality-adjusted life-months (QALMs) if the effect counts QALYs.

    References
    ----------
    Stinnett & Mullahy (1998) Med Decis Making 18:S68-S80.

    Examples
    --------
    >>> found = net_benefits({"a": [0, 0], "b": [500, 700]}, {"a": [1, 1], "b": [2, 2]}, 1_000,
    ...     comparator="a")
    >>> [found[name].sel(wtp=1_000, strategy="b").item() for name in ("inmb", "inhb")]
    [400.0, 0.4]
    >>> round(found.inhb_months.sel(wtp=1_000, strategy="b").item(), 10)
    4.8
    """
    cost, effect = labelled(costs, effects, strategies=strategies, dims=DRAWS)
    check_draws(cost)
    check_strategy(comparator, cost, where="comparator")
    against = {STRATEGY: comparator}
    found: dict[str, xr.DataArray] = {}
    for name, benefit in (
        ("nmb", net_monetary_benefit(cost, effect, wtp)),
        ("nhb", net_health_benefit(cost, effect, wtp)),
    ):
        for key, values in (
            (name, benefit),
            (f"i{name}", benefit - benefit.sel(against, drop=True)),
        ):
            found[key] = values.mean(DRAW)
            found[f"{key}_mcse"] = values.std(DRAW, ddof=1) / np.sqrt(cost.sizes[DRAW])
    for name in ("nhb", "inhb"):
        found[f"{name}_months"] = MONTHS * found[name]
    return xr.Dataset(found, attrs={"comparator": comparator})


def _fieller(
    cost: xr.DataArray, effect: xr.DataArray, strategy: str, comparator: str, *, level: float
) -> FiellerSet:
    spent, gained = increments(cost, effect, strategy=strategy, comparator=comparator)
    covariance = np.cov(spent, gained)
    return fieller_set(
        float(spent.mean()),
        float(gained.mean()),
        sd_cost=float(np.sqrt(covariance[0, 0])),
        sd_effect=float(np.sqrt(covariance[1, 1])),
        covariance=float(covariance[0, 1]),
        level=level,
    )

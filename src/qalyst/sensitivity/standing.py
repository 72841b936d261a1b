"""How strategies stand at a point: totals, the comparison of a pair, and the best choice."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from qalyst.axes import DRAW, OUTCOME, STRATEGY, WTP, Float
from qalyst.decision._dominance import ROUNDING
from qalyst.decision._plane import MEANING, RATIO_OF_GAINS, RATIO_OF_LOSSES, quadrants
from qalyst.decision.cea import Comparison
from qalyst.decision.net_benefit import net_monetary_benefit
from qalyst.errors import ModelError, nearest
from qalyst.model.compared import compared_outcomes, thresholds_of
from qalyst.model.resolved import ResolvedModel
from qalyst.outcomes import DISCOUNTED, UNDISCOUNTED

if TYPE_CHECKING:
    import xarray as xr

    from qalyst.sensitivity.points import Study

NMB, ICER, COST, EFFECT = "nmb", "icer", "cost", "qaly"
MEASURES = (NMB, ICER, COST, EFFECT)
Totals = dict[str, dict[str, float]]  # strategy -> outcome -> total


@dataclass(frozen=True)
class Standing:
    """What is compared, and at which willingness to pay.

    Attributes
    ----------
    cost, effect : names of the outcomes.
    wtp : currency per unit of effect.
    strategy, comparator : the pair of which increments are told, strategy less comparator.
    """

    cost: str
    effect: str
    wtp: float
    strategy: str
    comparator: str

    def nmb(self, totals: xr.Dataset) -> xr.DataArray:
        """Net monetary benefit [draw, strategy]."""
        costs, effects = (
            totals[DISCOUNTED].sel({OUTCOME: name}, drop=True) for name in (self.cost, self.effect)
        )
        return net_monetary_benefit(costs, effects, self.wtp).isel({WTP: 0}, drop=True)

    def inmb(self, totals: xr.Dataset) -> Float:
        """Net monetary benefit [draw] of the strategy less that of the comparator."""
        nmb = self.nmb(totals)
        pair = nmb.sel({STRATEGY: self.strategy}) - nmb.sel({STRATEGY: self.comparator})
        return np.asarray(pair.to_numpy(), np.float64)

    def optimal(self, totals: xr.Dataset) -> list[str]:
        """[draw] the strategy with the highest net benefit; equals are joined by " = "."""
        nmb = self.nmb(totals).transpose(DRAW, STRATEGY)
        size = abs(totals[DISCOUNTED].sel({OUTCOME: self.cost}, drop=True))
        size = size + self.wtp * abs(totals[DISCOUNTED].sel({OUTCOME: self.effect}, drop=True))
        near = (nmb >= nmb.max(STRATEGY) - ROUNDING * size.max(STRATEGY)).transpose(DRAW, STRATEGY)
        names = [str(name) for name in nmb[STRATEGY].values]
        return [
            " = ".join(name for name, best in zip(names, row, strict=True) if best)
            for row in near.to_numpy()
        ]


@dataclass(frozen=True)
class Reading:
    """What a model gives at one point.

    Attributes
    ----------
    discounted, undiscounted : strategy -> outcome -> total.
    nmb : strategy -> net monetary benefit.
    optimal : the strategy with the highest; equals are joined by " = ".
    pair : the strategy against the comparator; `icer` is None where there is none.
    inmb : net monetary benefit of the strategy less that of the comparator.
    """

    discounted: Totals
    undiscounted: Totals
    nmb: dict[str, float]
    optimal: str
    pair: Comparison
    inmb: float

    def value(self, measure: str) -> float | None:
        """A measure, or the increment of an outcome; None for an ICER that does not exist."""
        match measure:
            case "nmb":
                return self.inmb
            case "icer":
                return self.pair.icer
            case "cost":
                return self.pair.incremental_cost
            case "qaly":
                return self.pair.incremental_effect
        ours, theirs = (
            self.discounted[name] for name in (self.pair.strategy, self.pair.comparator)
        )
        return ours[measure] - theirs[measure]


def standing(
    study: Study,
    *,
    wtp: float | None = None,
    strategy: str | None = None,
    comparator: str | None = None,
    base: xr.Dataset | None = None,
) -> Standing:
    """What is compared: as asked for, or the two best strategies of the base case.

    Parameters
    ----------
    study : the model.
    wtp : currency per unit of effect; the first threshold of the model if None.
    strategy, comparator : a pair. If both are None it is the best and the next best at `wtp`, the
        more effective of the two as the strategy; if one is, the best of the others.
    base : totals of the base case, if they are known; `draw` has length 1.

    Raises
    ------
    ModelError
        One strategy, no cost or effect, no threshold, or a strategy that is none of the model's.
    """
    model = study.model
    cost, effect = compared_outcomes(model)
    price = thresholds_of(model, () if wtp is None else (wtp,))[0]
    for name, option in ((strategy, "--strategy"), (comparator, "--comparator")):
        if name is not None and name not in model.strategies:
            raise ModelError(
                f"no strategy '{name}'",
                where=f"command line  {option} {name}",
                mend=nearest(name, model.strategies),
            )
    if strategy is not None and strategy == comparator:
        raise ModelError(
            f"'{strategy}' is compared with itself",
            where="command line  --strategy, --comparator",
            mend="name two strategies",
        )
    first, second, *_ = model.strategies
    totals = study.base if base is None else base
    net = Standing(cost, effect, price, first, second).nmb(totals).isel({DRAW: 0})
    ranked = [str(net[STRATEGY].values[i]) for i in np.argsort(-net.to_numpy(), kind="stable")]
    if strategy is None and comparator is None:
        total = totals[DISCOUNTED].isel({DRAW: 0})
        strategy, comparator = sorted(
            ranked[:2],
            key=lambda name: tuple(
                -float(total.sel({STRATEGY: name, OUTCOME: each})) for each in (effect, cost)
            ),
        )
    strategy = strategy or next(name for name in ranked if name != comparator)
    comparator = comparator or next(name for name in ranked if name != strategy)
    return Standing(cost, effect, price, strategy, comparator)


def check_measure(model: ResolvedModel, measure: str) -> str:
    """A measure (nmb, icer, cost, qaly) or the name of an outcome.

    Raises
    ------
    ModelError
        It is none of these.
    """
    known = [*MEASURES, *model.outcomes]
    if measure not in known:
        raise ModelError(
            f"no outcome '{measure}'",
            where=f"command line  --outcome {measure}",
            mend=nearest(measure, known),
        )
    return measure


def readings(found: Standing, totals: xr.Dataset) -> list[Reading]:
    """[point] how the strategies stand at each point."""
    nmb, optimal, inmb = found.nmb(totals), found.optimal(totals), found.inmb(totals)
    strategies = [str(name) for name in totals[STRATEGY].values]
    outcomes = [str(name) for name in totals[OUTCOME].values]
    told = {which: totals[which].transpose(DRAW, STRATEGY, OUTCOME).to_numpy() for which in totals}

    def by_strategy(which: str, point: int) -> Totals:
        return {
            strategy: dict(zip(outcomes, map(float, row), strict=True))
            for strategy, row in zip(strategies, told[which][point], strict=True)
        }

    return [
        Reading(
            discounted=by_strategy(DISCOUNTED, point),
            undiscounted=by_strategy(UNDISCOUNTED, point),
            nmb=dict(zip(strategies, map(float, nmb.to_numpy()[point]), strict=True)),
            optimal=best,
            pair=pair,
            inmb=float(inmb[point]),
        )
        for point, (best, pair) in enumerate(zip(optimal, _pairs(found, totals), strict=True))
    ]


def _pairs(found: Standing, totals: xr.Dataset) -> list[Comparison]:
    """[point] the strategy against the comparator, as `pairwise` tells it for one point."""
    spent, gained = (
        _difference(found, totals[DISCOUNTED].sel({OUTCOME: name}))
        for name in (found.cost, found.effect)
    )
    words = quadrants(spent, gained)
    return [
        Comparison(
            found.strategy,
            found.comparator,
            float(cost),
            float(effect),
            str(word),
            float(cost / effect) if word in (RATIO_OF_GAINS, RATIO_OF_LOSSES) else None,
            MEANING[str(word)],
        )
        for cost, effect, word in zip(spent, gained, words, strict=True)
    ]


def _difference(found: Standing, values: xr.DataArray) -> Float:
    """[point] strategy less comparator; what is rounding is 0."""
    change = values.sel({STRATEGY: found.strategy}) - values.sel({STRATEGY: found.comparator})
    size = abs(values).max(STRATEGY)
    return np.asarray(change.where(abs(change) > ROUNDING * size, 0.0).to_numpy(), np.float64)

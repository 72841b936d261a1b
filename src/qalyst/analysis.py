"""The decision analysis of a run: what is best value, and how sure that is."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from qalyst.axes import DRAW
from qalyst.decision.cea import IncrementalAnalysis, incremental_analysis
from qalyst.decision.convergence import Stability, stability
from qalyst.decision.estimates import IcerEstimate, icer_estimate, summary
from qalyst.decision.net_benefit import LARGEST_WTP
from qalyst.decision.replicates import error_multiplier
from qalyst.decision.uncertainty import decision_curves
from qalyst.decision.variance import VarianceSplit, split_variance
from qalyst.model.resolved import ResolvedModel
from qalyst.outcomes import DISCOUNTED, Outcomes
from qalyst.stats.designs import Design

if TYPE_CHECKING:
    import xarray as xr

CURVE_POINTS = 101


@dataclass(frozen=True)
class Analysis:
    """A model's results and the decision that they support.

    Attributes
    ----------
    base : outcomes of the deterministic base case, with the trace.
    psa : outcomes of the draws; None without a probabilistic analysis.
    base_incremental, incremental : fully incremental analyses of the base case and of the means
        over draws; None without a cost and an effect to compare, `incremental` also without draws.
    summary : means with Monte Carlo standard errors and intervals; see `decision.estimates`.
    curves : CEAC, CEAF, EVPI and expected loss over `wtp`; see `decision.uncertainty`.
    at_thresholds : the same at the model's own thresholds.
    icers : uncertainty of the ICER of each strategy on the frontier.
    variance : where the spread of each result comes from; empty without patients.
    stability : how firmly the draws settle the choice at the model's own thresholds.
    design : of the draws; None if they are independent.
    """

    model: ResolvedModel
    base: Outcomes
    psa: Outcomes | None
    base_incremental: IncrementalAnalysis | None
    incremental: IncrementalAnalysis | None
    summary: xr.Dataset | None
    curves: xr.Dataset | None
    at_thresholds: xr.Dataset | None
    icers: tuple[IcerEstimate, ...]
    variance: tuple[VarianceSplit, ...] = ()
    stability: tuple[Stability, ...] = ()
    design: Design | None = None

    @property
    def replicates(self) -> int:
        """Replicates of the sampling design; 1 for independent draws."""
        return 1 if self.design is None else self.design.replicates

    @property
    def reach(self) -> float:
        """Standard errors in the half-width of a 95 % interval of Monte Carlo error."""
        return error_multiplier(self.replicates)

    @property
    def cost(self) -> str:
        """Name of the cost outcome."""
        assert self.model.decision.cost is not None
        return self.model.decision.cost

    @property
    def effect(self) -> str:
        """Name of the effect outcome."""
        assert self.model.decision.effect is not None
        return self.model.decision.effect

    @property
    def compares(self) -> bool:
        """Whether there are strategies to compare by cost and effect."""
        return self.base_incremental is not None


def analyse(
    model: ResolvedModel,
    base: Outcomes,
    psa: Outcomes | None = None,
    *,
    design: Design | None = None,
) -> Analysis:
    """The decision analysis of a base case, and of draws if there are any.

    Parameters
    ----------
    model, base, psa : what was run.
    design : of the draws, whose errors are then those of its replicates; None: independent draws.
    """
    found = _decided(model, base, psa, design)
    return replace(found, variance=tuple(_variance(found)), design=design)


def _variance(analysis: Analysis) -> list[VarianceSplit]:
    """The spread of the draws, or of the base case if there are none."""
    outcomes = analysis.psa or analysis.base
    if not outcomes.patients:
        return []
    net: dict[str, Any] = {}
    table = analysis.incremental or analysis.base_incremental
    if table is not None:
        net = {
            "cost": analysis.cost,
            "effect": analysis.effect,
            "comparator": str(table.rows[0].strategy),
            "thresholds": analysis.model.decision.thresholds,
        }
    return split_variance(
        outcomes.totals[DISCOUNTED], outcomes.between_patients, patients=outcomes.patients, **net
    )


def _decided(
    model: ResolvedModel, base: Outcomes, psa: Outcomes | None, design: Design | None
) -> Analysis:
    cost, effect = model.decision.cost, model.decision.effect
    comparable = cost is not None and effect is not None and cost in model.outcomes
    if not comparable or effect not in model.outcomes or len(model.strategies) < 2:
        return Analysis(model, base, psa, None, None, None, None, None, ())
    assert cost is not None
    assert effect is not None
    base_incremental = incremental_analysis(
        base.total(cost).isel({DRAW: 0}), base.total(effect).isel({DRAW: 0})
    )
    if psa is None or psa.draws < 2:
        return Analysis(model, base, psa, base_incremental, None, None, None, None, ())
    costs, effects = psa.total(cost), psa.total(effect)
    incremental = incremental_analysis(costs.mean(DRAW), effects.mean(DRAW))
    thresholds = list(model.decision.thresholds)
    comparator = str(incremental.rows[0].strategy)
    replicates = 1 if design is None else design.replicates
    wtp = thresholds or [top_of_curve(incremental, thresholds)]
    return Analysis(
        model=model,
        base=base,
        psa=psa,
        base_incremental=base_incremental,
        incremental=incremental,
        summary=summary(costs, effects, wtp, comparator=comparator, replicates=replicates),
        curves=decision_curves(
            costs, effects, curve_grid(incremental, thresholds), replicates=replicates
        ),
        at_thresholds=decision_curves(costs, effects, thresholds, replicates=replicates)
        if thresholds
        else None,
        stability=stability(costs, effects, thresholds, replicates=replicates)
        if thresholds
        else (),
        icers=tuple(
            icer_estimate(costs, effects, strategy=later, comparator=earlier, replicates=replicates)
            for earlier, later in zip(incremental.frontier, incremental.frontier[1:], strict=False)
        ),
    )


def curve_grid(incremental: IncrementalAnalysis, thresholds: list[float]) -> list[float]:
    """Thresholds of the curves: even steps that hold the model's own."""
    top = top_of_curve(incremental, thresholds)
    grid = np.linspace(0, top, CURVE_POINTS)
    return sorted({round(float(value), 6) for value in (*grid, *thresholds)})


def top_of_curve(incremental: IncrementalAnalysis, thresholds: list[float]) -> float:
    """A round threshold beyond the model's own, or twice the last ICER; no more than is allowed."""
    icers = [row.icer for row in incremental.rows if row.icer is not None]
    if thresholds and max(thresholds) > 0:
        wanted = max(thresholds) * 4 / 3
    elif icers and max(icers) > 0:
        wanted = 2 * max(icers)
    else:
        wanted = 100_000.0
    step = 10 ** np.floor(np.log10(wanted)) / 2
    return min(float(np.ceil(wanted / step) * step), LARGEST_WTP)

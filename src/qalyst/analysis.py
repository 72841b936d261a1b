"""The decision analysis of a run: what is best value, and how sure that is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from qalyst.axes import DRAW, WTP
from qalyst.decision.cea import IncrementalAnalysis, incremental_analysis
from qalyst.decision.convergence import Stability, stability
from qalyst.decision.estimates import IcerEstimate, icer_estimate, summary
from qalyst.decision.net_benefit import LARGEST_WTP
from qalyst.decision.replicates import error_multiplier
from qalyst.decision.uncertainty import decision_curves
from qalyst.decision.variance import VarianceSplit, split_variance
from qalyst.information import Information, enough_to_learn, model_information
from qalyst.model.resolved import Decision, ResolvedModel
from qalyst.outcomes import DISCOUNTED, Outcomes, Totals
from qalyst.params.money import Money
from qalyst.params.parameter import Parameter
from qalyst.stats.designs import Design
from qalyst.units import Unit

if TYPE_CHECKING:
    import xarray as xr

CURVE_POINTS = 101


class Labelled(Protocol):
    """What has a label."""

    @property
    def label(self) -> str:
        """As it is called in print."""


class Measured(Protocol):
    """What has a unit."""

    @property
    def unit(self) -> Unit:
        """The unit."""

    @property
    def unit_text(self) -> str:
        """The unit as it is written."""


class Question(Protocol):
    """What a decision is about: the names, labels, units and thresholds that a report needs."""

    @property
    def title(self) -> str:
        """One sentence."""

    @property
    def strategies(self) -> Mapping[str, Labelled]:
        """What is compared, by name."""

    @property
    def outcomes(self) -> Mapping[str, Measured]:
        """What is added up, by name."""

    @property
    def decision(self) -> Decision:
        """Which outcomes are compared, at which thresholds."""

    @property
    def money(self) -> Money | None:
        """Currency and price year."""

    @property
    def parameters(self) -> Mapping[str, Parameter]:
        """The parameters, by name."""

    @property
    def used_parameters(self) -> tuple[str, ...]:
        """Those that are read."""


@dataclass(frozen=True)
class Decided:
    """The decision that draws of costs and effects support, whoever made them.

    Attributes
    ----------
    model : names, labels, units and thresholds; of a run, the model.
    psa : outcomes of the draws; None without a probabilistic analysis.
    incremental : fully incremental analysis of the means over draws; None without a cost and an
        effect to compare, or without draws.
    summary : means with Monte Carlo standard errors and intervals; see `decision.estimates`.
    curves : CEAC, CEAF, EVPI and expected loss over `wtp`; see `decision.uncertainty`.
    at_thresholds : the same at the model's own thresholds.
    icers : uncertainty of the ICER of each strategy on the frontier.
    stability : how firmly the draws settle the choice at the model's own thresholds.
    design : of the draws; None if they are independent.
    """

    model: Question
    psa: Totals | None = None
    incremental: IncrementalAnalysis | None = None
    summary: xr.Dataset | None = None
    curves: xr.Dataset | None = None
    at_thresholds: xr.Dataset | None = None
    icers: tuple[IcerEstimate, ...] = ()
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
    def headline(self) -> IncrementalAnalysis | None:
        """The table that counts: of the means over draws, or of a base case without draws."""
        return self.incremental

    @property
    def compares(self) -> bool:
        """Whether there are strategies to compare by cost and effect."""
        return self.headline is not None

    @property
    def varies(self) -> bool:
        """Whether there are draws, and they differ."""
        if self.psa is None or self.psa.draws < 2:
            return False
        return bool((self.psa.totals[DISCOUNTED].std(DRAW) > 0).any())


@dataclass(frozen=True)
class Analysis(Decided):
    """A model's results and the decision that they support.

    Attributes
    ----------
    base : outcomes of the deterministic base case, with the trace.
    base_incremental : its fully incremental analysis; None without a cost and an effect to compare.
    variance : where the spread of each result comes from; empty without patients.
    information : what it is worth to learn each input, at each threshold with draws enough.
    """

    model: ResolvedModel
    psa: Outcomes | None = None
    base: Outcomes = field(kw_only=True)
    base_incremental: IncrementalAnalysis | None = None
    variance: tuple[VarianceSplit, ...] = ()
    information: tuple[Information, ...] = ()

    @property
    def headline(self) -> IncrementalAnalysis | None:
        """The table that counts: of the means over draws, or of the base case without draws."""
        return self.incremental or self.base_incremental

    @property
    def varies(self) -> bool:
        """Whether there are draws, and a parameter differs between them."""
        if self.psa is None or self.psa.draws < 2:
            return False
        return any(self.model.parameters[name].drawn for name in self.model.used_parameters)


def analyse(
    model: ResolvedModel,
    base: Outcomes,
    psa: Outcomes | None = None,
    *,
    seed: int | None = None,
    design: Design | None = None,
) -> Analysis:
    """The decision analysis of a base case, and of draws if there are any.

    Parameters
    ----------
    model : the resolved model.
    base, psa : outcomes of its base case, and of draws.
    seed : of the draws; without it nothing is said of the value of learning single inputs.
    design : of the draws, whose errors are then those of its replicates; None: independent draws.
    """
    found = _decided(model, base, psa, design)
    learnt: tuple[Information, ...] = ()
    thresholds = model.decision.thresholds
    decided = found.incremental is not None and found.varies and bool(thresholds)
    if decided and seed is not None and psa is not None and enough_to_learn(psa.total(found.cost)):
        learnt = model_information(model, psa, seed=seed, wtp=thresholds, design=design)
    if psa is not None and psa.patients and learnt:
        evpi = [(each.evpi, each.evpi_mcse) for each in learnt]
        found = replace(found, at_thresholds=without_luck(found.at_thresholds, evpi))
    return replace(found, variance=tuple(_variance(found)), information=learnt)


def without_luck(curves: xr.Dataset | None, evpi: Sequence[tuple[float, float]]) -> xr.Dataset:
    """Curves of simulated patients with the EVPI of the parameters alone.

    The best strategy of a draw is chosen by the luck of its patients as well, so the mean of the
    best is too high.

    Parameters
    ----------
    curves : at some thresholds; see `decision.uncertainty`.
    evpi : [wtp] value of knowing all parameters, by regression, and its standard error.

    References
    ----------
    Strong, Oakley & Brennan (2014) Med Decis Making 34:311-326, regression of a noisy model.
    """
    assert curves is not None
    values, errors = np.array(evpi).T
    return curves.assign(evpi=(WTP, values), evpi_mcse=(WTP, errors))


def _variance(analysis: Analysis) -> list[VarianceSplit]:
    """The spread of the draws, or of the base case if there are none."""
    outcomes = analysis.psa or analysis.base
    if not outcomes.patients:
        return []
    net: dict[str, Any] = {}
    table = analysis.headline
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
        return Analysis(model, psa, base=base, design=design)
    assert cost is not None
    assert effect is not None
    base_incremental = incremental_analysis(
        base.total(cost).isel({DRAW: 0}), base.total(effect).isel({DRAW: 0})
    )
    found = Analysis(model, psa, base=base, base_incremental=base_incremental, design=design)
    if psa is None or psa.draws < 2:
        return found
    return replace(found, **decision_of(model, psa, replicates=found.replicates))


def decision_of(question: Question, psa: Totals, *, replicates: int = 1) -> dict[str, Any]:
    """What draws say of a decision: the fields of `Decided` but the question and the draws.

    Parameters
    ----------
    question : names, labels, units and thresholds.
    psa : outcomes of the draws.
    replicates : of the sampling design of the draws; 1 for independent draws.
    """
    cost, effect = question.decision.cost, question.decision.effect
    assert cost is not None
    assert effect is not None
    costs, effects = psa.total(cost), psa.total(effect)
    incremental = incremental_analysis(costs.mean(DRAW), effects.mean(DRAW))
    thresholds = list(question.decision.thresholds)
    comparator = str(incremental.rows[0].strategy)
    wtp = thresholds or [top_of_curve(incremental, thresholds)]
    how: dict[str, Any] = {"replicates": replicates}
    return {
        "incremental": incremental,
        "summary": summary(costs, effects, wtp, comparator=comparator, **how),
        "curves": decision_curves(costs, effects, curve_grid(incremental, thresholds), **how),
        "at_thresholds": decision_curves(costs, effects, thresholds, **how) if thresholds else None,
        "stability": stability(costs, effects, thresholds, **how) if thresholds else (),
        "icers": tuple(
            icer_estimate(costs, effects, strategy=later, comparator=earlier, **how)
            for earlier, later in zip(incremental.frontier, incremental.frontier[1:], strict=False)
        ),
    }


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

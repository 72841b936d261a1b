"""The decision of a model judged by several of its outcomes in turn."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from qalyst.decision.by_effect import EffectAnalysis, incremental_by_effect, net_benefits
from qalyst.decision.net_benefit import thresholds
from qalyst.errors import ModelError, nearest
from qalyst.model.compared import check_strategies
from qalyst.model.resolved import ResolvedModel
from qalyst.simulation import Progress, check_request, simulate
from qalyst.units import currencies

if TYPE_CHECKING:
    import xarray as xr


@dataclass(frozen=True)
class OutcomeComparison:
    """Incremental analyses of the same draws by several effects.

    Attributes
    ----------
    cost : name of the cost outcome.
    by_effect : the fully incremental analysis by each effect.
    benefits : net benefits of the model's own effect by threshold, against the cheapest strategy;
        None without an effect or a threshold above 0.
    """

    model: ResolvedModel
    seed: int
    draws: int
    cost: str
    by_effect: tuple[EffectAnalysis, ...]
    benefits: xr.Dataset | None


def compare_outcomes(
    model: ResolvedModel,
    *,
    draws: int,
    seed: int,
    effects: Sequence[str] = (),
    wtp: Sequence[float] = (),
    threads: int | None = None,
    progress: Progress | None = None,
) -> OutcomeComparison:
    """Fully incremental analyses by each of some outcomes, over the same draws.

    Parameters
    ----------
    model : with a cost and two strategies or more.
    draws, seed, threads, progress : see `simulate`.
    effects : names of outcomes; every one that is no money if none is given.
    wtp : thresholds of net benefit by the model's own effect; those of the model if none is given.

    Raises
    ------
    ModelError
        Nothing to compare, or an outcome that the model does not have.
    """
    check_request(draws=draws, seed=seed, threads=threads)
    cost = model.decision.cost
    check_strategies(model)
    if cost is None or cost not in model.outcomes:
        raise ModelError(
            f"'{model.name}' has no cost to compare",
            where=f"{model.file}  decision",
            mend="name the outcomes: decision: {cost: costs, effect: qalys}",
        )
    known = [name for name in model.outcomes if name != cost]
    gains = [name for name in known if not currencies(model.outcomes[name].unit)]
    for name in effects:
        if name not in known:
            raise ModelError(
                f"no outcome '{name}' to compare costs with",
                where=f"command line  --effects {','.join(effects)}",
                mend=nearest(name, known),
            )
    chosen = tuple(dict.fromkeys(effects)) or tuple(gains)
    if not chosen:
        raise ModelError(
            f"'{model.name}' counts money alone: there is no effect to compare",
            where=f"{model.file}  outcomes",
            mend="add an effect, such as qalys, or name outcomes: --effects a,b",
        )
    if 0 in wtp:
        raise ModelError(
            "net health benefit divides by a willingness to pay of 0",
            where="command line  --wtp 0",
            mend="give amounts above 0",
        )
    amounts = sorted(each for each in (wtp or model.decision.thresholds) if each != 0)
    if amounts:
        thresholds(amounts)  # refused before the draws, not after
    found = simulate(model, draws=draws, seed=seed, threads=threads, progress=progress)
    costs = found.total(cost)
    by_effect = incremental_by_effect(
        costs, {name: found.total(name) for name in chosen}, seed=seed
    )
    own = model.decision.effect
    benefits = None
    if own in model.outcomes and amounts:
        assert own is not None
        cheapest = by_effect[0].table.rows[0].strategy
        benefits = net_benefits(costs, found.total(own), amounts, comparator=cheapest)
    return OutcomeComparison(model, seed, draws, cost, by_effect, benefits)

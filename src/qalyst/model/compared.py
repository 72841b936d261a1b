"""What a model compares its strategies by: a cost, an effect, and thresholds."""

from __future__ import annotations

from collections.abc import Sequence

from qalyst.errors import ModelError
from qalyst.model.resolved import ResolvedModel


def compared_outcomes(model: ResolvedModel) -> tuple[str, str]:
    """Names of the cost and the effect by which strategies are compared.

    Raises
    ------
    ModelError
        The model has one strategy, or states no cost or no effect.
    """
    cost, effect = cost_and_effect(model)
    check_strategies(model)
    return cost, effect


def cost_and_effect(model: ResolvedModel) -> tuple[str, str]:
    """Names of the cost and the effect, whatever the strategies are.

    Raises
    ------
    ModelError
        The model states no cost or no effect.
    """
    cost, effect = model.decision.cost, model.decision.effect
    if cost is None or effect is None or not {cost, effect} <= model.outcomes.keys():
        raise ModelError(
            f"'{model.name}' has no cost and effect to compare",
            where=f"{model.file}  decision",
            mend="add `decision: {cost: ..., effect: ..., thresholds: [...]}`",
        )
    return cost, effect


def check_strategies(model: ResolvedModel) -> None:
    """Refuse a model of one strategy."""
    if len(model.strategies) < 2:
        raise ModelError(
            f"'{model.name}' has one strategy: there is nothing to compare",
            where=f"{model.file}  strategies",
            mend="add a strategy",
        )


def thresholds_of(model: ResolvedModel, asked: Sequence[float] = ()) -> tuple[float, ...]:
    """Willingness to pay, currency per unit of effect: as asked for, else the model's own.

    Raises
    ------
    ModelError
        None at all, one that is no willingness to pay, or one that is given twice.
    """
    from qalyst.decision.net_benefit import thresholds

    known = list(asked) or list(model.decision.thresholds)
    if not known:
        raise ModelError(
            f"'{model.name}' states no willingness to pay",
            where=f"{model.file}  decision.thresholds",
            mend="give one: --wtp 50000",
        )
    return tuple(map(float, thresholds(known).values))

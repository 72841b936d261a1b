"""The decision that outside draws support: costs and effects that another tool made."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import ArrayLike

from qalyst.analysis import Decided, decision_of
from qalyst.decision._inputs import DRAWS, Values, labelled, names
from qalyst.decision.net_benefit import thresholds
from qalyst.decision.uncertainty import check_draws
from qalyst.errors import ModelError
from qalyst.model.resolved import Decision
from qalyst.outcomes import Totals, totals_dataset
from qalyst.params.money import Money
from qalyst.params.parameter import Parameter
from qalyst.units import Unit, is_currency, parse_unit

COST = "costs"
UNITS_OF_EFFECTS = {"qalys": "QALY", "life_years": "year"}


@dataclass(frozen=True)
class Called:
    """A strategy of which only the name is known."""

    label: str


@dataclass(frozen=True)
class Amount:
    """What is added up, in its unit."""

    unit: Unit
    unit_text: str


@dataclass(frozen=True)
class OutsideQuestion:
    """Names, units and thresholds of outside draws."""

    title: str
    strategies: Mapping[str, Called]
    outcomes: Mapping[str, Amount]
    decision: Decision
    money: Money | None = None
    parameters: Mapping[str, Parameter] = field(default_factory=dict)
    used_parameters: tuple[str, ...] = ()


def decide(
    costs: Values,
    effects: Values,
    *,
    wtp: ArrayLike = (),
    currency: str = "",
    effect: str = "qalys",
    strategies: Sequence[str] | None = None,
) -> Decided:
    """The decision that draws of costs and effects support.

    Parameters
    ----------
    costs : [draw, strategy], currency; labelled arrays, mappings from strategy to [draw], data
        frames with a column a strategy, or plain arrays.
    effects : [draw, strategy], e.g. QALYs; likewise.
    wtp : [wtp] thresholds, currency per unit of effect.
    currency : three letters, such as GBP; of axes and sentences.
    effect : what the effects are called: ``qalys``, ``life_years``, ...
    strategies : names, if `costs` and `effects` are plain arrays.

    Raises
    ------
    ModelError
        Draws that cannot be compared: of one strategy only, fewer than two, not finite, of
        different strategies or numbers; or no threshold that can be.

    Examples
    --------
    >>> found = decide(
    ...     {"old": [0.0, 0.0], "new": [10.0, 10.0]}, {"old": [0.0, 0.0], "new": [0.0, 3.0]}, wtp=10
    ... )
    >>> found.incremental["new"].icer, found.at_thresholds.evpi.item()
    (6.666666666666667, 5.0)
    """
    cost, gain = labelled(costs, effects, strategies=strategies, dims=DRAWS)
    check_draws(cost)
    known = names(cost)
    if len(known) < 2:
        raise ModelError(
            f"'{known[0]}' is the only strategy", where="costs", mend="give two or more to compare"
        )
    if effect == COST or not effect:
        raise ModelError(
            f"the effects are called '{effect}'", where="effect", mend="call them qalys, say"
        )
    asked = tuple(map(float, thresholds(wtp))) if np.size(wtp) else ()
    question = OutsideQuestion(
        title="Outside draws",
        strategies={name: Called(name) for name in known},
        outcomes={COST: _amount(currency, "currency"), effect: _effect(effect)},
        decision=Decision(COST, effect, asked, "", stated=True),
    )
    values = np.stack([cost.to_numpy(), gain.to_numpy()], axis=-1)[..., None]
    # no rate is known: what was discounted, and how, is for who made the draws to say
    both = np.concatenate([values, values], axis=-1)
    psa = Totals(totals_dataset(both, list(known), [COST, effect]))
    return Decided(question, psa, **decision_of(question, psa))


def _amount(currency: str, where: str) -> Amount:
    if not currency:
        return Amount(parse_unit("1"), "1")
    if not is_currency(currency):
        raise ModelError(
            f"'{currency}' is no currency", where=where, mend="write three capitals, such as GBP"
        )
    return Amount(parse_unit(currency), currency)


def _effect(name: str) -> Amount:
    text = UNITS_OF_EFFECTS.get(name, "1")
    return Amount(parse_unit(text), text)

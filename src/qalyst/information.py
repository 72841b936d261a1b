"""What it is worth to learn about a model: its inputs one by one, by kind, and in given groups."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from qalyst.axes import STRATEGY, Float
from qalyst.decision.evppi import FEWEST_DRAWS, Evppi, evppi
from qalyst.decision.uncertainty import decision_curves
from qalyst.model.resolved import ResolvedModel
from qalyst.outcomes import Outcomes
from qalyst.params.inputs import Input, drawn, uncertain_inputs
from qalyst.simulation import draws_of
from qalyst.stats.designs import Design
from qalyst.units import PROBABILITY, RATIOS, currencies, is_rate

if TYPE_CHECKING:
    import xarray as xr

Groups = Mapping[str, tuple[str, ...]]  # what a group is called -> names of inputs


@dataclass(frozen=True)
class Information:
    """Values of information at one threshold, currency per person.

    Attributes
    ----------
    wtp : willingness to pay.
    evpi, evpi_mcse : of knowing all. Of simulated patients, by regression on all inputs, since the
        best strategy of each draw holds the patients' luck.
    singles : of each input alone, the most valuable first; what shows no dependence is last.
    groups : what a group is called -> its value.
    """

    wtp: float
    evpi: float
    evpi_mcse: float
    singles: tuple[Evppi, ...]
    groups: Mapping[str, Evppi]


def information(
    costs: xr.DataArray,
    effects: xr.DataArray,
    inputs: Mapping[str, Float],
    wtp: float,
    *,
    groups: Groups | None = None,
    deterministic: bool = True,
) -> Information:
    """Values of information of draws at one threshold.

    Parameters
    ----------
    costs, effects : [draw, strategy].
    inputs : name -> [draw].
    wtp : willingness to pay.
    groups : what a group is called -> names of inputs.
    deterministic : whether the inputs decide costs and effects, without the luck of patients.

    Raises
    ------
    ModelError
        Too few draws, or names that no input has; see `decision.evppi`.
    """
    singles = evppi(costs, effects, inputs, wtp)
    named = dict(groups or {})
    found = (
        evppi(costs, effects, inputs, wtp, of=list(named.values()), deterministic=deterministic)
        if named
        else ()
    )
    if deterministic:
        curves = decision_curves(costs, effects, wtp)
        evpi, error = float(curves.evpi.item()), float(curves.evpi_mcse.item())
    else:
        (everything,) = evppi(costs, effects, inputs, wtp, of=[tuple(inputs)])
        evpi, error = everything.value, everything.se
    return Information(
        wtp=wtp,
        evpi=evpi,
        evpi_mcse=error,
        singles=ranked(singles),
        groups=dict(zip(named, found, strict=True)),
    )


def ranked(values: Iterable[Evppi]) -> tuple[Evppi, ...]:
    """The most valuable first; what shows no dependence last."""
    return tuple(sorted(values, key=lambda each: (not each.detected, -each.value)))


def model_information(
    model: ResolvedModel,
    psa: Outcomes,
    *,
    seed: int,
    wtp: Sequence[float],
    groups: Groups | None = None,
    design: Design | None = None,
) -> tuple[Information, ...]:
    """Values of information of a run at each threshold.

    Parameters
    ----------
    model, psa, seed, design : of the run.
    wtp : thresholds.
    groups : what a group is called -> names of inputs; none if None.
    """
    inputs = model_draws(model, psa.draws, seed, design)
    cost, effect = str(model.decision.cost), str(model.decision.effect)
    costs, effects = psa.total(cost), psa.total(effect)
    return tuple(
        information(costs, effects, inputs, each, groups=groups, deterministic=not psa.patients)
        for each in wtp
    )


def model_draws(
    model: ResolvedModel, draws: int, seed: int, design: Design | None = None
) -> dict[str, Float]:
    """Name of each uncertain input -> its draws in a run, in the unit of its record."""
    inputs = uncertain_inputs(model.parameters, model.used_parameters)
    return drawn(inputs, draws_of(model, seed, np.arange(draws), design))


def enough_to_learn(costs: xr.DataArray) -> bool:
    """Whether there are draws enough for a regression."""
    return costs.shape[0] >= max(FEWEST_DRAWS, costs.sizes[STRATEGY])


def kinds(inputs: Sequence[Input]) -> dict[str, tuple[str, ...]]:
    """The inputs by what they are: costs, utilities, relative effects, ...

    Examples
    --------
    >>> from qalyst.model.resolve import load_model
    >>> model = load_model("sick_sicker")
    >>> found = kinds(uncertain_inputs(model.parameters, model.used_parameters))
    >>> found["Utilities"]
    ('u_sick', 'u_sick_treated', 'u_sicker')
    """
    found: dict[str, tuple[str, ...]] = {}
    for each in inputs:
        kind = _kind(each)
        found[kind] = (*found.get(kind, ()), each.name)
    return found


def _kind(each: Input) -> str:
    parameter = each.parameter
    unit = parameter.unit
    if parameter.curve is not None:
        return "Survival"
    if currencies(unit):
        return "Costs"
    if unit.kind in RATIOS:
        return "Relative effects"
    if unit.kind == PROBABILITY:
        return "Probabilities"
    if parameter.unit_text == "utility":
        return "Utilities"
    return "Rates" if is_rate(unit) else "Others"

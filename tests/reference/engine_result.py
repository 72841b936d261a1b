"""Results of the product's engines in the form of the twin's."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from qalyst.model.resolved import ResolvedModel
from qalyst.outcomes import Outcomes
from qalyst.simulation import base_case


@dataclass
class EngineResult:
    outcomes: dict[str, dict[str, Any]]
    undiscounted: dict[str, dict[str, Any]]
    rows: dict[str, dict[tuple[str, str], Any]]
    rows_undiscounted: dict[str, dict[tuple[str, str], Any]]
    by_profile: dict[str, dict[tuple[Any, ...], dict[str, Any]]]
    trace: dict[str, dict[str, Any]]


def run_engine(model: ResolvedModel) -> EngineResult:
    return as_twin(model, base_case(model))


def as_twin(model: ResolvedModel, found: Outcomes) -> EngineResult:
    def totals(undiscounted: bool) -> dict[str, dict[str, Any]]:
        return {
            s: {
                o: found.total(o, undiscounted=undiscounted).sel(strategy=s).to_numpy()
                for o in model.outcomes
            }
            for s in model.strategies
        }

    def rows(undiscounted: bool) -> dict[str, dict[tuple[str, str], Any]]:
        amounts = found.amounts(undiscounted=undiscounted)
        result: dict[str, dict[tuple[str, str], Any]] = {}
        for s in model.strategies:
            result[s] = {
                (payoff.outcome, payoff.name): np.zeros(amounts.sizes["draw"])
                for payoff in model.payoffs
            }
            own = amounts.sel(strategy=s)
            for cell in range(own.sizes["cell"]):
                at = own.isel(cell=cell)
                result[s][str(at.outcome.item()), str(at.row.item())] += at.to_numpy()
        return result

    dimensions = list(model.dimensions.values())
    by_profile: dict[str, dict[tuple[Any, ...], dict[str, Any]]] = {}
    for s in model.strategies:
        by_profile[s] = {}
        for name in found.profiles.profile.to_numpy():
            words = dict(part.rsplit(" ", 1) for part in str(name).split(", ") if " " in part)
            labels = tuple(
                next(label for label in d.labels if str(label) == words[d.name]) for d in dimensions
            )
            own = found.profiles["discounted"].sel(strategy=s, profile=name)
            by_profile[s][labels] = {o: own.sel(outcome=o).to_numpy() for o in model.outcomes}
    trace: dict[str, dict[str, Any]] = {}
    if found.trace is not None:
        for s in model.strategies:
            own = found.trace.sel(strategy=s)
            trace[s] = {
                state: own.isel(place=own.state.to_numpy() == state)
                .sum("place")
                .to_numpy()[:, None]
                for state in model.states
                if not model.states[state].instant
            }
    return EngineResult(totals(False), totals(True), rows(False), rows(True), by_profile, trace)

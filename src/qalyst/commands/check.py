"""What `qalyst check` does: everything that can be found wrong without a run."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from qalyst.axes import Float
from qalyst.engines.engine import Shared
from qalyst.engines.partitioned import PartitionedEngine
from qalyst.errors import Mistakes, ModelError
from qalyst.model.evaluate import Evaluator
from qalyst.model.lowering import lower
from qalyst.model.merging import merge
from qalyst.model.program import Cell, Counted, Program
from qalyst.model.resolve import load_model
from qalyst.model.resolved import ResolvedModel
from qalyst.params.draws import BaseCase
from qalyst.published import check_targets


def check_model(name: str, scenarios: tuple[str, ...] = ()) -> dict[str, Any]:
    """Check a model: as given, and under each of its scenarios.

    Raises
    ------
    ModelError
        All that is wrong, each mistake once.
    """
    model = load_model(name, scenarios=scenarios)
    mistakes = Mistakes()
    sizes: dict[str, Any] = {}
    with mistakes.caught():
        sizes = _check_values(model)
    with mistakes.caught():
        check_targets(model, name)
    others = [scenario for scenario in model.known_scenarios if scenario not in scenarios]
    for scenario in others:
        with mistakes.caught():
            _check_values(load_model(name, scenarios=(*scenarios, scenario)))
    mistakes.raise_if_any()
    statuses = [model.parameters[key].status for key in model.used_parameters]
    return {
        "model": model.name,
        "file": model.file,
        "sha256": model.sha256,
        "scenarios_checked": [*scenarios, *others],
        "strategies": list(model.strategies),
        "states": list(model.states),
        "transitions": len(model.transitions),
        "payoffs": len(model.payoffs),
        "profiles": sizes.pop("profiles", 1),
        "compartments": sizes,
        "parameters": len(statuses),
        "parameter_status": {word: statuses.count(word) for word in sorted(set(statuses))},
        "notes": list(model.notes),
    }


def _check_values(model: ResolvedModel) -> dict[str, Any]:
    """Follow every place and check bounds at base values; strategy -> places and cells."""
    shared = Shared(model)
    evaluate = shared.evaluator(BaseCase(model.parameters))
    shared.profile_weights(evaluate)
    check = _check_shares if model.occupancy else _check_places
    return {"profiles": len(shared.labels), **check(shared, evaluate)}


def _check_shares(shared: Shared, evaluate: Evaluator) -> dict[str, Any]:
    """Partitioned survival: it has no places."""
    found, _ = PartitionedEngine(shared).base(evaluate, threads=1)
    for program in found.programs:
        for number, amount in zip(program.cells, program.amount, strict=True):
            _check_amount(shared, evaluate, shared.cells[number], amount)
    return {}


def _check_places(shared: Shared, evaluate: Evaluator) -> dict[str, Any]:
    """Strategy -> places and cells of its largest profile."""
    sizes: dict[str, Any] = {}
    counted: dict[tuple[Cell, int, int], tuple[Counted, int]] = {}
    for strategy in shared.model.strategies:
        programs = [lower(shared.partial, strategy, profile) for profile in shared.profiles]
        merged = [merge(program, shared.partial.residuals) for program in programs]
        for program in programs:
            shared.guards.add(program.guards)
            for item, bins in _counted(program):
                counted.setdefault((item.cell, item.quantity.index, bins), (item, bins))
        sizes[strategy] = {
            "reached": max(program.reached for program in merged),
            "merged": max(len(program.compartments) for program in merged),
            "cells": max(program.cells for program in merged),
        }
    shared.guards.check(evaluate, np.array([], np.int64))
    for item, bins in counted.values():
        _check_amount(shared, evaluate, item.cell, _reachable(evaluate(item.quantity, bins)))
    return sizes


def _counted(program: Program) -> Iterator[tuple[Counted, int]]:
    """Everything that a program counts, with the bins of time in state that it is counted over."""
    for event in program.start.events:
        yield from ((item, 1) for item in event)
    for compartment in program.compartments.values():
        yield from ((item, compartment.bins) for item in compartment.counted)
        for flow in (*compartment.risks, *compartment.schedules):
            for event in flow.route.events:
                yield from ((item, compartment.bins) for item in event)


def _reachable(values: Float) -> Float:
    """The values of cycles that begin, for those who are not longer in a state than in the model.

    Parameters
    ----------
    values : [cycle, residence, draw]; an axis that is not used has length 1.
    """
    cycles, bins, _ = values.shape
    if cycles == 1:
        return values
    begun = values[:-1]
    return begun[np.tri(cycles - 1, bins, dtype=bool)] if bins > 1 else begun


def _check_amount(shared: Shared, evaluate: Evaluator, cell: Cell, quantity: Float) -> None:
    payoff = shared.model.payoffs[cell.payoff]
    for word, values, expression in (
        ("price", shared.price(evaluate, cell), payoff.price),
        ("quantity", quantity, payoff.quantity),
    ):
        if not np.isfinite(values).all():
            raise ModelError(
                f"the {word} of '{payoff.name}' in '{cell.state}' is no number at base values",
                where=expression.shown,
                mend="look for a division by 0, or a logarithm or power of a negative number",
            )

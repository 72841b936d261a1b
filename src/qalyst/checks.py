"""What `qalyst check` does: everything that can be found wrong without a run."""

from __future__ import annotations

from typing import Any

import numpy as np

from qalyst.engines.engine import Shared
from qalyst.engines.partitioned import PartitionedEngine
from qalyst.errors import Mistakes
from qalyst.model.lowering import lower
from qalyst.model.merging import merge
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
    sizes: dict[str, Any] = {"profiles": len(shared.profiles)}
    if model.occupancy:
        PartitionedEngine(shared).base(evaluate, threads=1)
    else:
        for strategy in model.strategies:
            for profile in shared.profiles:
                program = lower(shared.partial, strategy, profile)
                shared.guards.add(program.guards)
            merged = merge(program, shared.partial.residuals)
            sizes[strategy] = {
                "reached": program.reached,
                "merged": len(merged.compartments),
                "cells": merged.cells,
            }
    shared.guards.check(evaluate, np.array([], np.int64))
    return sizes

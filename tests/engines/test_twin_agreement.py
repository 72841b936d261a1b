"""The engines agree with the plain numpy twin, which was written apart from them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from engine_result import as_twin
from twin import run_twin

from qalyst.model.resolve import load_model
from qalyst.params.draws import BaseCase, Draws
from qalyst.simulation import base_case, simulate

ROOT = Path(__file__).parents[2]
FILES = sorted(
    path
    for folder in ("models", "tests/reference/models", "tests/engines/models")
    for path in (ROOT / folder).glob("*.yaml")
    if path.stem != "nelm"
)
RELATIVE = 1e-12  # exact algebra in another order
SEED, DRAWS = 11, 3


def cases():
    for path in FILES:
        for scenario in (None, *load_model(str(path)).known_scenarios):
            yield pytest.param(path, scenario, id=f"{path.stem} {scenario or ''}".strip())


def check_same(found, expected, model):
    scale = {
        outcome: max(
            np.abs(np.asarray(values[outcome])).max() for values in expected.outcomes.values()
        )
        for outcome in model.outcomes
    }
    for strategy in model.strategies:
        for outcome in model.outcomes:
            for mine, theirs in (
                (found.outcomes, expected.outcomes),
                (found.undiscounted, expected.undiscounted),
            ):
                np.testing.assert_allclose(
                    mine[strategy][outcome],
                    theirs[strategy][outcome],
                    rtol=RELATIVE,
                    atol=RELATIVE * scale[outcome],
                    err_msg=f"{strategy} {outcome}",
                )
        for key, amount in expected.rows[strategy].items():
            np.testing.assert_allclose(
                found.rows[strategy].get(key, 0.0),
                amount,
                rtol=RELATIVE,
                atol=10 * RELATIVE * scale[key[0]],
                err_msg=f"{strategy} {key}",
            )


@pytest.mark.parametrize(("path", "scenario"), list(cases()))
def test_base_case_and_trace_agree_with_the_twin(path, scenario):
    model = load_model(str(path), scenarios=[scenario] if scenario else [])
    found = as_twin(model, base_case(model))
    expected = run_twin(model, BaseCase(model.parameters))
    check_same(found, expected, model)
    for strategy in model.strategies:
        for state, occupancy in expected.trace[strategy].items():
            if state in found.trace[strategy]:
                np.testing.assert_allclose(
                    found.trace[strategy][state], occupancy, rtol=0, atol=1e-13, err_msg=state
                )


@pytest.mark.parametrize(("path", "scenario"), list(cases()))
def test_draws_agree_with_the_twin(path, scenario):
    model = load_model(str(path), scenarios=[scenario] if scenario else [])
    found = as_twin(model, simulate(model, draws=DRAWS, seed=SEED))
    values = Draws(model.parameters, SEED, np.arange(DRAWS))
    check_same(found, run_twin(model, values, DRAWS), model)


@pytest.mark.parametrize("events", ["one", "two"])
def test_nelm_agrees_with_the_twin_profile_by_profile(events):
    model = load_model(str(ROOT / "models/nelm.yaml"), scenarios=["base_case_man", "ten_years"])
    model = replace(model, timing=replace(model.timing, events_per_cycle=events))
    found = as_twin(model, simulate(model, draws=2, seed=SEED))
    check_same(found, run_twin(model, Draws(model.parameters, SEED, np.arange(2)), 2), model)

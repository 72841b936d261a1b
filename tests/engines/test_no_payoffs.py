"""A strategy that yields nothing at all, such as doing nothing in a decision tree."""

from __future__ import annotations

from pathlib import Path

from qalyst.model.resolve import load_model
from qalyst.simulation import base_case

MODEL = Path(__file__).parents[1] / "sensitivity" / "models" / "by_grade.yaml"


def test_a_strategy_without_any_payoff_costs_nothing():
    totals = base_case(load_model(str(MODEL))).totals.discounted.isel(draw=0)
    assert totals.sel(strategy="old").values.tolist() == [0, 0]
    assert totals.sel(strategy="new", outcome="costs") == 8_000

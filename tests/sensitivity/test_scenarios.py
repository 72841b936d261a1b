"""Scenarios one by one, from rows, and in every combination."""

from __future__ import annotations

from pathlib import Path

import pytest

from qalyst.errors import ModelError
from qalyst.model.resolve import load_model
from qalyst.sensitivity.scenarios import Scenario, scenario_table
from qalyst.simulation import base_case

BENT = str(Path(__file__).parent / "models" / "bent.yaml")
WTP = 10_000


def test_every_scenario_of_the_model_is_a_row_that_a_run_gives():
    found = scenario_table("hiv", wtp=WTP)
    assert [row.scenario.name for row in found.rows] == ["half_cycle", "undiscounted"]
    for row in found.rows:
        outcomes = base_case(load_model("hiv", scenarios=row.scenario.scenarios))
        for strategy, totals in row.found.discounted.items():
            for outcome, value in totals.items():
                expected = float(outcomes.total(outcome).sel(strategy=strategy).item())
                assert value == pytest.approx(expected, rel=1e-12)


def test_a_row_may_have_scenarios_and_values():
    row = Scenario("dear", ("half_cycle",), {"c_lamivudine": 9000.0}, "list price")
    (found,) = scenario_table("hiv", [row], wtp=WTP).rows
    model = load_model("hiv", scenarios=["half_cycle"], values={"c_lamivudine": 9000.0})
    expected = float(base_case(model).total("costs").sel(strategy="combination").item())
    assert found.found.discounted["combination"]["costs"] == pytest.approx(expected, rel=1e-12)


def test_an_empty_row_is_the_base_case():
    found = scenario_table("hiv", [Scenario("nothing")], wtp=WTP)
    assert found.rows[0].found == found.base


def test_combinations_leave_out_those_that_change_the_same_thing():
    found = scenario_table(BENT, cross=["cheap", "dear", "strong"], wtp=WTP)
    assert found.conflicts == (("cheap", "dear"),)
    names = [row.scenario.name for row in found.rows]
    assert names == ["cheap", "dear", "strong", "cheap + strong", "dear + strong"]
    # one: (2 c_thing + 30) against two: c_thing; 0.67 QALYs, and 0.67 x 3^3 under `strong`
    both = next(row for row in found.rows if row.scenario.name == "cheap + strong").found
    assert both.discounted["one"] == pytest.approx({"costs": 32, "qalys": 0.67})
    assert both.discounted["two"] == pytest.approx({"costs": 1, "qalys": 0.67 * 27})


def test_a_scenario_without_the_strategy_compared_is_told():
    found = scenario_table(BENT, wtp=WTP)
    lone = next(row for row in found.rows if row.scenario.name == "lone")
    assert lone.found is None
    assert "'two' is not part of it" in lone.problem
    with pytest.raises(ModelError, match="'mine' cannot be run"):
        scenario_table(BENT, [Scenario("mine", ("lone",))], wtp=WTP)


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        ({"cross": ["half_cycles"]}, "did you mean 'half_cycle'"),
        ({"cross": ["half_cycle", "half_cycle"]}, "given twice"),
        ({"rows": [Scenario("a", ("none",))]}, "no scenario 'none'"),
        ({"rows": [Scenario("a"), Scenario("a")]}, "two scenarios are called 'a'"),
        ({"rows": [Scenario("a")], "cross": ["half_cycle"]}, "both asked for"),
        ({"rows": [Scenario("a", values={"c_aa": 1.0})]}, "no parameter 'c_aa'"),
    ],
)
def test_what_is_no_scenario_is_refused(asked, words):
    with pytest.raises(ModelError, match=words):
        scenario_table("hiv", **{"wtp": WTP, **asked})


def test_a_model_without_scenarios_says_so():
    with pytest.raises(ModelError, match="has no scenarios"):
        scenario_table("krijkamp", wtp=WTP)

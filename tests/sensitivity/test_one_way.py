"""One-way analysis: published tables, and laws that hold for any model."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from qalyst.errors import ModelError
from qalyst.model.resolve import load_model
from qalyst.params.parameter import show_path
from qalyst.sensitivity.one_way import GIVEN, QUANTILES, one_way
from qalyst.sensitivity.points import open_study
from qalyst.simulation import base_case

HERE = Path(__file__).parent
CASES = HERE.parent / "cases"
WTP = 20_000


@pytest.fixture(scope="module")
def hiv():
    return open_study("hiv")


@pytest.fixture(scope="module")
def heemod():
    """The case, and our analysis of it."""
    case = json.loads((CASES / "dsa_hiv_heemod_oneway.json").read_text())
    ranges = {NAMES[name]: tuple(ends) for name, ends in case["model"]["dsa"].items()}
    study = open_study(str(HERE / "models" / "hiv_by_part.yaml"))
    found = one_way(study, ranges=ranges, wtp=WTP, strategy="combination", comparator="monotherapy")
    return case, {bar.input: bar for bar in found.bars}


NAMES = {
    "cost_lami": "c_lamivudine",
    "cost_zido": "c_zidovudine",
    "dr": "r_discount",
    "rr": "rr_combination",
}


def test_the_table_of_a_published_one_way_analysis(heemod):
    case, bars = heemod
    checked = 0
    for change, block in case["expected"]["rows"].items():
        name, value = change.split("=")
        bar = bars[NAMES[name]]
        end = bar.at_low if bar.low == float(value) else bar.at_high
        for ours, theirs in (("monotherapy", "mono"), ("combination", "comb")):
            got = (
                end.undiscounted[ours]["care"],
                end.undiscounted[ours]["drugs"],
                end.discounted[ours]["costs"],
                end.discounted[ours]["life_years"],
            )
            row = block[theirs]
            for mine, expected, allowed in zip(
                got, row["value"], row["abs_tol_by_column"], strict=True
            ):
                assert 1000 * mine == pytest.approx(expected, abs=allowed)  # of 1000 patients
                checked += 1
        icer = block["icer"]
        assert end.value("icer") == pytest.approx(icer["value"], abs=icer["abs_tol"])
        checked += 1
    assert checked == 72


def test_published_one_way_icers_of_a_decision_tree():
    # Evans et al. 1997: relief under sumatriptan 0.268 and 0.091 above that under caffeine
    expected = json.loads((CASES / "tree_sumatriptan.json").read_text())["expected"]
    found = one_way(
        open_study("sumatriptan"),
        ranges={"p_relief_sumatriptan": (0.379 + 0.091, 0.379 + 0.268)},
        outcome="icer",
        wtp=WTP,
    )
    (bar,) = found.bars
    exact = expected["full_precision"]
    assert bar.at_low.value("icer") == pytest.approx(exact["icer_+0.091"], rel=1e-9)
    assert bar.at_high.value("icer") == pytest.approx(exact["icer_+0.268"], rel=1e-9)
    assert found.base.value("icer") == pytest.approx(exact["icer"], rel=1e-9)
    for end, key in ((bar.at_low, "+0.091"), (bar.at_high, "+0.268")):
        printed = expected["one_way"][f"relief_difference_{key}"]
        assert end.value("icer") == pytest.approx(printed["value"], rel=printed["rel_tol"])


def test_ends_are_the_quantiles_of_the_input_unless_given(hiv):
    found = one_way(hiv, parameters=["rr_combination"], ranges={"c_a": (2000, 3000)}, wtp=WTP)
    bars = {bar.input: bar for bar in found.bars}
    assert bars["rr_combination"].range == QUANTILES
    # the interval is stated as 0.365 to 0.710
    assert (bars["rr_combination"].low, bars["rr_combination"].high) == pytest.approx(
        (0.365, 0.710), rel=1e-3
    )
    assert bars["c_a"].range == GIVEN


def test_an_end_at_the_base_value_is_the_base_case(hiv):
    found = one_way(hiv, ranges={"rr_combination": (0.509, 0.6)}, parameters=["c_a"], wtp=WTP)
    bar = next(bar for bar in found.bars if bar.input == "rr_combination")
    assert bar.at_low.nmb == pytest.approx(found.base.nmb, rel=1e-12)
    outcomes = base_case(hiv.model)
    for strategy, totals in found.base.discounted.items():
        for outcome, value in totals.items():
            expected = float(outcomes.total(outcome).sel(strategy=strategy).item())
            assert value == pytest.approx(expected, rel=1e-12)


def test_each_end_is_the_base_case_of_the_model_with_that_value(hiv):
    """Lanes of uncertain inputs and of fixed ones against the model loaded with the value."""
    ranges = {"rr_combination": (0.4, 0.9), "c_zidovudine": (0.0, 5000.0), "c_a": (100.0, 9000.0)}
    for bar in one_way(hiv, ranges=ranges, wtp=WTP).bars:
        if bar.input not in ranges:
            continue
        for value, end in ((bar.low, bar.at_low), (bar.high, bar.at_high)):
            outcomes = base_case(load_model("hiv", values={bar.input: value}))
            for strategy, totals in end.undiscounted.items():
                for outcome, total in totals.items():
                    expected = outcomes.total(outcome, undiscounted=True).sel(strategy=strategy)
                    assert total == pytest.approx(float(expected.item()), rel=1e-12)


def test_a_range_turned_round_swaps_the_ends_and_nothing_else(hiv):
    kept = {"wtp": WTP, "parameters": ["rr_combination"]}
    (one,) = one_way(hiv, ranges={"rr_combination": (0.4, 0.9)}, **kept).bars
    (other,) = one_way(hiv, ranges={"rr_combination": (0.9, 0.4)}, **kept).bars
    assert (one.at_low, one.at_high) == (other.at_high, other.at_low)
    assert one.swing == other.swing
    assert one.changes_decision == other.changes_decision


def test_cells_that_share_a_draw_move_together():
    study = open_study("nelm")
    norm = study.named("u_norm", "test")
    assert len(norm.paths) > 1
    with pytest.raises(ModelError, match="shares one draw with the other cells of 'u_norm'"):
        study.named(f"u_norm{show_path(norm.paths[0])}", "test")


def test_bars_are_in_order_of_falling_swing(hiv):
    swings = [bar.swing for bar in one_way(hiv, wtp=WTP).bars]
    assert swings == sorted(swings, reverse=True)


def test_a_swing_reaches_from_the_base_case_if_both_ends_lie_on_one_side():
    # QALYs of `two` go with the cube of x_power, 1.5 at base; both ends are above it
    study = open_study(str(HERE / "models" / "bent.yaml"))
    found = one_way(
        study, ranges={"x_power": (2.0, 3.0)}, outcome="qaly", wtp=WTP, strategy="two",
        comparator="one",
    )  # fmt: skip
    bar = next(bar for bar in found.bars if bar.input == "x_power")
    assert bar.swing == pytest.approx(0.67 * (27 - 1.5**3))


def test_the_decision_changes_only_where_another_strategy_is_optimal(hiv):
    # the ICER of the base case is 6,276; at 12,000 a year in state A it is 13,500, above 10,000
    found = one_way(
        hiv, parameters=["c_a"], ranges={"c_a": (2000, 12_000), "c_b": (3000, 3100)}, wtp=10_000
    )
    bars = {bar.input: bar for bar in found.bars}
    assert found.base.optimal == "combination"
    assert bars["c_a"].at_high.optimal == "monotherapy"
    assert bars["c_a"].changes_decision
    assert not bars["c_b"].changes_decision


def test_an_icer_that_does_not_exist_is_a_word(hiv):
    # with a ratio above 1 the combination harms, and costs more
    found = one_way(
        hiv,
        parameters=["rr_combination"],
        ranges={"rr_combination": (0.5, 1.05)},
        wtp=WTP,
        outcome="icer",
        strategy="combination",
        comparator="monotherapy",
    )
    (bar,) = found.bars
    assert bar.at_high.value("icer") is None
    assert bar.at_high.pair.meaning.startswith("no ICER")
    assert bar.swing is None


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        ({"parameters": ["rr_combinaton"]}, "did you mean 'rr_combination'"),
        ({"parameters": ["c_zidovudine"]}, "is fixed, so it has no range of its own"),
        ({"ranges": {"c_a": (1.0, 1.0)}}, "two different, finite ends"),
        ({"ranges": {"c_a": (1.0, float("nan"))}}, "two different, finite ends"),
        ({"ranges": {"rr_combination": (-0.5, 1.0)}}, "'rr_combination' is -0.5"),
        ({"ranges": {"p_a": (0.5, 0.7)}}, "is a table of 4 cells"),
        ({"outcome": "qalies"}, "no outcome 'qalies'"),
        ({"strategy": "combo"}, "did you mean 'combination'"),
        ({"strategy": "combination", "comparator": "combination"}, "compared with itself"),
        ({"wtp": -1.0}, "willingness to pay of -1"),
    ],
)
def test_what_cannot_be_asked_is_refused(hiv, asked, words):
    with pytest.raises(ModelError, match=words):
        one_way(hiv, **{"wtp": WTP, **asked})


def test_a_model_without_thresholds_asks_for_one(hiv):
    with pytest.raises(ModelError, match="states no willingness to pay"):
        one_way(hiv)


def test_one_strategy_has_nothing_to_compare():
    with pytest.raises(ModelError, match="one strategy"):
        one_way(open_study("illness_death"), ranges={"r_fall_ill": (0.1, 0.2)}, wtp=WTP)

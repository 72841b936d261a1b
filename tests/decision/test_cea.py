import numpy as np
import pytest
import xarray as xr
from decision_cases import case

from qalyst.decision.cea import Switch, incremental_analysis, optimal, pairwise
from qalyst.errors import ModelError

FRONTIERS = case("icer_frontier_sets")
SETS = list(zip(FRONTIERS["model"]["sets"], FRONTIERS["expected"]["sets"], strict=True))
LABELS = [given["label"] for given, _ in SETS]
ZIN = {"UC": (5000, 1), "A": (12000, 1.5), "B": (10000, 2), "C": (25000, 3), "D": (35000, 4)}


def table(**points):
    """Analysis of strategies given as name=(cost, effect)."""
    costs = {name: point[0] for name, point in points.items()}
    effects = {name: point[1] for name, point in points.items()}
    return incremental_analysis(costs, effects)


def pair(cost, effect):
    """A strategy with these increments against a comparator."""
    costs, effects = {"old": 1000.0, "new": 1000.0 + cost}, {"old": 2.0, "new": 2.0 + effect}
    (found,) = pairwise(costs, effects, comparator="old")
    return found


def letters(analysis):
    """Status as the published tables abbreviate it."""
    short = {"reference": "ND", "on": "ND", "dominated": "D", "extendedly": "ED"}
    return {row.strategy: short[row.status.split()[0]] for row in analysis.rows}


def analysed(given):
    return incremental_analysis(given["cost"], given["effect"], strategies=given["strategies"])


@pytest.mark.parametrize(("given", "expected"), SETS, ids=LABELS)
def test_frontier_of_a_published_set_has_the_published_members(given, expected):
    assert list(analysed(given).frontier) == expected["frontier_in_order"]


@pytest.mark.parametrize(("given", "expected"), SETS, ids=LABELS)
def test_dominated_strategies_of_a_published_set_are_as_published(given, expected):
    assert letters(analysed(given)) == expected["status"]


@pytest.mark.parametrize(("given", "expected"), SETS, ids=LABELS)
def test_icers_of_a_published_set_are_as_published(given, expected):
    found = {row.strategy: row.icer for row in analysed(given).rows if row.icer is not None}
    wanted = expected["icer_to_previous_on_frontier"]
    assert list(found) == list(wanted)
    np.testing.assert_allclose(
        list(found.values()), list(wanted.values()), rtol=expected["icer_rel_tol"]
    )


def test_frontier_and_statuses_of_a_hundred_strategies():
    golden = case("icer_100_strategies")
    found, expected = analysed(golden["model"]), golden["expected"]
    assert list(found.frontier) == expected["frontier_in_order"]
    assert letters(found) == expected["status"]


def test_icers_of_a_hundred_strategies():
    golden = case("icer_100_strategies")
    found, expected = analysed(golden["model"]), golden["expected"]
    wanted = expected["icer_to_previous"]
    np.testing.assert_allclose(
        [found[name].icer for name in wanted], list(wanted.values()), rtol=expected["icer_rel_tol"]
    )
    assert [row.strategy for row in found.rows if row.icer is not None] == list(wanted)


def test_rows_are_in_order_of_cost():
    assert [row.strategy for row in table(**ZIN).rows] == ["UC", "B", "A", "C", "D"]


def test_dominated_strategy_names_the_strategy_that_dominates_it():
    assert table(**ZIN)["A"].status == "dominated (by B)"


def test_extendedly_dominated_strategy_names_the_two_that_dominate_it():
    assert table(**ZIN)["C"].status == "extendedly dominated (by B and D)"


def test_increments_are_against_the_strategy_before_on_the_frontier():
    row = table(**ZIN)["D"]
    assert (row.compared_with, row.incremental_cost, row.incremental_effect) == ("B", 25000, 2)


def test_dominated_strategy_has_no_icer_and_no_increments():
    row = table(**ZIN)["A"]
    assert (row.icer, row.incremental_cost, row.incremental_effect) == (None, None, None)


def test_strategy_of_zero_cost_and_zero_effect_is_on_the_frontier():
    # BCEA labels it extendedly dominated: cases/README.md, convention 4
    found = table(nothing=(0, 0), some=(100, 1), more=(300, 2))
    assert found.frontier == ("nothing", "some", "more")


def test_extended_dominance_that_shows_only_after_another_removal_is_found():
    # ICERs 10, 20, 18, 0.9: C falls to B and D; then D against B is 19 and E 0.9: D falls too
    found = table(A=(0, 0), B=(100, 10), C=(300, 20), D=(480, 30), E=(490, 41))
    assert found.frontier == ("A", "B", "E")
    assert found["C"].status == "extendedly dominated (by B and E)"


def test_extended_dominance_reaches_back_to_an_earlier_strategy():
    # ICERs 10, 19, 5.5: C falls; then D against B is 9.97, below the 10 of B: B falls
    assert table(A=(0, 0), B=(100, 10), C=(290, 20), D=(400, 40.1)).frontier == ("A", "D")


def test_strategy_on_the_line_between_two_others_is_extendedly_dominated():
    found = table(a=(0, 0), b=(100, 1), c=(200, 2))
    assert found["b"].status == "extendedly dominated (by a and c)"


def test_equal_effect_at_lower_cost_dominates():
    assert table(dear=(200, 1), cheap=(100, 1))["dear"].status == "dominated (by cheap)"


def test_equal_cost_with_more_effect_dominates():
    assert table(poor=(100, 1), good=(100, 2))["poor"].status == "dominated (by good)"


def test_equal_strategies_are_reported_as_equal():
    found = table(a=(0, 0), b=(100, 1), twin=(100, 1))
    assert (found["b"].status, found["twin"].status) == ("on the frontier", "equal to b")


def test_strategies_that_differ_by_rounding_only_are_equal():
    found = table(a=(0.3, 1), b=(0.1 + 0.2, 1))
    assert found["b"].status == "equal to a"


def test_gain_by_rounding_only_buys_no_place_on_the_frontier():
    found = table(cheap=(100, 1), dear=(200, 1 + 2e-16))
    assert found["dear"].status == "dominated (by cheap)"


def test_one_strategy_has_no_icer_and_the_table_says_so():
    found = table(only=(100, 1))
    assert (found["only"].icer, found["only"].status) == (None, "reference")
    assert found.note == "only is the only strategy: nothing to compare, so no ICER"


def test_single_survivor_has_no_icer_and_the_table_says_so():
    found = table(best=(100, 2), worse=(200, 1), worst=(300, 0))
    assert found.frontier == ("best",)
    assert "no ICER" in found.note
    assert found.switches == ()


def test_table_with_an_icer_has_no_note():
    assert table(**ZIN).note == ""


def test_two_strategies_have_one_icer():
    assert table(old=(1000, 1), new=(3000, 1.5))["new"].icer == 4000


def test_optimal_strategy_switches_at_the_icers_of_the_frontier():
    assert table(**ZIN).switches == (Switch(5000.0, "UC", "B"), Switch(12500.0, "B", "D"))


def test_table_as_a_dataset_keeps_the_words_and_the_numbers():
    found = table(**ZIN).to_dataset().sel(strategy="D")
    assert found.icer == 12500
    assert found.status == "on the frontier"
    assert found.compared_with == "B"


def test_table_as_a_data_frame_has_a_row_per_strategy():
    frame = table(**ZIN).to_dataframe()
    assert list(frame.index) == ["UC", "B", "A", "C", "D"]
    assert frame.loc["B", "icer"] == 5000


@pytest.mark.parametrize(
    ("cost", "effect", "quadrant", "icer"),
    [
        (500, 0.5, "more costly, more effective", 1000),
        (-500, -0.5, "less costly, less effective", 1000),
        (-500, 0.5, "dominant", None),
        (500, -0.5, "dominated", None),
        (500, 0, "dominated", None),
        (-500, 0, "dominant", None),
        (0, 0.5, "dominant", None),
        (0, -0.5, "dominated", None),
        (0, 0, "equal", None),
    ],
)
def test_pair_lies_in_its_quadrant_and_has_an_icer_only_where_a_ratio_has_a_meaning(
    cost, effect, quadrant, icer
):
    found = pair(cost, effect)
    assert (found.quadrant, found.icer) == (quadrant, icer)


def test_icer_of_less_for_less_means_savings_per_unit_lost():
    assert pair(-500, -0.5).meaning == "savings per unit of effect lost"


def test_optimal_strategy_has_the_highest_net_benefit():
    found = optimal({"a": 100, "b": 900}, {"a": 1.0, "b": 1.5}, [0, 2000])
    assert found.optimal.values.tolist() == ["a", "b"]


def test_strategies_are_tied_at_their_icer():
    # 0.1 and 0.3 are not exact in binary: the tie must survive rounding
    found = optimal({"a": 0.1, "b": 0.3}, {"a": 0.1, "b": 0.4}, 2 / 3)
    assert found.optimal.item() == "a = b"
    assert found.is_optimal.all()


def test_labelled_effects_are_matched_to_costs_by_name():
    costs = xr.DataArray([100.0, 900.0], dims="strategy", coords={"strategy": ["a", "b"]})
    effects = xr.DataArray([1.5, 1.0], dims="strategy", coords={"strategy": ["b", "a"]})
    assert incremental_analysis(costs, effects)["b"].icer == 1600


@pytest.mark.parametrize(
    ("costs", "effects", "words"),
    [
        ({"a": 1, "b": 2}, {"a": 1}, "strategy 'b' is missing"),
        ({"a": float("nan")}, {"a": 1}, "costs, strategy 'a'"),
        ({"a": 1}, {"a": float("inf")}, "inf is not a finite number"),
        ({}, {}, "costs are empty"),
        ({"a": "dear"}, {"a": 1}, "not all numbers"),
        ([1, 2], [1, 2], "name each one"),
        ({"a": [1, 2]}, {"a": [1, 2]}, "costs have 2 axes"),
    ],
)
def test_costs_and_effects_that_cannot_be_compared_are_refused_in_words(costs, effects, words):
    with pytest.raises(ModelError, match=words):
        incremental_analysis(costs, effects)


def test_two_strategies_of_one_name_are_refused():
    with pytest.raises(ModelError, match="two strategies are called 'a'"):
        incremental_analysis([1, 2], [1, 2], strategies=["a", "a"])


def test_draws_are_refused_where_means_are_wanted():
    draws = xr.DataArray(np.ones((3, 1)), dims=("draw", "strategy"), coords={"strategy": ["a"]})
    with pytest.raises(ModelError, match="average the others first"):
        incremental_analysis(draws, draws)


def test_unknown_comparator_is_refused_with_the_nearest_name():
    with pytest.raises(ModelError, match="did you mean 'placebo'"):
        pairwise({"placebo": 1, "drug": 2}, {"placebo": 1, "drug": 2}, comparator="placbo")


def test_unknown_strategy_of_the_table_is_refused_with_the_nearest_name():
    with pytest.raises(ModelError, match="did you mean 'UC'"):
        table(**ZIN)["UCC"]

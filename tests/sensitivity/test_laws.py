"""Laws that hold whatever the numbers are."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qalyst.params.inputs import uncertain_inputs
from qalyst.params.parameter import show_path
from qalyst.sensitivity.derivatives import elasticities
from qalyst.sensitivity.one_way import one_way
from qalyst.sensitivity.points import open_study
from qalyst.sensitivity.price import value_based_prices
from qalyst.sensitivity.shifts import Shift
from qalyst.sensitivity.threshold import threshold

EXPONENTIAL = str(Path(__file__).parent / "models" / "exponential.yaml")
STUDY = open_study(EXPONENTIAL)
FEW = settings(max_examples=15)
WTP = st.floats(1_000, 200_000)


@pytest.mark.parametrize(
    ("name", "prefix", "outcome"),
    [("hiv", "c_", "costs"), ("sick_sicker", "c_", "costs"), ("sick_sicker", "u_", "qalys")],
)
def test_totals_are_homogeneous_in_prices_and_in_utilities(name, prefix, outcome):
    """Euler: the elasticities of costs to all prices sum to 1, of QALYs to all utilities too."""
    study = open_study(name)
    found = elasticities(study, wtp=20_000)
    own = [each for each in found.inputs if each.input.startswith(prefix)]
    for strategy in study.model.strategies:
        total = sum(each.slopes[strategy, outcome].elasticity for each in own)
        assert total == pytest.approx(1, rel=1e-9)


@FEW
@given(wtp=WTP, low=st.floats(0.3, 0.9), high=st.floats(0.95, 1.5))
def test_swapped_ends_swap_the_results(wtp, low, high):
    (one,) = one_way(STUDY, parameters=["hr_new"], ranges={"hr_new": (low, high)}, wtp=wtp).bars
    (other,) = one_way(STUDY, parameters=["hr_new"], ranges={"hr_new": (high, low)}, wtp=wtp).bars
    assert (one.at_low, one.at_high, one.swing) == (other.at_high, other.at_low, other.swing)


@FEW
@given(wtp=WTP)
def test_at_a_threshold_the_two_strategies_are_equally_good(wtp):
    for switch in threshold(STUDY, "hr_new", between=(0.2, 1.4), wtp=wtp).switches:
        each = STUDY.named("hr_new", "test")
        totals = STUDY.totals(1, [Shift(each, np.array([0]), np.array([switch.value]))])
        total = totals.discounted.isel(draw=0)
        nmb = wtp * total.sel(outcome="qalys") - total.sel(outcome="costs")
        gap = float(nmb.sel(strategy=switch.below) - nmb.sel(strategy=switch.above))
        assert abs(gap) < 1e-7 * float(abs(nmb).max())


@FEW
@given(wtp=WTP, more=st.floats(1.01, 3))
def test_a_price_rises_with_willingness_to_pay(wtp, more):
    low, high = value_based_prices(STUDY, "c_new", wtp=[wtp, wtp * more])
    assert high.price / low.price == pytest.approx(more)  # nothing else differs in cost


def test_lanes_and_models_loaded_again_give_the_same():
    """Every fixed number as a lane, against the model loaded with it."""
    for name, value in (("c_new", 4321.0), ("c_start", 77.0)):
        each = STUDY.named(name, "test")
        assert not STUDY.at_load(each)
        found = STUDY.totals(2, [Shift(each, np.array([1]), np.array([value]))])
        again = open_study(EXPONENTIAL, values={name: value}).base
        assert found.discounted.values[1] == pytest.approx(again.discounted.values[0], rel=1e-13)
        assert found.discounted.values[0] == pytest.approx(
            STUDY.base.discounted.values[0], rel=1e-13
        )


def test_a_fixed_number_that_is_moved_leaves_the_draws_of_the_others():
    assert {each.name for each in uncertain_inputs(STUDY.model.parameters)} == {
        *("r_death", "hr_new", "u_alive")
    }
    base = STUDY.drawn({}, draws=20, seed=3, where="test")
    moved = STUDY.drawn({"c_start": 500.0}, draws=20, seed=3, where="test")
    gap = moved.discounted - base.discounted
    expected = np.zeros((20, 2, 2))
    expected[:, 0, 0] = 500.0  # [draw, new, costs]: everybody starts once, undiscounted
    assert gap.values == pytest.approx(expected, abs=1e-8)


@pytest.mark.verification
@pytest.mark.parametrize(
    "name", ["hiv", "hiv_lifetime", "sumatriptan", "thr", "partitioned_survival", "survival_chain"]
)
def test_every_fixed_cell_of_a_model_is_the_same_as_a_lane_and_loaded_again(name):
    study = open_study(name)
    for record in study.model.used_parameters:
        for path in study.model.parameters[record].values:
            each = study.named(f"{record}{show_path(path)}", "test")
            if study.is_uncertain(each) or study.at_load(each) or len(record) == 1:
                continue  # `p` is a row of probabilities: it must sum to 1
            value = each.base * 0.99
            found = study.totals(1, [Shift(each, np.array([0]), np.array([value]))])
            again = open_study(name, values={each.name: value}).base
            assert found.discounted.values == pytest.approx(again.discounted.values, rel=1e-11)

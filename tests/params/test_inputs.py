"""Uncertain inputs: which there are, their ranges, and the changes that give them a value."""

from __future__ import annotations

import numpy as np
import pytest

from qalyst.errors import ModelError
from qalyst.model.resolve import load_model
from qalyst.params.draws import Draws
from qalyst.params.inputs import chosen, drawn, uncertain_inputs
from qalyst.simulation import base_case, simulate, simulate_points


@pytest.fixture(scope="module")
def hiv():
    return load_model("hiv")


def test_every_cell_that_differs_between_draws_is_an_input(hiv):
    names = {each.name for each in uncertain_inputs(hiv.parameters)}
    assert {"rr_combination", "p_a[a]", "p_a[b]", "c_a"} <= names
    assert "c_zidovudine" not in names  # a fixed price


def test_the_range_of_an_input_is_that_of_its_distribution(hiv):
    (ratio,) = chosen(uncertain_inputs(hiv.parameters), ["rr_combination"], "test")
    # the interval is stated as 0.365 to 0.710, around the value 0.509
    assert ratio.interval == pytest.approx((0.365, 0.710), rel=1e-3)


def test_other_shares_of_a_dirichlet_keep_their_proportions(hiv):
    (share,) = chosen(uncertain_inputs(hiv.parameters), ["p_a[a]"], "test")
    changes = share.at(np.array([0.5, 0.9]))
    assert sum(changes.values()) == pytest.approx(np.ones(2))
    ratio = changes["p_a", ("b",)] / changes["p_a", ("c",)]
    assert ratio == pytest.approx(350 / 116)  # the counts of the record


def test_a_misspelt_input_is_told_with_the_nearest(hiv):
    with pytest.raises(ModelError, match="did you mean 'rr_combination'"):
        chosen(uncertain_inputs(hiv.parameters), ["rr_combinaton"], "test")


def test_a_point_at_the_base_is_the_base_case_and_one_at_a_draw_is_the_draw(hiv):
    inputs = uncertain_inputs(hiv.parameters, hiv.used_parameters)
    (ratio,) = chosen(inputs, ["rr_combination"], "test")
    at_base = simulate_points(hiv, ratio.at(np.array([ratio.base])))
    assert at_base.totals.discounted.values == pytest.approx(
        base_case(hiv).totals.discounted.values, rel=1e-13
    )
    draws = 20
    values = drawn(inputs, Draws(hiv.parameters, 7, np.arange(draws)))
    changes = {(each.parameter.name, each.paths[0]): values[each.name] for each in inputs}
    at_draws = simulate_points(hiv, changes)
    assert at_draws.totals.discounted.values == pytest.approx(
        simulate(hiv, draws=draws, seed=7).totals.discounted.values, rel=1e-13
    )


def test_what_is_not_changed_may_be_drawn(hiv):
    (ratio,) = chosen(uncertain_inputs(hiv.parameters), ["rr_combination"], "test")
    fixed = load_model("hiv", values={"rr_combination": 0.7})
    found = simulate_points(hiv, ratio.at(np.full(30, 0.7)), seed=3)
    expected = simulate(fixed, draws=30, seed=3)
    assert found.totals.discounted.values == pytest.approx(expected.totals.discounted.values)


def test_a_point_that_the_unit_cannot_have_is_refused(hiv):
    (ratio,) = chosen(uncertain_inputs(hiv.parameters), ["rr_combination"], "test")
    with pytest.raises(ModelError, match=r"point 1 of 'rr_combination' is -0.5"):
        simulate_points(hiv, ratio.at(np.array([0.5, -0.5])))

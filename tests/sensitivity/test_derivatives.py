"""Derivatives against closed forms, and no number where there is none."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest

from qalyst.sensitivity.derivatives import elasticities
from qalyst.sensitivity.points import open_study
from qalyst.simulation import base_case

MODELS = Path(__file__).parent / "models"
WTP, FORCE = 50_000.0, math.log(1.03)


def years(total: float) -> float:
    return math.expm1(-40 * total) / math.expm1(-total)


def slope_of_years(total: float) -> float:
    """Derivative of `years` by the quotient rule."""
    over, under = math.expm1(-40 * total), math.expm1(-total)
    return (-40 * math.exp(-40 * total) * under + over * math.exp(-total)) / under**2


@pytest.fixture(scope="module")
def exponential():
    found = elasticities(open_study(str(MODELS / "exponential.yaml")), wtp=WTP)
    return {each.input: each for each in found.inputs}


@pytest.fixture(scope="module")
def bent():
    found = elasticities(open_study(str(MODELS / "bent.yaml")), wtp=WTP)
    return {each.input: each for each in found.inputs}


def test_derivatives_equal_their_closed_forms(exponential):
    new, old = 0.08 + FORCE, 0.10 + FORCE
    qaly, cost = 0.7 * slope_of_years(new), 3000 * slope_of_years(new)
    expected = {
        ("r_death", "new", "qalys"): 0.8 * qaly,
        ("r_death", "old", "qalys"): 0.7 * slope_of_years(old),
        ("r_death", "new", "costs"): 0.8 * cost,
        ("r_death", "new", "nmb"): 0.8 * (WTP * qaly - cost),
        ("hr_new", "new", "qalys"): 0.1 * qaly,
        ("hr_new", "new", "nmb"): 0.1 * (WTP * qaly - cost),
        ("hr_new", "", "incremental_nmb"): 0.1 * (WTP * qaly - cost),
        ("u_alive", "new", "qalys"): years(new),
        ("c_new", "new", "costs"): years(new),
        ("c_new", "new", "nmb"): -years(new),
    }
    for (name, strategy, outcome), value in expected.items():
        slope = exponential[name].slopes[strategy, outcome]
        assert slope.derivative == pytest.approx(value, rel=1e-7), (name, strategy, outcome)
        assert slope.error <= 1e-5 * abs(value)


def test_the_error_estimate_covers_the_error(exponential):
    slope = exponential["hr_new"].slopes["new", "qalys"]
    exact = 0.07 * slope_of_years(0.08 + FORCE)
    assert abs(slope.derivative - exact) <= 10 * slope.error + 1e-12 * abs(exact)


def test_an_elasticity_is_the_derivative_of_logarithms(exponential):
    assert exponential["u_alive"].slopes["old", "qalys"].elasticity == pytest.approx(1, rel=1e-9)
    slope = exponential["hr_new"].slopes["new", "qalys"]
    expected = 0.08 * slope_of_years(0.08 + FORCE) / years(0.08 + FORCE)
    assert slope.elasticity == pytest.approx(expected, rel=1e-7)


def test_what_an_input_does_not_reach_has_a_slope_of_0(exponential):
    assert exponential["hr_new"].slopes["old", "nmb"].derivative == 0
    assert exponential["c_new"].slopes["new", "qalys"].derivative == 0


def test_discount_rates_are_reached_by_name():
    study = open_study(str(MODELS / "exponential.yaml"))
    found = elasticities(study, parameters=["r_discount"], wtp=WTP)
    slope = found.inputs[0].slopes["old", "qalys"]
    expected = 0.7 * slope_of_years(0.1 + FORCE) / 1.03  # d log(1 + r) / dr
    assert slope.derivative == pytest.approx(expected, rel=1e-7)


@pytest.mark.parametrize("name", ["hiv", "sick_sicker"])
def test_derivatives_to_prices_are_minus_the_quantities_bought(name):
    study = open_study(name)
    found = elasticities(study, wtp=WTP)
    cells = base_case(study.model).quantities.isel(draw=0)
    checked = 0
    for each in found.inputs:
        parameter = study.model.parameters.get(each.input)
        bought = cells.price_text.values == each.input
        if parameter is None or not each.input.startswith("c_") or not bought.any():
            continue
        for strategy in study.model.strategies:
            quantity = cells.discounted.sel(strategy=strategy).values[bought].sum()
            money = quantity * parameter.factor
            slope = each.slopes[strategy, "nmb"].derivative
            # elsewhere the price may stand in an expression as well: then more is bought
            texts = [text for text in np.unique(cells.price_text.values) if each.input in text]
            if texts == [each.input]:
                assert slope == pytest.approx(-money, rel=1e-8, abs=1e-8)
                checked += 1
    assert checked


def test_shares_of_a_whole_keep_the_proportions_of_the_others(bent):
    # qalys of one: a + 0.5 b + 0.1 c with b : c = 3 : 2, so the slope is 1 - 0.6 x 0.5 - 0.4 x 0.1
    slope = bent["p_share[a]"].slopes["one", "qalys"]
    assert slope.derivative == pytest.approx(0.66, rel=1e-9)


def test_cells_with_one_draw_move_by_one_factor(bent):
    assert bent["c_table"].by == "factor"
    assert bent["c_table"].slopes["one", "costs"].derivative == pytest.approx(30, rel=1e-9)
    assert bent["c_table"].slopes["one", "costs"].elasticity == pytest.approx(30 / 230, rel=1e-9)


def test_a_kink_at_the_base_value_has_no_number(bent):
    found = bent["x_bent"]
    assert found.slopes["one", "costs"].derivative is None
    assert found.slopes["one", "costs"].elasticity is None
    assert "kink" in found.problem
    assert found.slopes["two", "costs"].derivative == 0  # it does not reach the other strategy


def test_a_base_value_at_a_bound_has_no_number(bent):
    assert bent["c_none"].slopes == {}
    assert "bound" in bent["c_none"].problem


def test_a_power_is_followed(bent):
    slope = bent["x_power"].slopes["two", "qalys"]
    worth = 0.5 + 0.15 + 0.02
    assert slope.derivative == pytest.approx(3 * 1.5**2 * worth, rel=1e-9)
    assert slope.elasticity == pytest.approx(3, rel=1e-9)

"""Nested simulation of EVPPI against closed forms, and against regression."""

import numpy as np
import pytest
from decision_cases import case
from evppi_cases import normals, values

from qalyst.decision.nested import nested_evppi
from qalyst.errors import ModelError


def normal(mean, sd):
    return lambda random, n: mean + sd * random.standard_normal(n)


def against_nothing(net_benefit):
    return lambda x: np.column_stack([np.zeros(len(x)), net_benefit(x)])


LINEAR = {"p1": normal(1, 1), "p2": normal(0, 2)}
PRODUCT = {"X": normal(2, 1), "Y": normal(3, 1.5)}
TWO = {"a": normal(0, 1), "b": normal(0, 1)}


def product(x):
    return x[:, 0] * x[:, 1] - 5.5


@pytest.mark.parametrize("k", [1, 2, 3])
@pytest.mark.parametrize("parameter", ["p1", "p2"])
def test_linear_normal_decision(k, parameter):
    truth = case("voi_linear_normal")["expected"][f"evppi_{parameter}"][str(k)]["value"]
    benefit = against_nothing(lambda x: k * x[:, 0] - x[:, 1])
    found = nested_evppi(benefit, LINEAR, parameter, seed=5, budget=2_000_000)
    assert abs(found.value - truth) < 4 * found.se
    assert found.se < 0.12 * truth


@pytest.mark.parametrize("parameter", ["X", "Y"])
def test_product_decision(parameter):
    truth = case("voi_product_nonlinear")["expected"][f"evppi_{parameter}"]["value"]
    found = nested_evppi(against_nothing(product), PRODUCT, parameter, seed=5)
    assert abs(found.value - truth) < 4 * found.se
    assert found.reached
    assert found.se <= 0.03 * found.value


def test_all_inputs_are_worth_the_evpi():
    truth = case("voi_product_nonlinear")["expected"]["evpi"]["value"]
    found = nested_evppi(against_nothing(product), PRODUCT, ("X", "Y"), seed=5)
    assert abs(found.value - truth) < 4 * found.se


@pytest.mark.parametrize("budget", [15_000, 15_001, 15_010])
def test_a_budget_for_the_first_levels_alone_ends(budget):
    found = nested_evppi(against_nothing(product), PRODUCT, "X", seed=8, budget=budget)
    assert found.evaluations <= budget
    assert not found.reached


def test_an_irrelevant_input_is_worth_nothing_within_the_budget():
    found = nested_evppi(against_nothing(lambda x: x[:, 1]), TWO, "a", seed=5, budget=200_000)
    assert abs(found.value) < 4 * found.se
    assert found.evaluations <= 200_000
    assert not found.reached


def test_a_target_in_currency_ends_the_search():
    benefit = against_nothing(lambda x: x[:, 1])
    found = nested_evppi(benefit, TWO, "a", seed=5, target=0.05)
    assert found.reached
    assert found.se <= 0.05


def test_nothing_uncertain_is_worth_nothing():
    found = nested_evppi(
        against_nothing(lambda x: np.ones(len(x))), TWO, "a", seed=5, budget=20_000
    )
    assert (found.value, found.se) == (0, 0)


def test_the_same_seed_gives_the_same_value():
    one, other = (
        nested_evppi(against_nothing(product), PRODUCT, "X", seed=8, budget=50_000)
        for _ in range(2)
    )
    assert one == other


def test_regression_agrees():
    x, _ = normals(2, 4_000)
    (fitted,) = values((2 + x[:, 0]) * (3 + 1.5 * x[:, 1]) - 5.5, x, "a")
    found = nested_evppi(against_nothing(product), PRODUCT, "X", seed=5)
    assert abs(found.disagreement(fitted.value, fitted.se)) < 3


def test_a_line_through_a_parabola_is_found_out():
    benefit = against_nothing(lambda x: x[:, 0] ** 2 - 1)
    found = nested_evppi(benefit, {"x": normal(0, 1)}, "x", seed=5)
    assert found.disagreement(0.0065, 0.005) < -10


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"of": "c"}, "no parameter 'c'"),
        ({"of": ("a", "a")}, "twice"),
        ({"relative_error": 0}, "a relative error of 0"),
        ({"target": np.nan}, "an error of nan"),
        ({"budget": 14_999}, "a budget of 14999"),
        ({"budget": 100}, "a budget of 100"),
        ({"budget": np.nan}, "a budget of nan"),
        ({"samplers": {"a": lambda random, n: random.standard_normal(n + 1)}}, "one number a draw"),
        ({"net_benefit": lambda x: x[:, 0]}, "give [draw, strategy]"),
        ({"net_benefit": lambda x: np.full((len(x), 2), np.nan)}, "not finite"),
    ],
)
def test_refused(changed, words):
    given = {"net_benefit": against_nothing(lambda x: x[:, 0]), "samplers": TWO, "of": "a"}
    with pytest.raises(ModelError) as refused:
        nested_evppi(**(given | changed), seed=1)
    assert words in str(refused.value)


@pytest.mark.verification
@pytest.mark.parametrize(
    ("benefit", "samplers", "of", "truth"),
    [
        (lambda x: x[:, 0] - x[:, 1], LINEAR, "p1", 0.08331547058768629),
        (lambda x: x[:, 0] - x[:, 1], LINEAR, "p2", 0.39559311480261206),
        (product, PRODUCT, "X", 0.9634110646112718),
    ],
)
def test_errors_are_as_stated(benefit, samplers, of, truth):
    found = [nested_evppi(against_nothing(benefit), samplers, of, seed=seed) for seed in range(40)]
    z = np.array([(one.value - truth) / one.se for one in found])
    assert np.mean(np.abs(z) < 1.96) >= 0.9
    assert abs(np.mean([one.value for one in found]) / truth - 1) < 0.02

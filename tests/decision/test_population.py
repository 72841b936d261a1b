"""Population values against closed forms and sums by hand."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qalyst.decision.population import Population
from qalyst.errors import ModelError

CASE = json.loads((Path(__file__).parents[1] / "cases" / "voi_linear_normal.json").read_text())


def test_the_population_evpi_of_the_golden_case():
    expected = CASE["expected"]["population_evpi_k1"]
    evpi = CASE["expected"]["evpi"]["1"]["value"]
    found = Population(incidence=1000, horizon=10, discount=0.03).value(evpi)
    assert found == pytest.approx(expected["value"], rel=expected["rel_tol"])


@given(st.integers(1, 80), st.floats(0.001, 0.2))
def test_a_constant_incidence_is_an_annuity_due(years, rate):
    v = 1 / (1 + rate)
    found = Population(incidence=7, horizon=years, discount=rate).persons()
    assert found == pytest.approx(7 * (1 - v**years) / (1 - v), rel=1e-10)


def test_a_sum_by_hand_with_everything_in_it():
    """Years 1.5 to 4.25 count, at 5 %, half of the persons: parts 1/2, 1, 1 and 1/4 of years."""
    population = Population(
        incidence=[900, 100, 200, 300, 400, 999], horizon=3.25, discount=0.05, start=1, uptake=0.5
    )
    hand = 50 / 1.05 + 200 / 1.05**2 + 300 / 1.05**3 + 0.25 * 400 / 1.05**4
    assert population.persons(delay=1.5) == pytest.approx(0.5 * hand, rel=1e-14)
    assert population.persons() == pytest.approx(0.5 * (hand + 50 / 1.05), rel=1e-14)


def test_information_that_comes_after_the_horizon_is_worthless():
    population = Population(incidence=100, horizon=5, start=2)
    assert population.value(10.0, delay=7) == 0
    assert population.value(10.0, delay=1e9) == 0
    assert population.value(10.0, delay=2) == 5000


@given(st.floats(0, 12), st.floats(0, 12))
def test_later_information_is_worth_no_more(one, other):
    population = Population(incidence=100, horizon=10, discount=0.03, start=0.5)
    early, late = sorted((one, other))
    assert population.persons(late) <= population.persons(early)


@pytest.mark.parametrize(
    ("change", "word"),
    [
        ({"incidence": -1}, "incidence"),
        ({"incidence": float("nan")}, "incidence"),
        ({"incidence": [1, 2]}, "a list of 2 years"),
        ({"horizon": -3}, "horizon"),
        ({"horizon": float("inf")}, "horizon"),
        ({"discount": 3}, "a rate per year"),
        ({"uptake": 1.2}, "uptake"),
        ({"start": float("nan")}, "start"),
    ],
)
def test_a_population_that_cannot_be_is_refused(change, word):
    with pytest.raises(ModelError, match=word):
        Population(**({"incidence": 1, "horizon": 10} | change))


def test_a_value_that_is_no_number_is_refused():
    with pytest.raises(ModelError, match="per_person"):
        Population(incidence=1, horizon=1).value(float("nan"))
    with pytest.raises(ModelError, match="delay"):
        Population(incidence=1, horizon=1).persons(-1)

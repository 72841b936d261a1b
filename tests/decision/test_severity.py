"""QALY shortfall against sums done by hand, quadrature, and published expectancies."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import integrate

from qalyst.decision.severity import Band, quality_adjusted_life_expectancy, shortfall
from qalyst.errors import ModelError
from qalyst.params.populations import general_population

NICE = (Band(12, 0.85, 1.2), Band(18, 0.95, 1.7))
ZIN = (Band(None, 0.10, 20e3), Band(None, 0.41, 50e3), Band(None, 0.71, 80e3))
LIFE_TABLE = "life_table_england_2017_2019"


def test_two_years_of_a_life_table_by_hand():
    # year 1: hazard 0.5, utility 0.9; year 2: hazard 1, utility 0.6; nobody counts after that
    first = 0.9 * (1 - math.exp(-0.5)) / 0.5
    second = 0.6 * math.exp(-0.5) * (1 - math.exp(-1.0)) / 1.0
    found = quality_adjusted_life_expectancy([0.5, 1.0], [0.9, 0.6], age=0)
    assert found == pytest.approx(first + second, rel=1e-14)


def test_discounting_by_hand_is_a_hazard_more():
    force = math.log(1.05)
    first = 0.9 * (1 - math.exp(-0.5 - force)) / (0.5 + force)
    second = 0.6 * math.exp(-0.5 - force) * (1 - math.exp(-1.0 - force)) / (1.0 + force)
    found = quality_adjusted_life_expectancy([0.5, 1.0], [0.9, 0.6], age=0, rate=0.05)
    assert found == pytest.approx(first + second, rel=1e-14)


def test_nobody_dies_and_nothing_is_discounted():
    found = quality_adjusted_life_expectancy(np.zeros(90), np.full(90, 0.5), age=30.25)
    assert found == pytest.approx(0.5 * (90 - 30.25), rel=1e-14)


@pytest.mark.parametrize(("age", "rate"), [(0.0, 0.0), (57.3, 0.035), (62.0, 0.015)])
def test_expectancy_is_the_integral_of_survival_utility_and_discount(age, rate):
    people = general_population(LIFE_TABLE, "norm_england_hse2014", "test")
    hazard, utility = people.hazards["female"], people.utilities["female"]
    total, survival, now = 0.0, 1.0, age
    while now < len(hazard):
        year = int(now)
        end = year + 1.0

        def lived(t, year=year, start=now, alive=survival):
            return (
                utility[year]
                * alive
                * math.exp(-hazard[year] * (t - start))
                * (1 + rate) ** -(t - age)
            )

        total += integrate.quad(lived, now, end, epsabs=0, epsrel=1e-12)[0]
        survival *= math.exp(-hazard[year] * (end - now))
        now = end
    found = quality_adjusted_life_expectancy(hazard, utility, age=age, rate=rate)
    assert found == pytest.approx(total, rel=1e-11)


@pytest.mark.parametrize(("sex", "published"), [("male", 68.24), ("female", 68.21)])
def test_expectancy_at_birth_in_england_is_near_the_published_one(sex, published):
    # McNamara and others, Value Health 2023;26:163: HSE 2017/18, ONS 2017-2019, Sullivan's method.
    # They take the mean utility of age bands, and end at 100; a tenth of a QALY is 0.15 %.
    people = general_population(LIFE_TABLE, "norm_england_hse2017_2018", "test")
    found = quality_adjusted_life_expectancy(
        people.hazards[sex], people.utilities[sex], age=0, rate=0
    )
    assert found == pytest.approx(published, abs=0.1)


@given(st.floats(0, 100), st.floats(0, 0.1), st.floats(0.001, 0.1))
def test_a_higher_rate_never_gives_more(age, rate, more):
    people = general_population(LIFE_TABLE, "norm_england_hse2014", "test")
    tables = people.hazards["male"], people.utilities["male"]
    lower = quality_adjusted_life_expectancy(*tables, age=age, rate=rate)
    higher = quality_adjusted_life_expectancy(*tables, age=age, rate=rate + more)
    assert 0 < higher < lower


@pytest.mark.parametrize(
    ("general", "disease", "value"),
    [
        (10.0, 5.0, None),
        (60.0, 48.0, 1.2),  # 12 QALYs lost, a fifth: at the cut-off
        (60.0, 48.1, None),
        (10.0, 1.5, 1.2),  # a share of 0.85
        (10.0, 0.4, 1.7),  # 0.96
        (20.0, 2.0, 1.7),  # 18 lost; the share of 0.9 alone would give 1.2
        (19.0, 0.9, 1.7),
    ],
)
def test_weights_of_nice_by_the_larger_of_two_measures(general, disease, value):
    found = shortfall(general, disease, NICE)
    assert found.absolute == general - disease
    assert found.proportional == 1 - disease / general
    assert found.value == value


@pytest.mark.parametrize(
    ("share", "value"),
    [(0.05, None), (0.1, 20e3), (0.404, 20e3), (0.406, 50e3), (0.704, 50e3), (0.71, 80e3)],
)
def test_dutch_thresholds_by_the_rounded_share(share, value):
    assert shortfall(10.0, 10 * (1 - share), ZIN, decimals=2).value == value


def test_shares_of_draws_sum_to_one_and_the_mean_decides():
    found = shortfall(14.0, [1.0, 1.5, 2.5, 3.5], NICE)
    assert found.disease == 2.125
    assert found.value is None
    assert found.chances == {1.2: 0.5, None: 0.5}


def test_patients_better_off_than_the_population_are_not_severe():
    found = shortfall(10.0, 11.0, NICE)
    assert (found.absolute, found.value) == (-1.0, None)


@pytest.mark.parametrize(
    ("hazards", "utilities", "age", "rate", "words"),
    [
        ([0.1, 0.1], [1, 1], 2, 0, "not in the life table"),
        ([0.1, 0.1], [1, 1], -1, 0, "not in the life table"),
        ([0.1, 0.1], [1, 1], math.nan, 0, "not in the life table"),
        ([0.1, -0.1], [1, 1], 0, 0, "below 0"),
        ([0.1, math.inf], [1, 1], 0, 0, "no finite"),
        ([0.1], [1, 1], 0, 0, "not of the same ages"),
        ([], [], 0, 0, "not of the same ages"),
        ([0.1, 0.1], [1, 1], 0, 3.5, "no yearly rate"),
    ],
)
def test_tables_that_are_none_are_refused(hazards, utilities, age, rate, words):
    with pytest.raises(ModelError, match=words):
        quality_adjusted_life_expectancy(hazards, utilities, age=age, rate=rate)


@pytest.mark.parametrize(("general", "disease"), [(0.0, 1.0), (math.nan, 1.0), (5.0, [math.nan])])
def test_qalys_that_are_none_are_refused(general, disease):
    with pytest.raises(ModelError):
        shortfall(general, disease, NICE)


def test_a_file_without_a_table_of_people_is_refused():
    with pytest.raises(ModelError, match="tables by sex and age"):
        general_population("hiv", "norm_england_hse2014", "test")
    with pytest.raises(ModelError, match="no parameter file"):
        general_population("life_table_england", "norm_england_hse2014", "test")

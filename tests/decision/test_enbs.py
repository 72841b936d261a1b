"""Best sizes of studies whose value is known as a formula."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qalyst.decision.enbs import Costs, Timing, enbs, fitted_curve, sizes_between
from qalyst.decision.evsi import Evsi
from qalyst.decision.population import Population
from qalyst.errors import ModelError

PERSONS = Population(incidence=1000, horizon=10)


def known(n, value, evppi, se=0.0):
    return Evsi(
        study="s", n=n, wtp=1.0, value=value, se=se, interval=(0.0, evppi), evppi=evppi,
        evpi=2 * evppi, bound=0.0, raised=0.0, method="regression", message="",
    )  # fmt: skip


def on_curve(evppi, half, power, sizes, se=0.0):
    return [known(n, evppi * (n / (n + half)) ** power, evppi, se) for n in sizes]


@given(st.floats(1, 300), st.floats(0.3, 3))
@settings(max_examples=30, deadline=None)
def test_a_curve_of_this_form_is_found_again(half, power):
    sizes = sizes_between(5, 2000)
    curve = fitted_curve(on_curve(4.0, half, power, sizes))
    n = np.geomspace(5, 2000, 50)
    np.testing.assert_allclose(curve.value(n), 4 * (n / (n + half)) ** power, rtol=1e-4)


def test_the_best_size_of_a_known_curve():
    """With power 1 the derivative is 0 at ``sqrt(persons evppi half / cost) - half``."""
    found = enbs(on_curve(5.0, 40, 1.0, sizes_between(10, 640)), PERSONS, Costs(10_000, 50))
    best = np.sqrt(10_000 * 5 * 40 / 50) - 40
    assert abs(found.best - best) <= 1
    at = int(np.flatnonzero(found.sizes == 160)[0])
    assert found.value[at] == pytest.approx(10_000 * 5 * 160 / 200, rel=1e-4)
    assert found.cost[at] == 10_000 + 50 * 160
    assert found.enbs[at] == pytest.approx(40_000 - 18_000, rel=1e-3)
    assert found.highest == pytest.approx(50_000 * best / (best + 40) - 10_000 - 50 * best)
    assert not found.at_edge
    assert found.within == (found.best, found.best)


def test_sizes_within_one_standard_error_of_the_best():
    values = on_curve(5.0, 40, 1.0, sizes_between(10, 640), se=0.05)
    found = enbs(values, PERSONS, Costs(10_000, 50))
    low, high = found.within
    assert low < found.best < high
    inside = (found.sizes >= low) & (found.sizes <= high)
    least = found.highest - 0.05 * 10_000
    assert (found.enbs[inside] >= least).all()
    assert (found.enbs[~inside] < least).all()


def test_an_independent_search_over_sizes_follow_up_and_recruitment():
    """The best size by a plain loop over the formula, with a delay that grows with the size."""
    population = Population(incidence=[300] * 12, horizon=12, discount=0.03)
    timing = Timing(follow_up=1.5, recruitment=120, reporting=0.5)
    costs = Costs(50_000, 20, per_patient_year=10)
    found = enbs(on_curve(60.0, 55, 0.8, sizes_between(10, 800)), population, costs, timing)

    def net(n):
        delay = n / 120 + 2.0
        persons = sum(
            300 * min(max(year + 1 - max(delay, year), 0), 1) / 1.03**year for year in range(12)
        )
        return persons * 60 * (n / (n + 55)) ** 0.8 - 50_000 - n * 35

    best = max(range(10, 801), key=net)
    assert abs(found.best - best) <= 1
    assert found.highest == pytest.approx(net(best), rel=1e-3)
    whole = sum(300 / 1.03**year for year in range(12))
    np.testing.assert_allclose(found.waiting + found.value, whole * found.evsi, rtol=1e-12)


def test_dear_patients_make_the_smallest_study_the_best_and_cheap_ones_the_largest():
    values = on_curve(5.0, 40, 1.0, sizes_between(10, 640))
    dear = enbs(values, PERSONS, Costs(0, 10_000))
    assert dear.best == 10
    assert dear.highest < 0
    free = enbs(values, PERSONS, Costs(0, 0))
    assert free.best == 640
    assert free.at_edge


def test_nothing_to_learn_gives_minus_the_cost():
    found = enbs([known(n, 0.0, 0.0) for n in (10, 20, 40)], PERSONS, Costs(100, 2))
    assert found.best == 10
    assert found.highest == -120


def test_a_value_of_nothing_at_the_smallest_size_does_not_spoil_the_curve():
    """Its true value is a thousandth of the EVPPI; a relative difference would be infinite."""
    first, *others = on_curve(1.0, 30, 2.0, (1, 10, 100, 1000))
    curve = fitted_curve([known(first.n, 0.0, 1.0), *others])
    exact = [each.value for each in others]
    np.testing.assert_allclose(curve.value([10, 100, 1000]), exact, rtol=0.02)


def test_no_value_is_given_below_the_smallest_size():
    curve = fitted_curve(on_curve(5.0, 40, 1.0, (10, 50, 200)))
    with pytest.raises(ModelError, match="5 persons is not known: the smallest"):
        curve.value([20, 5])


def test_large_ranges_are_searched_at_equal_ratios():
    found = enbs(on_curve(5.0, 400, 1.0, sizes_between(10, 50_000)), PERSONS, Costs(0, 1))
    assert len(found.sizes) <= 2000
    assert found.best == pytest.approx(np.sqrt(10_000 * 5 * 400) - 400, rel=0.01)


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: Costs(-1, 0), "'fixed' is -1"),
        (lambda: Costs(0, float("nan")), "'per_patient' is nan"),
        (lambda: Timing(follow_up=-1), "a study with"),
        (lambda: Timing(recruitment=0), "persons per year"),
        (lambda: sizes_between(10, 10), "sizes from 10 to 10"),
        (lambda: fitted_curve(on_curve(1.0, 5, 1.0, (10, 20))), "three or more"),
        (lambda: fitted_curve(on_curve(1.0, 5, 1.0, (10, 20, 20))), "different sizes"),
    ],
)
def test_what_cannot_be_is_refused(make, words):
    with pytest.raises(ModelError, match=words):
        make()

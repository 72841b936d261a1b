"""Survival from deaths and censored times, by hand."""

import numpy as np
import pytest

from qalyst.stats.kaplan_meier import kaplan_meier

# the remission times of 21 children given 6-mercaptopurine (Freireich et al. 1963 Blood 21:699-716)
WEEKS = [6, 6, 6, 6, 7, 9, 10, 10, 11, 13, 16, 17, 19, 20, 22, 23, 25, 32, 32, 34, 35]
RELAPSED = [1, 1, 1, 0, 1, 0, 1, 0, 0, 1, 1, 0, 0, 0, 1, 1, 0, 0, 0, 0, 0]


def test_remission_on_mercaptopurine_is_that_of_the_textbooks():
    """Kleinbaum & Klein, Survival Analysis, chapter 2 (recalled)."""
    found = kaplan_meier(np.array(WEEKS, float), np.array(RELAPSED, bool))
    assert found.years.tolist() == [0, 6, 7, 10, 13, 16, 22, 23, 35]
    assert found.at_risk.tolist() == [21, 21, 17, 15, 12, 11, 7, 6, 1]
    survival = [1, 0.8571, 0.8067, 0.7529, 0.6902, 0.6275, 0.5378, 0.4482, 0.4482]
    errors = [0, 0.0764, 0.0869, 0.0963, 0.1068, 0.1141, 0.1282, 0.1346, 0.1346]
    np.testing.assert_allclose(found.survival, survival, atol=5e-5)
    np.testing.assert_allclose(found.standard_error, errors, atol=5e-5)


def test_without_censoring_it_is_the_share_alive_with_the_binomial_error():
    found = kaplan_meier(np.array([1.0, 1, 2, 5]), np.ones(4, bool))
    share = np.array([1, 0.5, 0.25, 0])
    np.testing.assert_allclose(found.survival, share, rtol=1e-15)
    error = np.sqrt(share * (1 - share) / 4)
    np.testing.assert_allclose(found.standard_error[:3], error[:3], rtol=1e-12)
    assert np.isnan(found.standard_error[3])  # 0 times infinity: Greenwood does not say


def test_deaths_at_the_start_are_at_time_zero():
    found = kaplan_meier(np.array([0.0, 3.0]), np.array([True, False]))
    assert found.years.tolist() == [0, 3]
    assert found.survival.tolist() == [0.5, 0.5]


@pytest.mark.parametrize("died", [True, False])
def test_one_person(died):
    found = kaplan_meier(np.array([2.0]), np.array([died]))
    assert found.deaths.tolist() == [0, int(died)]
    assert found.survival.tolist() == [1, 0 if died else 1]

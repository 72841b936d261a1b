"""A sample of people: strata of each attribute, and the correlations that were stated."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import special, stats

from qalyst.stats.differences import FAMILIES, quantile
from qalyst.stats.people import sampled_people
from qalyst.stats.scalar_families import ImpossibleMoments

NAMES = ("age", "bmi", "frailty")
MATRIX = np.array([[1.0, 0.5, 0.0], [0.5, 1.0, -0.3], [0.0, -0.3, 1.0]])


def pair(r, count):
    return sampled_people(("x", "y"), np.array([[1.0, r], [r, 1.0]]), count)


def test_each_stratum_holds_one_person():
    strata = np.floor(sampled_people(NAMES, MATRIX, 128) * 128)
    np.testing.assert_array_equal(np.sort(strata, axis=1), np.tile(np.arange(128), (3, 1)))


@pytest.mark.parametrize("count", [128, 1024])
def test_normal_scores_have_the_stated_correlations(count):
    """Within a quarter of the error of independent people: the sample is made to have them."""
    found = np.corrcoef(special.ndtri(sampled_people(NAMES, MATRIX, count)))
    np.testing.assert_allclose(found, MATRIX, rtol=0, atol=0.25 / count**0.5)


@pytest.mark.parametrize("r", [-0.8, 0.0, 0.3, 0.95])
def test_the_mean_product_of_two_normals_is_their_correlation(r):
    """E[XY] of standard normals; the error of independent people is sqrt((1 + r^2) / n)."""
    x, y = special.ndtri(pair(r, 1024))
    assert abs((x * y).mean() - r) < ((1 + r**2) / 1024) ** 0.5


def test_the_mean_product_of_two_lognormals():
    """E[exp(X + Y)] = exp(1 + r) for standard normals X and Y, within 4 standard errors."""
    x, y = special.ndtri(pair(0.4, 4096))
    product = np.exp(x / 2 + y / 2)
    error = product.std(ddof=1) / 64
    assert abs(product.mean() - np.exp((1 + 0.4) / 4)) < 4 * error


def test_another_attribute_after_it_changes_nothing():
    few, many = sampled_people(NAMES[:2], MATRIX[:2, :2], 64), sampled_people(NAMES, MATRIX, 64)
    np.testing.assert_array_equal(few, many[:2])


FROM_SCIPY = {
    "normal": ((60.0, 9.0), stats.norm(60, 9)),
    "truncated_normal": ((60.0, 9.0, 50.0, 80.0), stats.truncnorm(-10 / 9, 20 / 9, 60, 9)),
    "lognormal": ((2.0, 1.0), stats.lognorm(np.log(1.25) ** 0.5, scale=2 / 1.25**0.5)),
    "beta": ((0.3, 0.1), stats.beta(0.3 * 20, 0.7 * 20)),
    "gamma": ((1.0, 0.5), stats.gamma(4, scale=0.25)),
    "uniform": ((2.0, 5.0), stats.uniform(2, 3)),
    "triangular": ((2.0, 3.0, 5.0), stats.triang(1 / 3, 2, 3)),
    "pert": ((2.0, 3.0, 5.0), stats.beta(1 + 4 / 3, 1 + 8 / 3, 2, 3)),
}


def given(name, values):
    return {key: np.array(v) for key, v in zip(FAMILIES[name].arguments, values, strict=True)}


@pytest.mark.parametrize("name", FAMILIES)
@pytest.mark.parametrize("u", [1e-6, 0.2, 0.5, 0.9])
def test_quantiles_are_those_of_the_family(name, u):
    values, expected = FROM_SCIPY[name]
    assert quantile(name, u, given(name, values)) == pytest.approx(expected.ppf(u), rel=1e-9)


@pytest.mark.parametrize("name", FAMILIES)
def test_arguments_may_differ_between_draws(name):
    """An array of arguments gives what each of them gives by itself."""
    values = np.array(FROM_SCIPY[name][0])
    many = given(name, np.stack([values, values * 1.01], axis=1))
    one_by_one = [quantile(name, 0.3, given(name, values * f)) for f in (1.0, 1.01)]
    np.testing.assert_array_equal(quantile(name, 0.3, many), one_by_one)


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("normal", (0.0, 0.0)),
        ("gamma", (-1.0, 1.0)),
        ("lognormal", (0.0, 1.0)),
        ("beta", (0.5, 0.6)),
        ("uniform", (1.0, 1.0)),
        ("triangular", (0.0, 2.0, 1.0)),
        ("truncated_normal", (3.0, 1.0, 0.0, 2.0)),
        ("normal", (np.nan, 1.0)),
    ],
)
def test_what_no_distribution_has_is_refused(name, values):
    with pytest.raises(ImpossibleMoments, match="it needs"):
        quantile(name, 0.5, given(name, values))

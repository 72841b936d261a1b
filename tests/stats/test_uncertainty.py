import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError
from scipy import special

from qalyst.stats.addresses import BELOW_ONE, uniforms
from qalyst.stats.joint import cholesky
from qalyst.stats.uncertainty import (
    Beta,
    Dirichlet,
    Draws,
    Fixed,
    Gamma,
    ImpossibleMoments,
    LogNormal,
    Normal,
    Pert,
    Triangular,
    TruncatedNormal,
    Uncertainty,
    Uniform,
    gaussian_copula,
    joint_normal,
)

CASE = Path(__file__).parents[1] / "cases" / "psa_distribution_moments.json"
EXPECTED = json.loads(CASE.read_text())["expected"]
READ = TypeAdapter(Uncertainty).validate_python
EXTREMES = np.array([2.0**-54, 2.0**-53, 0.5, 1 - 2.0**-52, BELOW_ONE])


def golden(name):
    return EXPECTED["values"][name], EXPECTED["rel_tol"]


def moments(family, value):
    """Mean and sd by quadrature of the quantile over a normal score: exact to about 1e-6."""
    z = np.linspace(-8, 8, 20_001)
    weight = np.exp(-z * z / 2) / np.sqrt(2 * np.pi) * (z[1] - z[0])
    x = family.quantile(value, special.ndtr(z))
    mean = (weight * x).sum()
    return mean, np.sqrt((weight * (x - mean) ** 2).sum())


@pytest.mark.parametrize(("value", "se"), [(0.85, 0.03), (0.30, 0.03), (0.75, 0.04)])
def test_a_beta_agrees_with_the_golden_case(value, se):
    expected, rtol = golden(f"beta mean .{value * 100:.0f} se .{se * 100:02.0f}")
    beta = Beta(se=se)
    beta.check(value)
    np.testing.assert_allclose(beta.shapes(value), [expected["alpha"], expected["beta"]], rtol=rtol)
    np.testing.assert_allclose([beta.mean(value), beta.sd(value)], [value, se], rtol=rtol)
    quantiles = beta.quantile(value, np.array([0.025, 0.5, 0.975]))
    np.testing.assert_allclose(quantiles, expected["quantiles_2_5_50_97_5"], rtol=rtol)
    np.testing.assert_array_equal(beta.interval(value), quantiles[[0, 2]])


def test_a_gamma_agrees_with_the_golden_case():
    expected, rtol = golden("gamma mean 5294 se 1487")
    gamma = Gamma(se=1487)
    np.testing.assert_allclose(
        gamma.shape_scale(5294), [expected["shape"], expected["scale"]], rtol=rtol
    )
    np.testing.assert_allclose(
        [gamma.mean(5294), gamma.sd(5294)], [expected["mean"], expected["sd"]], rtol=rtol
    )
    quantiles = gamma.quantile(5294, np.array([0.025, 0.5, 0.975]))
    np.testing.assert_allclose(quantiles, expected["quantiles_2_5_50_97_5"], rtol=rtol)


def test_a_lognormal_agrees_with_the_golden_case():
    expected, rtol = golden("lognormal from RR .509 (95% CI .365-.710), median = .509")
    moments_of_log = [expected["meanlog"], expected["sdlog"]]
    amount = LogNormal(se=expected["sd"])
    np.testing.assert_allclose(amount.log_moments(expected["mean"]), moments_of_log, rtol=rtol)
    # The case divides by 2 * 1.959964; the language by 3.92, as papers do.
    rounding = 2 * special.ndtri(0.975) / 3.92
    ratio = LogNormal(ci95=(0.365, 0.710))
    np.testing.assert_allclose(
        ratio.log_moments(0.509), np.multiply(moments_of_log, [1, rounding]), rtol=rtol
    )
    by_exact_width = LogNormal(
        ci95=tuple(0.509 * np.exp(1.96 * expected["sdlog"] * np.array([-1, 1])))
    )
    np.testing.assert_allclose(
        [by_exact_width.mean(0.509), by_exact_width.sd(0.509)],
        [expected["mean"], expected["sd"]],
        rtol=rtol,
    )
    assert ratio.quantile(0.509, np.array([0.5]))[0] == pytest.approx(0.509, rel=1e-15)


def test_a_dirichlet_agrees_with_the_golden_case():
    expected, rtol = golden("dirichlet(1251,350,116,17)")
    shares = Dirichlet(counts={"a": 1251, "b": 350, "c": 116, "d": 17})
    value = shares.implied_value()
    np.testing.assert_allclose(value, expected["mean"], rtol=rtol)
    np.testing.assert_allclose(shares.mean(value), expected["mean"], rtol=rtol)
    np.testing.assert_allclose(shares.sd(value), expected["sd"], rtol=rtol)


def test_the_cholesky_factor_agrees_with_the_golden_case():
    expected, _ = golden("cholesky_lower_thr_weibull_vcov")
    # Absolute: one element is a difference of products that cancel.
    np.testing.assert_allclose(
        cholesky(np.array(expected["vcov"])), expected["L"], rtol=1e-8, atol=1e-15
    )


FAMILIES = [
    (Fixed(reason="list price"), 12.0),
    (Normal(se=2.0), -3.0),
    (Normal(ci95=(1.0, 4.92)), 3.0),
    (TruncatedNormal(se=2.0, low=0.0, high=9.0), 1.0),
    (TruncatedNormal(se=0.1, low=-50.0, high=1e9), 0.0),
    (LogNormal(ci95=(0.365, 0.71)), 0.509),
    (LogNormal(se=400.0), 1000.0),
    (Beta(se=0.03), 0.85),
    (Beta(se=0.3), 0.2),
    (Beta(ci95=(0.1, 0.4)), 0.2),
    (Beta(events=4, of=100), 0.04),
    (Gamma(se=1487.0), 5294.0),
    (Gamma(se=30.0), 10.0),
    (Uniform(low=-1.0, high=4.0), 3.0),
    (Triangular(low=1.0, high=6.0), 2.0),
    (Triangular(low=1.0, high=6.0), 1.0),
    (Triangular(low=1.0, high=6.0), 6.0),
    (Pert(low=1.0, high=6.0), 2.0),
    (Pert(low=1.0, high=6.0), 6.0),
]
each_family = pytest.mark.parametrize(("family", "value"), FAMILIES)


@each_family
def test_draws_have_the_stated_mean_and_standard_deviation(family, value):
    family.check(value)
    mean, sd = moments(family, value)
    # The step of the quadrature where a density ends abruptly: about 1e-6 of the spread.
    assert mean == pytest.approx(family.mean(value), rel=1e-6, abs=1e-5)
    assert sd == pytest.approx(family.sd(value), rel=2e-5, abs=1e-10)


@each_family
def test_quantiles_are_finite_and_increase_to_the_extremes(family, value):
    found = family.quantile(value, EXTREMES)
    assert np.isfinite(found).all()
    assert np.all(np.diff(found) >= 0)


@each_family
def test_the_interval_is_the_central_95_percent(family, value):
    low, high = family.interval(value)
    assert [low, high] == family.quantile(value, np.array([0.025, 0.975])).tolist()


@each_family
def test_a_chunk_of_draws_has_the_same_bits_as_the_whole(family, value):
    u = uniforms(0, "x", "", range(1000))
    whole = family.quantile(value, u)
    for chunk in (slice(0, 1), slice(1, 8), slice(8, 333), slice(333, 1000)):
        np.testing.assert_array_equal(family.quantile(value, u[chunk]), whole[chunk])


UNIFORM = st.floats(2.0**-54, BELOW_ONE)


@given(st.sampled_from(FAMILIES), UNIFORM, UNIFORM)
def test_a_greater_uniform_never_gives_a_smaller_draw(example, one, other):
    family, value = example
    low, high = family.quantile(value, np.sort([one, other]))
    # Inverse incomplete integrals are exact to about 1e-14.
    assert low <= high + 1e-12 * abs(high)


@settings(max_examples=30)
@given(st.floats(0.02, 0.98), st.floats(0.02, 0.9))
def test_a_beta_has_any_mean_with_any_se_it_can_have(mean, part):
    beta = Beta(se=part * np.sqrt(mean * (1 - mean)))
    beta.check(mean)
    found_mean, found_sd = moments(beta, mean)
    assert found_mean == pytest.approx(mean, rel=1e-4)
    assert found_sd == pytest.approx(beta.se, rel=1e-4)


@settings(max_examples=30)
@given(st.floats(-3, 3), st.floats(0.2, 5), st.floats(0.1, 20), st.floats(0.1, 20))
def test_a_truncated_normal_has_the_moments_of_its_formula(value, se, left, right):
    family = TruncatedNormal(se=se, low=value - left, high=value + right)
    mean, sd = moments(family, value)
    assert mean == pytest.approx(family.mean(value), abs=1e-5 * se)
    assert sd == pytest.approx(family.sd(value), rel=1e-4)


def test_a_normal_interval_of_the_paper_is_3_92_standard_errors_wide():
    assert Normal(ci95=(1.0, 4.92)).sd(3.0) == pytest.approx(1.0, rel=1e-14)
    assert Gamma(ci95=(2.0, 5.92)).sd(4.0) == pytest.approx(1.0, rel=1e-14)
    assert Beta(ci95=(0.1, 0.492)).sd(0.3) == pytest.approx(0.1, rel=1e-14)


def test_draws_of_a_ratio_lie_higher_on_average_than_its_value():
    assert LogNormal(ci95=(0.5, 2.0)).mean(1.0) > 1.0
    assert LogNormal(se=0.3).mean(1.0) == pytest.approx(1.0, rel=1e-15)


@pytest.mark.parametrize(
    ("family", "implied"),
    [
        (Beta(events=4, of=100), 0.04),
        (Uniform(low=1, high=4), 2.5),
        (Beta(se=0.1), None),
        (Normal(se=0.1), None),
        (Draws(file="x.csv"), None),
    ],
)
def test_a_value_may_follow_from_its_uncertainty(family, implied):
    assert family.implied_value() == implied


def test_a_beta_of_counts_is_a_beta_of_events_and_others():
    beta = Beta(events=4, of=100)
    assert beta.shapes(0.04) == (4, 96)
    assert beta.sd(0.04) == pytest.approx(np.sqrt(0.04 * 0.96 / 101))


COUNTS = Dirichlet(counts={"b": 350, "c": 116, "d": 17})


def dirichlet_uniforms(n):
    return np.array([uniforms(0, "p", cell, range(n)) for cell in COUNTS.cells])


def test_shares_sum_to_one_and_have_the_moments_of_a_dirichlet():
    n = 20_000
    value = COUNTS.implied_value()
    draws = COUNTS.quantile(value, dirichlet_uniforms(n))
    np.testing.assert_allclose(draws.sum(axis=0), 1, rtol=1e-14)
    z = (draws.mean(axis=1) - COUNTS.mean(value)) / (COUNTS.sd(value) / np.sqrt(n))
    assert np.abs(z).max() < 4
    np.testing.assert_allclose(draws.std(axis=1), COUNTS.sd(value), rtol=4 / np.sqrt(2 * n))


def test_each_share_of_a_dirichlet_is_a_beta():
    low, high = COUNTS.interval(COUNTS.implied_value())[2]
    beta = Beta(events=17, of=483)
    assert (low, high) == pytest.approx(beta.interval(17 / 483), rel=1e-14)


def test_shares_of_any_chunk_have_the_same_bits():
    u = dirichlet_uniforms(500)
    whole = COUNTS.quantile(COUNTS.implied_value(), u)
    for chunk in (slice(0, 1), slice(1, 130), slice(130, 500)):
        part = COUNTS.quantile(COUNTS.implied_value(), u[:, chunk])
        np.testing.assert_array_equal(part, whole[:, chunk])


def test_shares_of_tiny_counts_are_defined_at_the_extremes():
    sparse = Dirichlet(counts={"a": 0.01, "b": 0.001})
    found = sparse.quantile(sparse.implied_value(), np.full((2, 1), 2.0**-54))
    np.testing.assert_allclose(found.sum(axis=0), 1)


def test_shares_that_are_not_those_of_the_counts_are_refused():
    with pytest.raises(ImpossibleMoments, match=r"the value of 'c' is 0\.3"):
        COUNTS.check(np.array([350 / 483, 0.3, 17 / 483]))
    with pytest.raises(ImpossibleMoments, match="2 shares for 3 counts"):
        COUNTS.check(np.array([0.5, 0.5]))
    COUNTS.check(COUNTS.implied_value())


def test_a_column_of_draws_has_its_own_moments_and_quantiles():
    draws, column = Draws(file="fit.csv"), np.array([4.0, 1.0, 3.0, 2.0])
    draws.check(column)
    assert (draws.mean(column), draws.sd(column)) == (2.5, np.sqrt(1.25))
    np.testing.assert_array_equal(
        draws.quantile(column, np.array([2.0**-54, 0.2, 0.3, 0.6, BELOW_ONE])), [1, 1, 2, 3, 4]
    )
    assert draws.interval(column) == (1.0, 4.0)
    with pytest.raises(ImpossibleMoments, match="not finite"):
        draws.check(np.array([1.0, np.nan]))
    with pytest.raises(ImpossibleMoments, match="no draws"):
        draws.check(np.array([]))


@pytest.mark.parametrize(
    ("family", "value", "words"),
    [
        (Beta(se=0.4), 0.9, "a beta with mean 0.9 cannot have se 0.4: it must be below 0.3"),
        (Beta(se=0.1), 1.2, "between 0 and 1; its mean is 1.2"),
        (Beta(events=4, of=100), 0.05, "not 4 events of 100"),
        (Beta(ci95=(0.3, 0.4)), 0.5, "outside its own 95 % interval"),
        (Gamma(se=1.0), -3.0, "a gamma is above 0; its value is -3"),
        (LogNormal(se=1.0), 0.0, "a lognormal is above 0; its value is 0"),
        (LogNormal(ci95=(1.1, 1.9)), 2.5, "2.5 is outside its own 95 % interval, 1.1 to 1.9"),
        (Normal(ci95=(1.1, 1.9)), 2.5, "outside"),
        (Uniform(low=0, high=1), 2.0, "the value 2 is not between 0 and 1"),
        (Triangular(low=0, high=1), 2.0, "not between"),
        (Pert(low=0, high=1), -2.0, "not between"),
        (TruncatedNormal(se=1, low=0, high=1), 2.0, "not between"),
        (TruncatedNormal(se=1, low=0, high=1e-3), 0.0, "is flat"),
    ],
)
def test_moments_that_a_family_cannot_have_are_refused_with_the_reason(family, value, words):
    with pytest.raises(ImpossibleMoments) as caught:
        family.check(value)
    assert words in str(caught.value)


@pytest.mark.parametrize(
    ("record", "words"),
    [
        ({"family": "normal"}, "exactly one of `se` and `ci95`; found neither"),
        ({"family": "gamma", "se": 1, "ci95": [1, 2]}, "found both"),
        ({"family": "beta"}, "found none"),
        ({"family": "beta", "se": 0.1, "events": 1, "of": 3}, "found se, events, of"),
        ({"family": "beta", "events": 1}, "found events"),
        ({"family": "beta", "events": 3, "of": 3}, "events must be fewer"),
        ({"family": "beta", "events": 0, "of": 3}, "greater than 0"),
        ({"family": "normal", "se": 0}, "greater than 0"),
        ({"family": "normal", "se": "2"}, "valid number"),
        ({"family": "normal", "se": True}, "valid number"),
        ({"family": "normal", "se": float("inf")}, "finite"),
        ({"family": "normal", "ci95": [2, 1]}, "does not rise"),
        ({"family": "lognormal", "ci95": [0, 1]}, "above 0"),
        ({"family": "uniform", "low": 2, "high": 1}, "not below"),
        ({"family": "fixed"}, "reason"),
        ({"family": "normal", "sd": 1}, "sd"),
        ({"family": "cauchy", "se": 1}, "'cauchy'"),
        ({"family": "dirichlet", "counts": {"a": 0, "b": 3}}, "greater than 0"),
    ],
)
def test_a_record_that_says_too_little_or_too_much_is_refused(record, words):
    with pytest.raises(ValidationError) as caught:
        READ(record)
    assert words in str(caught.value)


def test_a_record_is_read_by_its_family_and_cannot_be_changed():
    read = READ({"family": "lognormal", "ci95": [0.5, 2]})
    assert read == LogNormal(ci95=(0.5, 2.0))
    with pytest.raises(ValidationError, match="frozen"):
        read.se = 1.0


MEANS = np.array([1.0, -2.0, 0.5])
COVARIANCE = np.array([[4.0, 1.2, 0.0], [1.2, 1.0, -0.3], [0.0, -0.3, 0.25]])


def three_uniforms(n):
    return np.array([uniforms(3, "fit", name, range(n)) for name in "abc"])


def test_joint_draws_have_their_means_and_covariance():
    n = 40_000
    draws = joint_normal(MEANS, COVARIANCE, three_uniforms(n))
    sd = np.sqrt(np.diagonal(COVARIANCE))
    assert np.abs((draws.mean(axis=1) - MEANS) / sd * np.sqrt(n)).max() < 4
    # The variance of a sample covariance of normals is (s_ii s_jj + s_ij^2) / n.
    error = np.sqrt((np.outer(sd, sd) ** 2 + COVARIANCE**2) / n)
    assert np.abs((np.cov(draws) - COVARIANCE) / error).max() < 4


def test_a_joint_draw_at_the_middle_is_the_values():
    np.testing.assert_array_equal(
        joint_normal(MEANS, COVARIANCE, np.full((3, 1), 0.5))[:, 0], MEANS
    )


def test_joint_draws_of_any_chunk_have_the_same_bits():
    u, correlation = three_uniforms(300), np.array([[1, 0.5, 0], [0.5, 1, 0.2], [0, 0.2, 1]])
    for draw in (
        lambda u: joint_normal(MEANS, COVARIANCE, u),
        lambda u: gaussian_copula(u, correlation),
    ):
        whole = draw(u)
        for chunk in (slice(0, 1), slice(1, 37), slice(37, 300)):
            np.testing.assert_array_equal(draw(u[:, chunk]), whole[:, chunk])


@pytest.mark.parametrize(
    ("matrix", "words"),
    [
        ([[1, 0.2], [0.3, 1]], "the covariance of a and b is 0.3 once and 0.2 once"),
        ([[1, 2], [2, 1]], "the covariance of a and b is 2, a correlation of 2"),
        ([[1, 0], [0, 0]], "the variance of b is 0; it must be above 0"),
        ([[1, np.nan], [np.nan, 1]], "not finite"),
        ([[1, 0]], "as many rows as columns"),
    ],
)
def test_a_matrix_that_is_no_covariance_is_refused_by_name(matrix, words):
    with pytest.raises(ImpossibleMoments) as caught:
        joint_normal(np.zeros(2), np.array(matrix), np.full((2, 1), 0.5), names=["a", "b"])
    assert words in str(caught.value)


def test_correlations_that_are_possible_by_pairs_but_not_together_are_refused():
    impossible = np.array([[1, 0.9, -0.9], [0.9, 1, 0.9], [-0.9, 0.9, 1]])
    with pytest.raises(ImpossibleMoments, match="not all of them together"):
        gaussian_copula(three_uniforms(2), impossible)


def test_a_correlation_with_itself_is_one():
    with pytest.raises(ImpossibleMoments, match="itself"):
        gaussian_copula(three_uniforms(2), COVARIANCE)


def test_a_copula_correlates_and_leaves_each_number_uniform():
    n, r = 40_000, 0.6
    u = three_uniforms(n)[:2]
    correlated = gaussian_copula(u, np.array([[1, r], [r, 1]]))
    for row in correlated:
        counts = np.bincount((row * 50).astype(int), minlength=50)
        chi_square = ((counts - n / 50) ** 2).sum() / (n / 50)
        assert abs(chi_square - 49) / np.sqrt(2 * 49) < 4
    # Spearman's rho of a Gaussian copula is 6/pi asin(r/2) (Pearson 1907).
    found = np.corrcoef(correlated)[0, 1]
    assert abs(found - 6 / np.pi * np.arcsin(r / 2)) * np.sqrt(n) < 4


def test_a_copula_stays_inside_the_unit_interval_at_the_extremes():
    u = np.tile(EXTREMES, (2, 1))
    correlated = gaussian_copula(u, np.array([[1, 0.9], [0.9, 1]]))
    assert correlated.min() > 0
    assert correlated.max() < 1

"""What deciding on a fit gains, and what it may lack, against closed forms."""

import numpy as np
from scipy.stats import norm

from qalyst.decision.informed import informed_gain, tie_bias
from qalyst.stats.neighbours import NO_PAIRS, pairs_among


def against_nothing(*columns):
    return np.column_stack([np.zeros(len(columns[0])), *columns])


def exact_scores(n):
    """Draws [draw] whose mean is 0 and variance 1 exactly."""
    x = norm.ppf((np.arange(n) + 0.5) / n)
    return x / x.std(ddof=1)


def test_the_tie_of_two_equal_strategies():
    # the difference of means is normal: E max(0, N(0, s)) = s phi(0)
    benefit = against_nothing(exact_scores(400))
    np.testing.assert_allclose(tie_bias(benefit), norm.pdf(0) / 20, rtol=0.1)


def test_the_tie_of_two_strategies_that_differ():
    # by one standard error: phi(1) - Phi(-1)
    benefit = against_nothing(exact_scores(400) - 1 / 20)
    np.testing.assert_allclose(tie_bias(benefit), (norm.pdf(1) - norm.sf(1)) / 20, rtol=0.15)


def test_a_clear_difference_leaves_no_tie():
    assert tie_bias(against_nothing(exact_scores(400) - 1)) == 0
    assert tie_bias(np.zeros((400, 1))) == 0


def test_the_gain_of_a_known_mean_is_the_closed_form():
    x = np.random.default_rng(1).standard_normal(20_000)
    fit = against_nothing(x)
    found = informed_gain(fit, fit, fit, NO_PAIRS, 0.0)
    assert abs(found.value - norm.pdf(0)) < 4 * found.se
    # sd of max(0, x)
    np.testing.assert_allclose(found.se, np.sqrt((0.5 - norm.pdf(0) ** 2) / 20_000), rtol=0.03)


def test_the_bound_is_what_missed_structure_is_worth():
    # fitted x, missed e = s y: E max(0, x + s y) - E max(0, x) = phi(0) (sqrt(1 + s^2) - 1)
    x, y, noise = np.random.default_rng(2).standard_normal((3, 20_000))
    size = 0.5
    fit = against_nothing(x)
    benefit = against_nothing(x + size * y + noise / 4)
    found = informed_gain(benefit, fit, fit, pairs_among(np.column_stack([x, y])), 0.0)
    lacking = norm.pdf(0) * (np.sqrt(1 + size**2) - 1)
    np.testing.assert_allclose(found.bound, lacking, rtol=0.25)


def test_the_bound_does_not_depend_on_which_strategy_is_which():
    x, y, noise = np.random.default_rng(3).standard_normal((3, 3_000))
    fit = against_nothing(x, -0.5 * np.ones(3_000))
    benefit = fit + against_nothing(y / 2 + noise, noise / 5)
    pairs = pairs_among(np.column_stack([x, y]))
    one = informed_gain(benefit, fit, fit, pairs, 0.0).bound
    turned = [2, 0, 1]
    other = informed_gain(benefit[:, turned], fit[:, turned], fit[:, turned], pairs, 0.0).bound
    assert one > 0
    # the margin is read in the other direction, so its spread about the mean differs a little
    np.testing.assert_allclose(other, one, rtol=0.25)


def test_a_right_fit_has_no_bound_mostly():
    bounds = []
    for seed in range(60):
        x, noise = np.random.default_rng(seed).standard_normal((2, 1_000))
        fit = against_nothing(x)
        pairs = pairs_among(x[:, None])
        bounds.append(informed_gain(fit + against_nothing(noise), fit, fit, pairs, 0.0).bound)
    assert np.mean(np.array(bounds) > 0) < 0.1

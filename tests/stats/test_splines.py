"""The shared smoothing spline against theory, brute force and its symmetries."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qalyst.stats.spline_basis import normal_scores, placed
from qalyst.stats.splines import shrinkage, smooth


def waves(n=2_000, noise=1.0, seed=3):
    random = np.random.default_rng(seed)
    x = random.standard_normal(n)
    return x, np.sin(3 * x), random.standard_normal(n) * noise


@pytest.mark.parametrize("tied", [False, True])
def test_functions_are_orthonormal_over_the_draws(tied):
    x = waves()[0].round(1) if tied else waves()[0]
    on = placed(x)
    columns = np.column_stack([np.full(len(x), len(x) ** -0.5), on.basis.columns[on.row]])
    np.testing.assert_allclose(columns.T @ columns, np.eye(columns.shape[1]), atol=1e-9)


def test_roughness_is_the_integral_of_the_squared_second_derivative():
    # of z^3, 36 z^2: checked by quadrature over the range of the scores
    x = np.arange(5_000.0)
    on = placed(x)
    z = on.basis.scores
    cubic = z**3 - 3 * z
    coordinates = on.basis.columns.T @ cubic
    found = coordinates**2 @ on.basis.roughness
    np.testing.assert_allclose(found, 12 * (z[-1] ** 3 - z[0] ** 3), rtol=1e-3)


def test_a_straight_line_in_the_score_is_fitted_exactly():
    x = waves()[0]
    z = normal_scores(x)
    curve = smooth(x, (3 + 2 * z)[:, None])
    np.testing.assert_allclose(curve.fit[:, 0], 3 + 2 * z, atol=1e-9)


def test_the_fit_of_waves_is_near_the_truth():
    x, truth, noise = waves(10_000)
    curve = smooth(x, (truth + noise)[:, None])
    # 27 free coordinates: mean square error near 27 / n
    assert np.mean((curve.fit[:, 0] - truth) ** 2) < 2 * 27 / 10_000
    assert 10 < curve.freedom[0] < 31


def test_restricted_likelihood_agrees_with_the_dense_computation():
    x, truth, noise = waves(60)
    y = truth + noise - np.mean(truth + noise)
    on = placed(x)
    columns, s = on.basis.columns[on.row], on.basis.roughness
    kept = shrinkage(columns.T @ y[:, None], s, np.array([y @ y]), len(y))[:, 0]
    bends = s > 0
    grid = np.exp(np.linspace(-14, 14, 57)) / np.median(s[bends])
    fixed = np.column_stack([np.ones(len(y)), columns[:, ~bends]])
    criteria = []
    for penalty in grid:  # minus twice the restricted log likelihood, variance profiled out
        shape = np.eye(len(y)) + (columns[:, bends] / (penalty * s[bends])) @ columns[:, bends].T
        inverse = np.linalg.inv(shape)
        design = fixed.T @ inverse @ fixed
        project = inverse - inverse @ fixed @ np.linalg.solve(design, fixed.T @ inverse)
        criteria.append(
            (len(y) - 2) * np.log(y @ project @ y)
            + np.linalg.slogdet(shape)[1]
            + np.linalg.slogdet(design)[1]
        )
    np.testing.assert_allclose(kept, 1 / (1 + grid[np.argmin(criteria)] * s))


def test_leaving_a_draw_out_is_a_fit_without_it():
    x, truth, noise = waves(120)
    y = truth + noise
    curve = smooth(x, y[:, None])
    on = placed(x)
    columns, s = on.basis.columns[on.row], on.basis.roughness
    kept = shrinkage(
        columns.T @ (y - y.mean())[:, None], s, np.array([((y - y.mean()) ** 2).sum()]), len(y)
    )[:, 0]
    design = np.column_stack([np.ones(len(y)), columns])
    penalty = np.diag(np.r_[0.0, 1 / kept - 1])
    for i in (0, 17, 119):
        rest = np.arange(len(y)) != i
        normal = design[rest].T @ design[rest] + penalty
        without = design[i] @ np.linalg.solve(normal, design[rest].T @ y[rest])
        np.testing.assert_allclose(curve.left_out[i, 0], without, rtol=1e-6)


def test_few_levels_have_their_means():
    random = np.random.default_rng(0)
    x = random.integers(0, 7, 500).astype(float)
    y = random.standard_normal((500, 2))
    curve = smooth(x, y)
    for level in range(7):
        at = x == level
        np.testing.assert_allclose(curve.fit[at], np.tile(y[at].mean(axis=0), (at.sum(), 1)))
        first = np.flatnonzero(at)[0]
        others = at & (np.arange(500) != first)
        np.testing.assert_allclose(curve.left_out[first], y[others].mean(axis=0))
    np.testing.assert_allclose(curve.freedom, 7)


def test_a_draw_alone_at_its_level_is_left_out_for_the_mean_of_the_others():
    x = np.r_[1.0, np.zeros(9)]
    y = np.arange(10.0)[:, None]
    np.testing.assert_allclose(smooth(x, y).left_out[0], y[1:].mean())


def test_tied_draws_have_one_fit():
    x, truth, noise = waves()
    x = x.round(1)
    fit = smooth(x, (truth + noise)[:, None]).fit[:, 0]
    for value in np.unique(x)[:5]:
        assert np.ptp(fit[x == value]) == 0


def test_a_constant_parameter_has_the_mean():
    y = np.arange(6.0)[:, None]
    curve = smooth(np.full(6, 2.0), y)
    np.testing.assert_allclose(curve.fit, 2.5)
    np.testing.assert_allclose(curve.left_out[0], 3.0)
    assert curve.p_value == [1.0]


def test_a_constant_result_is_itself_and_depends_on_nothing():
    curve = smooth(np.arange(60.0), np.full((60, 1), 7.0))
    np.testing.assert_allclose(curve.fit, 7.0, rtol=1e-15)
    assert curve.p_value == [1.0]


@settings(max_examples=25)
@given(seed=st.integers(0, 2**32 - 1), levels=st.sampled_from([3, 40, 0]))
def test_order_scale_and_direction_change_nothing(seed, levels):
    random = np.random.default_rng(seed)
    x = random.integers(0, levels, 200) / levels if levels else random.standard_normal(200)
    y = random.standard_normal((200, 2)) + x[:, None]
    fit = smooth(x, y).fit
    shuffled = random.permutation(200)
    for found in (
        smooth(x[shuffled], y[shuffled]).fit[np.argsort(shuffled)],
        smooth(np.exp(x / 4), y).fit,
        smooth(-x, y).fit,
        smooth(x, 1e6 * y).fit / 1e6,
        smooth(x, y[:, ::-1]).fit[:, ::-1],
        smooth(x, y + 1e3).fit - 1e3,
    ):
        np.testing.assert_allclose(found, fit, atol=1e-6)


def test_the_test_of_no_dependence_has_its_size():
    random = np.random.default_rng(5)
    x, y = random.standard_normal(300), random.standard_normal((300, 2_000))
    share = np.mean(smooth(x, y).p_value < 0.05)
    assert abs(share - 0.05) < 4 * np.sqrt(0.05 * 0.95 / 2_000)

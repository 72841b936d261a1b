"""Surfaces in several parameters, and the parts they are made of."""

import numpy as np
from scipy.optimize import check_grad, minimize

from qalyst.stats.blocks import Blocks, fit_blocks
from qalyst.stats.gaussian_process import _criterion, process_block
from qalyst.stats.interactions import find_interactions, products
from qalyst.stats.neighbours import covariance, pairs_along, pairs_among
from qalyst.stats.spline_basis import placed
from qalyst.stats.surfaces import smooth_surface


def normals(n, n_parameters, seed=1):
    return np.random.default_rng(seed).standard_normal((n, n_parameters))


def functions(x):
    """Of each parameter, with mean square 1."""
    on = [placed(column) for column in x.T]
    return [one.basis.columns[one.row] * np.sqrt(len(x)) for one in on]


def test_block_variances_have_the_largest_restricted_likelihood():
    random = np.random.default_rng(2)
    columns = random.standard_normal((80, 12))
    columns -= columns.mean(axis=0)
    block = np.repeat([0, 1], 6)
    y = columns @ np.r_[random.standard_normal(6), 0.2 * random.standard_normal(6)]
    y = (y + random.standard_normal(80))[:, None]

    def shape(logs):
        signal = np.exp(logs[:2])[block]
        return (columns * signal) @ columns.T + np.exp(logs[2]) * np.eye(80)

    def criterion(logs):  # the constant integrated out by centring
        centred = np.linalg.qr(np.column_stack([np.ones(80), np.eye(80)[:, 1:]]))[0][:, 1:]
        inner = centred.T @ shape(logs) @ centred
        rest = centred.T @ y[:, 0]
        return np.linalg.slogdet(inner)[1] + rest @ np.linalg.solve(inner, rest)

    best = minimize(criterion, np.zeros(3), method="Nelder-Mead", options={"maxiter": 2_000}).x
    signal = np.exp(best[:2])[block]
    centred = y[:, 0] - y.mean()
    weights = np.linalg.solve(
        columns.T @ columns + np.diag(np.exp(best[2]) / signal), columns.T @ centred
    )
    fit, _ = fit_blocks(Blocks(columns, block), y)
    np.testing.assert_allclose(fit[:, 0], columns @ weights + y.mean(), atol=0.02)


def test_blocks_that_explain_nothing_leave_the_mean():
    x, noise = normals(2_000, 5), normals(2_000, 1, seed=9)
    columns = np.hstack([each[:, :8] for each in functions(x)])
    fit, _ = fit_blocks(Blocks(columns, np.repeat(np.arange(5), 8)), noise)
    assert np.var(fit) < 0.01


def test_a_product_is_found_and_no_other():
    x = normals(1_000, 5)
    residual = x[:, [1]] * x[:, [3]] + normals(1_000, 1, seed=4)
    found = find_interactions(functions(x), residual)
    assert found.pairs == ((1, 3),)
    assert found.p_value[0] < 1e-6


def test_products_in_noise_are_rarely_found():
    x = functions(normals(300, 4))
    often = [bool(find_interactions(x, normals(300, 1, seed)).pairs) for seed in range(100)]
    assert np.mean(often) < 0.01 + 4 * np.sqrt(0.01 / 100)


def test_products_are_all_pairs():
    first, second = normals(3, 4), normals(3, 4, seed=2)
    found = products(first, second, 2)
    np.testing.assert_allclose(found[:, 1], first[:, 0] * second[:, 1])
    assert found.shape == (3, 4)


def test_neighbours_of_noise_are_independent():
    x = normals(1_000, 2)
    among, along = pairs_among(x), pairs_along(np.argsort(x[:, 0]))
    for pairs in (among, along):
        for size in (1.0, np.exp(x[:, 0])):  # of equal and of unequal spread
            noise = np.random.default_rng(5).standard_normal((300, 1_000)) * size
            z = [covariance(each, pairs)[1] for each in noise]
            assert abs(np.mean(z)) < 4 / np.sqrt(300)
            assert 0.85 < np.std(z) < 1.15


def test_neighbours_are_pairs_of_two_draws_each_once():
    x = np.repeat(normals(60, 2), 9, axis=0)  # more equals than neighbours asked for
    pairs = pairs_among(x)
    assert (pairs.first < pairs.second).all()
    assert len(set(zip(pairs.first.tolist(), pairs.second.tolist(), strict=True))) == len(
        pairs.first
    )


def test_the_covariance_of_neighbours_is_that_of_what_is_missed():
    x = normals(10_000, 2)
    residual = 0.3 * x[:, 0] * x[:, 1] + normals(10_000, 1, seed=8)[:, 0]
    found, z = covariance(residual, pairs_among(x))
    np.testing.assert_allclose(found, 0.09, rtol=0.3)
    assert z > 5


def test_the_slope_of_the_process_likelihood_is_its_derivative():
    x = normals(40, 3)
    y = x[:, 0] * x[:, 1] + normals(40, 1, seed=3)[:, 0]
    logs = np.array([-0.5, 0.3, -2.0, 0.2, -0.4])
    error = check_grad(lambda at: _criterion(at, x, y)[0], lambda at: _criterion(at, x, y)[1], logs)
    assert error < 1e-4


def test_process_functions_make_up_the_kernel():
    x = normals(300, 2)
    y = x[:, 0] * x[:, 1] + 0.1 * normals(300, 1, seed=3)[:, 0]
    every = np.arange(300)
    held = process_block(x, y, learned=every, centres=every[:100])
    variance = (held**2).sum(axis=1)
    np.testing.assert_allclose(variance[:100], 1, atol=1e-4)
    assert (variance < 1 + 1e-6).all()


def test_a_surface_is_near_the_truth_where_no_product_of_two_is():
    x = normals(4_000, 3)
    truth = x.prod(axis=1)
    surface = smooth_surface(x, (truth + normals(4_000, 1, seed=6)[:, 0])[:, None])
    missed = np.mean((surface.fit[:, 0] - truth) ** 2)
    assert missed < 0.2  # of 1
    assert surface.p_value[0] < 1e-6


def test_leaving_out_is_honest_on_noise():
    x, noise = normals(500, 4), normals(500, 1, seed=7)
    surface = smooth_surface(x, noise)
    # a fit of noise must not predict the draw it leaves out
    assert np.mean(surface.left_out * noise) < 3 * np.std(surface.left_out * noise) / np.sqrt(500)

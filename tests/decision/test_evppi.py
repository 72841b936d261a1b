"""EVPPI against closed forms and the laws it must obey."""

import numpy as np
import pytest
from decision_cases import case
from evppi_cases import linear_normal, normals, product, values
from scipy.integrate import dblquad
from scipy.stats import norm

from qalyst.decision.evppi import evppi
from qalyst.decision.uncertainty import evpi

SQUARE = 2 * norm.pdf(1)  # E max(0, x^2 - 1)


def assert_within_error(found, truth, z=4):
    assert abs(found.value - truth) < z * found.se + found.tie, found


@pytest.mark.parametrize("parameter", ["p1", "p2"])
@pytest.mark.parametrize("k", ["1", "2", "3"])
def test_linear_normal_decision_is_the_closed_form(k, parameter):
    truth = case("voi_linear_normal")["expected"][f"evppi_{parameter}"][k]["value"]
    found = [evppi(*linear_normal(2_000, seed), float(k), of=parameter)[0] for seed in range(12)]
    assert all(abs(one.value - truth) < 4 * one.se for one in found)
    pooled = np.sqrt(sum(one.se**2 for one in found)) / 12
    assert abs(np.mean([one.value for one in found]) - truth) < 3 * pooled


@pytest.mark.parametrize("parameter", ["X", "Y"])
def test_product_decision_is_the_closed_form(parameter):
    truth = case("voi_product_nonlinear")["expected"][f"evppi_{parameter}"]["value"]
    found = [evppi(*product(2_000, seed), 1, of=parameter)[0] for seed in range(12)]
    assert all(abs(one.value - truth) < 4 * one.se for one in found)
    pooled = np.sqrt(sum(one.se**2 for one in found)) / 12
    assert abs(np.mean([one.value for one in found]) - truth) < 3 * pooled


def test_all_parameters_of_the_product_decision_are_worth_the_evpi():
    costs, effects, parameters = product(2_000, 1)
    perfect = evpi(costs, effects, 1).item()
    (fitted,) = evppi(costs, effects, parameters, 1, of=[("X", "Y")])
    np.testing.assert_allclose(fitted.value, perfect, rtol=1e-3)
    (exact,) = evppi(costs, effects, parameters, 1, of=[("X", "Y")], deterministic=True)
    np.testing.assert_allclose(exact.value, perfect, rtol=1e-12)
    assert_within_error(exact, case("voi_product_nonlinear")["expected"]["evpi"]["value"])


def test_a_parabola_is_no_straight_line():
    x, noise = normals(1)
    (found,) = values(x[:, 0] ** 2 - 1 + noise, x)
    assert_within_error(found, SQUARE)
    assert found.value > 0.4


def test_waves_are_followed():
    x, noise = normals(1, 10_000)
    (found,) = values(np.sin(3 * x[:, 0]) + noise, x)
    # by symmetry half of E |sin 3x|: sum of the wave's Fourier series at normal x
    k = np.arange(1, 50)
    truth = (2 / np.pi - 4 / np.pi * np.sum(np.exp(-18 * k**2) / (4 * k**2 - 1))) / 2
    assert_within_error(found, truth)
    assert found.detected


def test_a_product_is_worth_something_together_and_nothing_apart():
    x, noise = normals(3, 10_000)
    a, b, c, pair = values(x[:, 0] * x[:, 1] + noise, x, ["a", "b", "c", ("a", "b")])
    assert_within_error(pair, 1 / np.pi)
    assert abs(pair.value - 1 / np.pi) < 0.03
    assert pair.se > 0
    assert pair.detected
    for one in (a, b, c):
        assert 0 <= one.value < 0.02
        assert one.se >= 0


def test_a_product_of_three_is_found():
    x, noise = normals(3, 4_000)
    (found,) = values(x.prod(axis=1) + noise, x, [("a", "b", "c")])
    truth = (2 / np.pi) ** 1.5 / 2
    assert_within_error(found, truth)
    assert found.value > 0.8 * truth


def test_noise_is_worth_nothing_and_says_so():
    x, noise = normals(4)
    for found in values(noise, x, ["a", "b", ("a", "b", "c", "d")]):
        assert found.value < 2 * max(found.se, norm.pdf(0) / np.sqrt(2_000))
        assert not found.detected
        assert found.message.startswith("No dependence on")


def test_irrelevant_members_change_little():
    x, noise = normals(6, 4_000)
    alone, among = values(x[:, 0] + noise / 2, x, ["a", tuple("abcdef")])
    assert alone.value <= among.value < alone.value + alone.se


def test_of_many_strategies_each_has_its_curve():
    x, noise = normals(2, 4_000)
    benefit = np.column_stack([x[:, 0], -x[:, 0], x[:, 1] / 4]) + noise[:, None]
    a, both = values(benefit, x, ["a", ("a", "b")])
    # common noise enters against nothing only; E max(0, x, -x) = E |x|
    assert_within_error(a, np.sqrt(2 / np.pi))
    truth, _ = dblquad(
        lambda u, v: max(0, abs(u), v / 4) * norm.pdf(u) * norm.pdf(v), -6, 6, -6, 6, epsabs=1e-4
    )
    assert_within_error(both, truth)


def test_order_of_draws_and_strategies_changes_nothing():
    x, noise = normals(3, 600)
    benefit = np.column_stack([x[:, 0] * x[:, 1] + noise, x[:, 2] + 0.3 * noise - 0.2])
    of = ["a", ("a", "b"), ("a", "b", "c")]
    expected = [one.value for one in values(benefit, x, of)]
    shuffled = np.random.default_rng(3).permutation(600)
    found = values(benefit[shuffled], x[shuffled], of)
    np.testing.assert_allclose([one.value for one in found], expected, rtol=1e-6)
    found = values(benefit[:, ::-1], x, of)
    np.testing.assert_allclose([one.value for one in found], expected, rtol=1e-6)


def test_order_of_members_changes_nothing():
    x, noise = normals(2, 600)
    (one,) = values(x[:, 0] * x[:, 1] + noise, x, [("a", "b")])
    (other,) = values(x[:, 0] * x[:, 1] + noise, x, [("b", "a")])
    assert other.value == one.value
    assert other.parameters == ("b", "a")


def test_units_and_monotone_scales_of_parameters_change_nothing():
    x, noise = normals(2, 600)
    benefit = x[:, 0] * x[:, 1] + x[:, 0] + noise
    of = ["a", "b", ("a", "b")]
    expected = [one.value for one in values(benefit, x, of)]
    scaled = np.column_stack([np.exp(x[:, 0]), 1e9 * x[:, 1] + 1e6])
    np.testing.assert_allclose([one.value for one in values(benefit, scaled, of)], expected)


def test_currency_scales_the_value():
    x, noise = normals(1, 600)
    (one,) = values(x[:, 0] + noise, x)
    (other,) = values(1e5 * (x[:, 0] + noise), x)
    np.testing.assert_allclose([other.value, other.se], [1e5 * one.value, 1e5 * one.se])


def test_a_group_is_worth_no_less_than_members_and_no_more_than_everything():
    for seed in range(5):
        x, noise = normals(4, 300, seed)
        benefit = x[:, 0] * x[:, 1] / 2 + x[:, 2] / 3 + noise
        of = ["a", "c", ("a", "b"), ("a", "b", "c"), tuple("abcd")]
        a, c, ab, abc, abcd = values(benefit, x, of)
        perfect = np.maximum(0, benefit).mean() - max(0, benefit.mean())
        assert a.value <= ab.value <= abc.value <= abcd.value <= perfect
        assert c.value <= abc.value
        assert all(one.adjusted >= 0 for one in (a, c, ab, abc, abcd))


def test_a_duplicate_and_a_constant_add_nothing_to_a_group():
    x, noise = normals(1)
    copies = np.column_stack([x[:, 0], x[:, 0], -2 * x[:, 0], np.full(len(x), 3.0)])
    a, twice, constant, all_of_them = values(
        x[:, 0] + noise, copies, ["a", ("a", "b"), ("a", "d"), tuple("abcd")]
    )
    for group in (twice, constant, all_of_them):
        np.testing.assert_allclose([group.value, group.se], [a.value, a.se], rtol=1e-9)


def test_a_nearly_equal_parameter_adds_nothing():
    x, noise = normals(2)
    near = np.column_stack([x[:, 0], x[:, 0] + 0.01 * x[:, 1]])
    a, both = values(x[:, 0] + noise, near, ["a", ("a", "b")])
    np.testing.assert_allclose(both.value, a.value, rtol=0.02)


def test_a_parameter_that_does_not_vary_is_worth_nothing():
    _, noise = normals(1)
    (found,) = values(noise, np.full((2_000, 1), 4.0))
    assert (found.value, found.se, found.detected) == (0, 0, False)
    assert "does not vary" in found.message


def test_one_strategy_leaves_nothing_to_decide():
    x, _ = normals(1)
    costs = {"old": x[:, 0]}
    (found,) = evppi(costs, costs, {"a": x[:, 0]}, 1)
    assert found.value == 0
    assert "one strategy" in found.message


def test_equal_strategies_leave_nothing_to_gain():
    x, _ = normals(2)
    for found in values(np.zeros(len(x)), x, ["a", ("a", "b")]):
        assert (found.value, found.se, found.interval) == (0, 0, (0, 0))


def test_levels_have_the_value_of_their_means():
    random = np.random.default_rng(4)
    level = random.integers(0, 3, 3_000)
    benefit = np.array([-1.0, 0.2, 0.8])[level] + random.standard_normal(3_000)
    (found,) = values(benefit, level[:, None].astype(float))
    means = np.array([benefit[level == one].mean() for one in range(3)])
    share = np.bincount(level) / 3_000
    np.testing.assert_allclose(
        found.value, share @ np.maximum(means, 0) - max(0, benefit.mean()), rtol=1e-9
    )


def test_structure_that_a_curve_cannot_follow_is_announced():
    x, noise = normals(1, 10_000)
    (found,) = values(np.sin(20 * x[:, 0]) + noise / 10, x)
    assert found.bound > found.se / 2
    assert "may be higher by up to" in found.message
    assert found.interval[0] < 1 / np.pi < found.interval[1]


def test_parameters_come_in_any_table():
    import pandas as pd
    import xarray as xr

    costs, effects, parameters = linear_normal(200, 3)
    expected = [one.value for one in evppi(costs, effects, parameters, 1)]
    frame = pd.DataFrame(parameters)
    array = xr.DataArray(
        frame.to_numpy(), dims=("draw", "parameter"), coords={"parameter": ["p1", "p2"]}
    )
    data = xr.Dataset({name: ("draw", x) for name, x in parameters.items()})
    for given in (frame, array, array.T, data):
        found = evppi(costs, effects, given, 1)
        assert [one.value for one in found] == expected
        assert [one.name for one in found] == ["p1", "p2"]


@pytest.mark.verification
@pytest.mark.parametrize(
    ("truth", "members", "shape"),
    [
        (norm.pdf(0) / 3, "a", lambda x: x[:, 0] / 3),
        (norm.pdf(1) - norm.sf(1), "a", lambda x: x[:, 0] - 1),
        (SQUARE, "a", lambda x: x[:, 0] ** 2 - 1),
        (0.2 * norm.pdf(0), "a", lambda x: 0.2 * x[:, 0]),
        (1 / np.pi, "ab", lambda x: x[:, 0] * x[:, 1]),
        (norm.pdf(0), "ab", lambda x: (x[:, 0] + x[:, 1]) / np.sqrt(2)),
    ],
    ids=["linear", "shifted", "square", "weak", "product", "sum"],
)
@pytest.mark.parametrize("n", [1_000, 5_000])
def test_intervals_cover(truth, members, shape, n):
    replicates = 200 if len(members) == 1 else 100
    found = []
    for seed in range(replicates):
        x, noise = normals(len(members), n, seed + 1_000)
        found.append(values(shape(x) + noise, x, [tuple(members)])[0])
    covered = np.mean([one.interval[0] <= truth <= one.interval[1] for one in found])
    # 0.90 in the limit; three standard errors of a share of 0.9 are allowed for
    assert covered >= 0.9 - 3 * np.sqrt(0.09 / replicates), covered
    off = abs(np.mean([one.value for one in found]) - truth)
    # the best of two sample means that are equal in truth lies phi(0) sd / sqrt(n) too high
    sd = np.std(shape(x) + noise)
    assert off < 0.05 * truth + norm.pdf(0) * sd / np.sqrt(n), off / truth


@pytest.mark.verification
def test_groups_of_noise_are_rarely_detected():
    found = []
    for seed in range(100):
        x, noise = normals(5, 1_000, seed)
        found.append(values(noise, x, [tuple("abcde")])[0].detected)
    # members and pairs are tested at 1 % each
    assert np.mean(found) < 0.02 + 3 * np.sqrt(0.02 / 100)


@pytest.mark.verification
def test_seeds_change_values_by_no_more_than_the_error_says():
    found = []
    for seed in range(200):
        x, noise = normals(1, 1_000, seed)
        found.append(values(x[:, 0] - 0.5 + noise, x)[0])
    spread = np.std([one.value for one in found])
    stated = np.sqrt(np.mean([one.se**2 for one in found]))
    assert 0.7 < spread / stated < 1.2

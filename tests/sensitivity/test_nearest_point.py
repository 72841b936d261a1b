"""The nearest point of a boundary: closed forms, and a search by other means."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import optimize

from qalyst.sensitivity.nearest_point import nearest_points


def one(margin, start, **options):
    (found,) = nearest_points(lambda x: margin(x)[:, None], np.asarray(start, float), 1, **options)
    return found


@given(
    st.lists(st.floats(-10, 10), min_size=1, max_size=6).filter(lambda a: np.linalg.norm(a) > 0.1),
    st.floats(0.1, 4.5),
    st.integers(0, 100),
)
@settings(max_examples=40, deadline=None)
def test_the_distance_of_a_hyperplane(normal, distance, seed):
    normal = np.array(normal)
    start = np.random.default_rng(seed).normal(size=normal.size)
    height = normal @ start + distance * np.linalg.norm(normal)
    found = one(lambda x: height - x @ normal, start)
    assert found.distance == pytest.approx(distance, rel=1e-5)
    assert found.point == pytest.approx(
        start + distance * normal / np.linalg.norm(normal), abs=2e-4
    )


def test_a_product_against_an_optimiser():
    def margin(x):
        return (2 + 0.5 * x[:, 0]) * np.exp(0.3 * x[:, 1]) - 1

    found = one(margin, [0, 0])
    other = optimize.minimize(
        lambda x: x @ x,
        [-1.0, -1.0],
        constraints={"type": "eq", "fun": lambda x: margin(x[None])[0]},
        tol=1e-12,
    )
    assert found.distance == pytest.approx(np.sqrt(other.fun), rel=1e-4)
    assert found.point == pytest.approx(other.x, abs=5e-3)


def test_equal_inputs_move_alike():
    found = one(lambda x: 3 - np.exp(0.4 * x).prod(axis=1), [0, 0, 0])
    assert found.point == pytest.approx([np.log(3) / 1.2] * 3, abs=1e-4)


def test_a_circle_is_met_from_its_inside():
    found = one(lambda x: 4 - ((x - [1.0, 0.0]) ** 2).sum(axis=1), [0, 0])
    assert found.distance == pytest.approx(1, rel=1e-4)  # from inside: the near side is at -1


def test_the_nearer_of_two_boundaries_is_found_although_the_slope_leads_away():
    def margin(x):  # falls slowly to the right, and steeply beyond a hill on the left
        return np.minimum(4 - x[:, 0], 100 * (x[:, 0] + 2))

    assert one(margin, [0.0, 0.0]).distance == pytest.approx(2, rel=1e-4)


def test_beyond_reach_there_is_none():
    found = one(lambda x: 6 - x[:, 0], [0, 0])
    assert found.point is None
    assert found.distance is None
    assert found.margin == 6
    assert one(lambda x: 6 - x[:, 0], [0, 0], limit=7).distance == pytest.approx(6)
    assert one(lambda x: np.ones(len(x)), [0, 0]).point is None


def test_points_without_a_value_are_gone_round():
    def margin(x):
        return np.where(x[:, 1] > 1.1, np.nan, 2 - x.sum(axis=1))

    assert one(margin, [0, 0]).distance == pytest.approx(np.sqrt(2), rel=1e-4)
    # what lies behind points without a value is out of reach
    assert one(lambda x: np.where(x[:, 0] > 1, np.nan, 2 - x[:, 0]), [0]).point is None


def test_several_targets_at_once():
    found = nearest_points(lambda x: np.stack([3 - x[:, 0], 1 + x[:, 1]], axis=1), np.zeros(2), 2)
    assert [each.distance for each in found] == pytest.approx([3, 1], rel=1e-5)

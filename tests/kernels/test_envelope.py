"""Fast curves against every net benefit of every draw."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from plain_curves import plain_curves

from qalyst.decision.uncertainty import decision_curves
from qalyst.kernels.envelope import WHOLE, acceptability, count_best

whole = st.integers(-3, 3).map(float)
ordinary = st.floats(-100, 100, width=32) | st.floats(-1e-6, 1e-6) | st.just(0.1)


@st.composite
def problems(draw, numbers):
    shape = draw(st.tuples(st.integers(2, 8), st.integers(1, 6)))
    effect, cost = (draw(arrays(np.float64, shape, elements=numbers)) for _ in range(2))
    if shape[1] > 1 and draw(st.booleans()):  # two strategies that are equal in every draw
        effect[:, -1], cost[:, -1] = effect[:, 0], cost[:, 0]
    size = draw(st.integers(1, 40))
    wtp = draw(
        st.lists(
            st.integers(0, 12).map(lambda n: n / 2)
            | st.floats(0, 1e4, allow_subnormal=False)
            | st.sampled_from([0.0, 1e12, 1e15]),
            min_size=size,
            max_size=size,
            unique=True,
        )
    )
    return effect, cost, np.array(wtp)


def brute_counts(effect, cost, wtp):
    """[strategy, wtp] draws in which each is best, in units of a whole draw."""
    nmb = wtp[:, None, None] * effect - cost
    best = nmb == nmb.max(axis=-1, keepdims=True)
    return (best * (WHOLE // best.sum(axis=-1, keepdims=True))).sum(axis=1).T


def counts_of(effect, cost, wtp):
    found = np.zeros((effect.shape[1], wtp.size + 1), np.int64)
    optimal = np.zeros(wtp.size, np.int64)
    count_best(effect, cost, wtp, optimal, found, np.zeros(wtp.size), np.zeros(wtp.size))
    return found[:, :-1]


@settings(max_examples=150, deadline=None)
@given(problems(whole) | problems(ordinary))
def test_counts_are_those_of_every_draw_looked_at(problem):
    effect, cost, wtp = problem
    wtp = np.sort(wtp)
    assert (counts_of(effect, cost, wtp) == brute_counts(effect, cost, wtp)).all()


@settings(max_examples=60, deadline=None)
@given(problems(whole) | problems(ordinary))
def test_losses_are_those_of_every_draw_looked_at(problem):
    effect, cost, wtp = problem
    wtp = wtp[wtp <= 1e12]
    if not wtp.size:
        wtp = np.array([0.0])
    names = list("abcdef")[: effect.shape[1]]
    found = decision_curves(cost, effect, wtp, strategies=names)
    plain = plain_curves(effect, cost, wtp)
    # differences of net benefits keep the rounding of the net benefits
    scale = 1e-13 * (wtp * np.abs(effect).max() + np.abs(cost).max() + 1e-300)
    assert (np.abs(found.ceac.values - plain.ceac) < 1e-12).all()
    assert (np.abs(found.evpi.values - plain.evpi) <= scale).all()
    assert (np.abs(found.expected_loss.values - plain.expected_loss) <= scale[:, None]).all()


def test_standard_errors_are_those_of_every_draw_looked_at():
    rng = np.random.default_rng(4)
    effect, cost = rng.normal(3, 0.5, (400, 4)), rng.normal(50_000, 8_000, (400, 4))
    wtp = np.linspace(0, 100_000, 77)
    found, plain = decision_curves(cost, effect, wtp, strategies=list("abcd")), None
    plain = plain_curves(effect, cost, wtp)
    np.testing.assert_allclose(found.evpi_mcse, plain.evpi_mcse, rtol=1e-9)
    assert (found.optimal.values == np.array(list("abcd"))[plain.optimal]).all()


def test_thresholds_in_any_order_give_the_same_values():
    rng = np.random.default_rng(5)
    effect, cost = rng.normal(3, 0.5, (2, 50, 3)) * [[[1]], [[10_000]]]
    wtp = rng.permutation(np.linspace(0, 50_000, 21))
    curves = decision_curves(cost, effect, wtp, strategies=list("abc"))
    ordered = decision_curves(cost, effect, np.sort(wtp), strategies=list("abc"))
    assert curves.sortby("wtp").identical(ordered)


def test_twenty_three_equal_strategies_share_every_draw():
    same = np.ones((3, 23))
    shares, _, _ = acceptability(same, same, np.array([0.0, 1.0]), np.array([0, 0]))
    np.testing.assert_allclose(shares, 1 / 23, atol=4e-9)  # 23 does not divide a draw
    assert shares.sum(axis=0).tolist() == pytest.approx([1, 1], abs=1e-15)


def test_a_lead_of_one_rounding_in_every_draw_leaves_no_value_of_information():
    cost = np.array([[1.0, np.nextafter(1.0, 0.0)]] * 7)
    found = decision_curves(cost, np.zeros((7, 2)), [0, 1e12], strategies=["a", "b"])
    assert found.evpi.values.tolist() == [0, 0]
    assert found.optimal.values.tolist() == ["b", "b"]


def test_many_thresholds_at_parallel_lines_that_differ_by_rounding():
    # every threshold is in doubt: nothing can be told from the ends
    effect = np.array([[1.0, 1.0 + 2.0**-52, 1.0 - 2.0**-53]] * 2)
    cost = np.array([[1.0, 1.0, 1.0 - 2.0**-53]] * 2)
    wtp = np.linspace(0, 3, 301)
    assert (counts_of(effect, cost, wtp) == brute_counts(effect, cost, wtp)).all()

"""The kernel of treatment sequences against its plain-loop twin, and against closed forms."""

import math

import numpy as np
import pytest
import sojourns as twin
from hypothesis import given, settings
from hypothesis import strategies as st

from qalyst.kernels.sojourns import MOST_AT_ENTRY, MOST_BACKGROUND, fits, through_lines

NONE = np.zeros((1, 0, 1))


def tree(random, keys, lines, sequences):
    """A random tree: parents, keys."""
    parent, key, known = [], [], {}
    for _ in range(sequences):
        path = ()
        for treatment in random.integers(0, keys, lines):
            above = known.get(path, -1)
            path = (*path, int(treatment))
            if path not in known:
                known[path] = len(parent)
                parent.append(above)
                key.append(int(treatment))
    return np.array(parent), np.array(key)


def problem(seed, *, keys=3, causes=2, lines=3, cycles=40, bins=12, scale=0.2, drawn=True):
    """Arguments of `through_lines`, at random."""
    random = np.random.default_rng(seed)
    draws = 2
    parent, key = tree(random, keys, lines, 6)
    of_draws = draws if drawn else 1
    return (
        random.gamma(1, scale, (draws, keys, causes, bins)),
        random.gamma(1, 0.3 * scale, (of_draws, cycles)),
        random.normal(size=(of_draws, 2, cycles + 1)),
        random.normal(size=(1, 3, cycles)),
        np.array([0, causes - 1, -1]),
        random.normal(size=(of_draws, 2, cycles)),
        parent,
        key,
        random.uniform(0.5, 1, (draws, len(parent))),
    )


def positive(arguments):
    """The same with weights above 0, so that relative errors mean something."""
    return tuple(np.abs(a) if a.dtype == float else a for a in arguments)


def agree(arguments, two):
    for mine, plain in zip(
        through_lines(*arguments, two_events=two),
        twin.through_lines(*arguments, two_events=two),
        strict=True,
    ):
        np.testing.assert_allclose(mine, plain, rtol=1e-11, atol=1e-14)


@given(
    seed=st.integers(0, 2**32 - 1),
    keys=st.integers(1, 4),
    causes=st.integers(1, 3),
    lines=st.integers(1, 4),
    cycles=st.integers(1, 70),
    bins=st.integers(1, 80),
    scale=st.sampled_from([1e-4, 0.02, 0.2]),
    two=st.booleans(),
    drawn=st.booleans(),
)
@settings(max_examples=40, deadline=None)
def test_the_kernel_agrees_with_the_plain_loop(
    seed, keys, causes, lines, cycles, bins, scale, two, drawn
):
    shape = {"keys": keys, "causes": causes, "lines": lines, "cycles": cycles, "bins": bins}
    arguments = positive(problem(seed, **shape, scale=scale, drawn=drawn))
    if fits(arguments[0], arguments[1], two_events=two):
        agree(arguments, two)


@pytest.mark.parametrize("scale", [0.9, 3.0])
def test_high_hazards_agree_with_the_plain_loop(scale):
    arguments = positive(problem(5, scale=scale, cycles=33))
    arguments[0][..., 0] *= 0.1
    agree(arguments, False)
    arguments[1][:] *= 0.1
    assert fits(arguments[0], arguments[1], two_events=True)
    agree(arguments, True)


def chain(hazards, cycles):
    """A chain of lines with constant hazards of moving on, in one draw: arguments."""
    lines = len(hazards)
    return (
        np.array(hazards, float)[None, :, None, None],
        np.zeros((1, cycles)),
        np.eye(cycles + 1)[None],  # the heads at each point of time
        np.zeros((1, 0, cycles)),
        np.array([], int),
        np.ones((1, 1, cycles)),
        np.arange(lines) - 1,
        np.arange(lines),
        np.ones((1, lines)),
    )


def test_the_first_line_falls_exponentially_and_the_second_is_a_sum_of_geometric_series():
    first, second, cycles = 0.1, 0.25, 60
    time, _, passed = through_lines(*chain([first, second], cycles))
    t = np.arange(cycles + 1)
    stay, then = math.exp(-first), math.exp(-second)
    np.testing.assert_allclose(time[0, 0], stay**t, rtol=1e-13)
    # who enters at s has moved in cycle s - 1: (1 - p) sum of p^(s-1) q^(t-s) over s = 1..t
    expected = (1 - stay) * (then**t - stay**t) / (then - stay)
    np.testing.assert_allclose(time[0, 1], expected, rtol=1e-12)
    np.testing.assert_allclose(passed[0, 0, 0], 1 - stay**cycles, rtol=1e-13)


def test_with_two_events_lines_of_equal_hazard_are_a_poisson_process_to_second_order():
    """Short cycles: half the hazard for arrivals makes the error fall with the square."""
    errors = []
    for cycles in (50, 100, 200):
        hazard = 2.0 / cycles
        time, _, _ = through_lines(*chain([hazard] * 4, cycles), two_events=True)
        expected = [math.exp(-2) * 2**k / math.factorial(k) for k in range(3)]
        errors.append(np.abs(time[0, :3, -1] - expected).max())
    assert errors[0] / errors[1] == pytest.approx(4, rel=0.15)
    assert errors[1] / errors[2] == pytest.approx(4, rel=0.15)


def test_nobody_is_lost():
    arguments = list(positive(problem(11, causes=3, drawn=False)))
    cycles = arguments[1].shape[1]
    lines = 4
    arguments[0][:, :, 0, :][:, -1] = 0.0  # nobody moves beyond the last line
    arguments[2] = np.zeros((1, 1, cycles + 1))
    arguments[2][0, 0, -1] = 1  # who is there at the horizon
    by_background = arguments[1][0][None]
    arguments[3] = np.stack([np.ones((1, cycles))] * 2 + [by_background], axis=1)
    arguments[4] = np.array([1, 2, -1])
    arguments[6], arguments[7] = np.arange(lines) - 1, np.array([0, 1, 0, 2])
    arguments[8] = np.ones((2, lines))
    for two in (False, True):
        time, moved, _ = through_lines(*arguments, two_events=two)
        everybody = time.sum(axis=(1, 2)) + moved.sum(axis=(1, 2))
        np.testing.assert_allclose(everybody, 1, rtol=1e-13)


def test_a_shared_prefix_changes_nothing():
    arguments = positive(problem(3, keys=4, lines=4))
    together = through_lines(*arguments, two_events=True)
    parent, key = arguments[6], arguments[7]
    for leaf in set(range(len(parent))) - set(parent.tolist()):
        path = [leaf]
        while parent[path[0]] >= 0:
            path.insert(0, parent[path[0]])
        alone = through_lines(
            *arguments[:6],
            np.arange(len(path)) - 1,
            key[path],
            arguments[8][:, path],
            two_events=True,
        )
        for mine, single in zip(together, alone, strict=True):
            np.testing.assert_allclose(mine[:, path], single, rtol=1e-12, atol=1e-15)


def test_hazards_that_would_lose_digits_are_refused():
    low, high = np.full((1, 1, 1, 1), 0.1), np.full((1, 1, 1, 1), 2 * MOST_AT_ENTRY)
    calm, storm = np.zeros((1, 4)), np.full((1, 4), MOST_BACKGROUND)
    assert fits(low, calm, two_events=True)
    assert fits(high, calm, two_events=False)
    assert not fits(high, calm, two_events=True)
    assert not fits(low, storm, two_events=False)
    arguments = list(chain([0.1], 4))
    arguments[1] = storm
    with pytest.raises(ValueError, match="fits"):
        through_lines(*arguments)

"""Lines of therapy as matrices: what a line does to everybody who enters it, whenever they enter.

A sojourn is the stay on a line of those who entered it in some cycle. Its hazards depend on the
draw, on the kind of line (its key), on the time since entry and, for what is the same on all lines,
on the calendar. So the move to the next line is a triangular matrix [cycle, cycle of entry] applied
to the entries: it is built once for each draw and key, and applied by BLAS to all sequences that
share the key. Sequences with the same first lines are one node of a tree up to there. Payoffs are
products of the entries with a vector of values by cycle of entry; no occupancy is ever formed.

Background hazards b(t) multiply out: with B(t) = exp(-(b_0 + ... + b_(t-1))) the entries are kept
as F(s) / B(s), and a stay begun at s is S(t - s) B(t) / B(s).
"""

from __future__ import annotations

import math
from typing import Any

import numba
import numpy as np

from qalyst.axes import Float, Int
from qalyst.kernels.sojourn_rows import (
    INNER,
    UNROLLED,
    half_a_cycle,
    matrix_rows,
    phi_any,
    survive,
    value_of_time,
)

BLOCK = 64  # cycles whose flows are found together: their rows of all matrices stay in the cache
MOST_BACKGROUND = 300.0  # cumulated: beyond it 1 / B(t) would leave the range of numbers
MOST_AT_ENTRY = 4.0  # hazard of the first cycle, if people arrive within one (see `_arrive`)

_FAST: dict[str, Any] = {**INNER, "nogil": True, "cache": True}


@numba.njit(**INNER)
def _enter(entries, begin, size, flows, source, width, share, inverse):
    """Who moved to a group's nodes in the cycles of a block stands there at their ends."""
    count = share.size
    for i in range(size):
        o = (begin + i + 1) * count
        scale = inverse[begin + i + 1]
        for column in range(count):
            here = share[column] * flows[source[column] + i * width[column]]
            entries[o + column] = here * scale


@numba.njit(**INNER)
def _enter_twice(
    entries, older, begin, size, flows, seconds, here, source, width, share, survival, inverse,
    background, hazard, whole, weights, cause_of, moved, shares,
):  # fmt: skip
    """The same with two events: who arrives is at risk for half a cycle.

    Half of those who stay are at residence 1 at its end: they enter as if they had come at its
    start, as many as leave the right number, which is undone on the diagonal of the matrix. `here`
    takes those who move a second time.
    """
    count = share.size
    for i in range(size):
        t = begin + i
        o = t * count
        half_a_cycle(whole, background[t], shares)
        lived, stay, before = shares[0], shares[1], shares[2] * inverse[t]
        second = lived * hazard[0]
        for column in range(count):
            at = source[column] + i * width[column]
            arrived = share[column] * flows[at]
            settled = stay * arrived + share[column] * seconds[at]
            older[o + column] = arrived * before
            entries[o + column] += arrived * before
            entries[o + count + column] += settled * inverse[t + 1]
            here[i * count + column] = arrived * second
        for row in range(cause_of.size):
            weight = weights[row, t] * lived
            if cause_of[row] >= 0:
                weight *= hazard[cause_of[row]]
            for column in range(count):
                at = source[column] + i * width[column]
                moved[row, column] += weight * (share[column] * flows[at])


@numba.njit(**INNER)
def _move_on(
    found, begin, survival, background, older, hazard, whole, two, flows, seconds, weights, passed
):
    """The flow to the next line in a block, and its weighted sums."""
    size, count = found.shape
    for i in range(size):
        t = begin + i
        o, p = i * count, t * count
        for column in range(count):
            flows[o + column] = survival[t] * found[i, column]
        if two:
            ghosts = survival[t] * hazard[0] * phi_any(whole + background[t])
            for column in range(count):
                flows[o + column] -= ghosts * older[p + column]
        for row in range(weights.shape[0]):
            weight = weights[row, t]
            for column in range(count):
                passed[row, column] += weight * flows[o + column]
            if two:
                for column in range(count):
                    passed[row, column] += weight * seconds[o + column]


@numba.njit(**INNER)
def _undo_ghosts(older, heads, weights, cause_of, survival, background, hazard, whole, time, moved):
    """Take out the cycle that those at residence 1 did not spend."""
    count = time.shape[1]
    for t in range(background.size):
        o = t * count
        for row in range(heads.shape[0]):
            weight = heads[row, t] * survival[t]
            for column in range(count):
                time[row, column] -= weight * older[o + column]
        lived = phi_any(whole + background[t]) * survival[t]
        for row in range(cause_of.size):
            weight = weights[row, t] * lived
            if cause_of[row] >= 0:
                weight *= hazard[cause_of[row]]
            for column in range(count):
                moved[row, column] -= weight * older[o + column]


@numba.njit(**_FAST)
def _run(
    hazards, background, heads, moves, cause_of, onward, keys, inner, first_column, last_column,
    source, width, entered, two, time, moved, passed,
):  # fmt: skip
    """All draws; groups are columns of one level and one key, those with children apart.

    Of each column, `source` is where the flow of its parent begins in a block of flows, and `width`
    how far the next cycle's is; -1 for a column that everybody enters at time 0.
    """
    draws, n_keys, causes, bins = hazards.shape
    n, groups = background.shape[1], keys.size
    columns = last_column[groups - 1]
    n_heads, n_moves = heads.shape[1], moves.shape[1]
    entries = np.zeros((n + 1) * columns)  # each group [time, column]
    older = np.zeros((n + 1) * columns if two else columns)
    flows, seconds = np.zeros(BLOCK * columns), np.zeros(BLOCK * columns)
    matrices = np.zeros((n_keys, BLOCK * n))
    product = np.zeros(BLOCK * columns)
    stay = np.zeros((n_keys, n + 1 + 2 * UNROLLED))
    total, greatest = np.zeros((n_keys, n)), np.zeros(n_keys)
    by_residence = np.zeros((n_keys, causes, n))
    survival, inverse = np.ones(n + 1), np.ones(n + 1)
    weighted = np.zeros((n_heads, n + 1 + UNROLLED))
    of_time, of_moves = np.zeros((n_keys, n_heads, n + 1)), np.zeros((n_keys, n_moves, n))
    line, shares = np.zeros(n), np.zeros(3)
    for draw in range(draws):
        b = background[min(draw, background.shape[0] - 1)]
        of_heads = heads[min(draw, heads.shape[0] - 1)]
        of_leaving = moves[min(draw, moves.shape[0] - 1)]
        of_onward = onward[min(draw, onward.shape[0] - 1)]
        most = 0.0
        for t in range(n):
            survival[t + 1] = survival[t] * math.exp(-b[t])
            inverse[t + 1] = 1.0 / survival[t + 1]
            most = max(most, b[t])
        for row in range(n_heads):
            for t in range(n + 1):
                weighted[row, t] = of_heads[row, t] * survival[t]
        of_moves[:] = 0.0
        entries[:] = 0.0
        for key in range(n_keys):
            survive(hazards[draw, key], stay[key, UNROLLED:], total[key], n)
            for cause in range(causes):
                for r in range(n):
                    value = hazards[draw, key, cause, min(r, bins - 1)]
                    by_residence[key, cause, n - 1 - r] = value
            greatest[key] = total[key].max() + most
            value_of_time(weighted, stay[key], of_time[key], n)
        for group in range(groups):
            low = first_column[group]
            for column in range(low, last_column[group]):
                if source[column] < 0:
                    entries[(n + 1) * low + column - low] = entered[draw, column]
        for begin in range(0, n, BLOCK):
            end = min(begin + BLOCK, n)
            size = end - begin
            for key in range(n_keys):
                matrix_rows(
                    matrices[key, : size * end].reshape(size, end), begin, stay[key, UNROLLED:],
                    total[key], b, greatest[key], by_residence[key], of_leaving, cause_of,
                    survival, of_moves[key], line, n,
                )  # fmt: skip
            for group in range(groups):
                key, low, high = keys[group], first_column[group], last_column[group]
                count, base = high - low, (n + 1) * low
                mine = entries[base : base + (n + 1) * count]
                past = older[base : base + (n + 1) * count] if two else older
                here, again = flows[BLOCK * low :], seconds[BLOCK * low :]
                hazard, whole = hazards[draw, key, :, 0], total[key, n - 1]
                late = two and source[low] >= 0
                if late:
                    _enter_twice(
                        mine, past, begin, size, flows, seconds, again, source[low:high],
                        width[low:high], entered[draw, low:high], survival, inverse, b, hazard,
                        whole, of_leaving, cause_of, moved[draw, :, low:high], shares,
                    )  # fmt: skip
                elif source[low] >= 0:
                    _enter(
                        mine, begin, size, flows, source[low:high], width[low:high],
                        entered[draw, low:high], inverse,
                    )  # fmt: skip
                if inner[group]:
                    found = product[: size * count].reshape(size, count)
                    matrix = matrices[key, : size * end].reshape(size, end)
                    np.dot(matrix, mine[: end * count].reshape(end, count), found)
                    _move_on(
                        found, begin, survival, b, past, hazard, whole, late, here, again,
                        of_onward, passed[draw, :, low:high],
                    )  # fmt: skip
        for group in range(groups):
            key, low, high = keys[group], first_column[group], last_column[group]
            count, base = high - low, (n + 1) * low
            come = entries[base : base + (n + 1) * count].reshape(n + 1, count)
            time[draw, :, low:high] += np.dot(of_time[key], come)
            moved[draw, :, low:high] += np.dot(of_moves[key], come[:n])
            if two and source[low] >= 0:
                _undo_ghosts(
                    older[base : base + (n + 1) * count], of_heads, of_leaving, cause_of, survival,
                    b, hazards[draw, key, :, 0], total[key, n - 1], time[draw, :, low:high],
                    moved[draw, :, low:high],
                )  # fmt: skip


def through_lines(
    hazards: Float,
    background: Float,
    heads: Float,
    moves: Float,
    cause_of: Int,
    onward: Float,
    parent: Int,
    key: Int,
    entered: Float,
    *,
    two_events: bool = False,
) -> tuple[Float, Float, Float]:
    """Weighted time and moves on every line of a tree of treatment sequences.

    Parameters
    ----------
    hazards : [draw, key, cause, residence]
        Per cycle, of competing causes out of a line, by completed cycles on it; the last residence
        holds from there on. Cause 0 leads to the next line, the others leave the lines.
    background : [draw, cycle], or [1, cycle] if it is the same in every draw
        Further hazards per cycle, the same on all lines. Nobody who leaves by them comes back.
    heads : [draw or 1, row, cycle + 1]
        Weights of the heads at each point of time.
    moves : [draw or 1, row, cycle]
        Weights of those who leave by a cause in each cycle; of the background, times its hazard.
    cause_of : [row]
        Cause of each row of `moves`; -1 for the background.
    onward : [draw or 1, row, cycle]
        Weights of those who leave to the next line in each cycle.
    parent : [node]
        The node before it; -1 for a first line, which everybody enters at time 0. Parents come
        before their children.
    key : [node]
        Index of its hazards.
    entered : [draw, node]
        Share of those who move to a node (or start there) that arrives.
    two_events : those who arrive within a cycle are at risk once more for half of it, at the
        hazards of residence 0. Half of those who then stay are at residence 0 at its end, half at
        residence 1; who leaves to the next line arrives there for the next cycle.

    Returns
    -------
    time : [draw, node, row of heads]
    moved : [draw, node, row of moves]
    passed : [draw, node, row of onward]
        Zero for a node without children.

    Raises
    ------
    ValueError
        Hazards beyond `MOST_BACKGROUND` or, with two events, `MOST_AT_ENTRY`; see `fits`.

    Examples
    --------
    Everybody on one line with a hazard of 0.1 a cycle, counted at the four points of three cycles:

    >>> none, ones = np.zeros((1, 0, 3)), np.ones((1, 1, 4))
    >>> time, _, _ = through_lines(
    ...     np.full((1, 1, 1, 1), 0.1), np.zeros((1, 3)), ones, none, np.array([], np.int64),
    ...     none, np.array([-1]), np.array([0]), np.ones((1, 1)),
    ... )
    >>> round(time.item(), 12) == round(sum(math.exp(-0.1 * t) for t in range(4)), 12)
    True
    """
    if not fits(hazards, background, two_events=two_events):
        raise ValueError("hazards are beyond what sojourn matrices hold, see `fits`")
    parent, key = np.asarray(parent, np.int64), np.asarray(key, np.int64)
    order, groups = _grouped(parent, key)
    back = np.empty_like(order)
    back[order] = np.arange(len(order))
    first, last = groups[:, 1].copy(), groups[:, 2].copy()
    group_of = np.repeat(np.arange(len(groups)), last - first)
    above = back[parent[order]]  # of a first line it means nothing
    begins = first[group_of[above]]
    width = (last - first)[group_of[above]]
    source = np.where(parent[order] < 0, -1, BLOCK * begins + above - begins)
    draws, nodes = entered.shape
    rows = (heads.shape[1], moves.shape[1], onward.shape[1])
    found = tuple(np.zeros((draws, count, nodes)) for count in rows)
    plain = (np.ascontiguousarray(each, np.float64) for each in (hazards, background, heads, moves))
    _run(
        *plain,
        np.asarray(cause_of, np.int64),
        np.ascontiguousarray(onward, np.float64),
        groups[:, 0].copy(),
        groups[:, 3].copy(),
        first,
        last,
        source,
        width,
        np.ascontiguousarray(entered[:, order], np.float64),
        two_events,
        *found,
    )
    time, moved, passed = (np.ascontiguousarray(each[:, :, back].swapaxes(1, 2)) for each in found)
    return time, moved, passed


def fits(hazards: Float, background: Float, *, two_events: bool) -> bool:
    """Whether sojourn matrices hold these hazards without loss of digits."""
    if not background.sum(axis=1).max(initial=0.0) <= MOST_BACKGROUND:
        return False
    at_entry = hazards[..., 0].sum(axis=2).max(initial=0.0) + background.max(initial=0.0)
    return bool(at_entry <= MOST_AT_ENTRY) or not two_events


def _grouped(parent: Int, key: Int) -> tuple[Int, Int]:
    """Nodes ordered by level and key, those with children apart; and the groups.

    Returns
    -------
    order : [node]
    groups : [group, 4] key, first and last column, whether its nodes have children.
    """
    level = np.zeros(len(parent), np.int64)
    for node, above in enumerate(parent):
        level[node] = 0 if above < 0 else level[above] + 1
    inner = np.isin(np.arange(len(parent)), parent).astype(np.int64)
    order = np.lexsort((np.arange(len(parent)), inner, key, level))
    marks = np.stack([level[order], key[order], inner[order]], axis=1)
    starts = np.flatnonzero(np.r_[True, (marks[1:] != marks[:-1]).any(axis=1)])
    ends = np.r_[starts[1:], len(order)]
    return order, np.stack([marks[starts, 1], starts, ends, marks[starts, 2]], axis=1)

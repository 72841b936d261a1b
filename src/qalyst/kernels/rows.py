"""Rows of numbers, one draw a lane: what the kernels do to a whole row at once.

A lane is a draw. Every row is `LANES` draws wide and contiguous, so that each inner loop is one
vector instruction after another. Arrays are flat and read at unsigned offsets: no view is made
(so no reference is counted) and no index can be negative, which is what lets the compiler see that
the loops are contiguous.
"""

from __future__ import annotations

import numba
import numpy as np

LANES = 128
TINY = 1e-200  # a share of the cohort below this is nobody

# kernels allocate nothing, so they count no references: a third of the time of a small model
FAST = {"fastmath": {"contract"}, "error_model": "numpy", "_nrt": False}
LANE = {**FAST, "forceinline": True}  # a call for every row would cost more than the row
WIDTH = np.uint64(LANES)


@numba.njit(**LANE)
def at(row):
    """Offset of a row."""
    return np.uint64(row) * WIDTH


@numba.njit(**LANE)
def clear(out, o):
    """Row o of out is 0."""
    for w in range(WIDTH):
        out[o + w] = 0.0


@numba.njit(**LANE)
def copy(out, o, a, i):
    """Row o of out is row i of a."""
    for w in range(WIDTH):
        out[o + w] = a[i + w]


@numba.njit(**LANE)
def put(out, o, a, i, factor):
    """Row o of out is row i of a, times a factor."""
    for w in range(WIDTH):
        out[o + w] = a[i + w] * factor


@numba.njit(**LANE)
def put_two(out, o, a, i, f, j, g):
    """Row o of out is the sum of two rows of a, each times a factor."""
    for w in range(WIDTH):
        out[o + w] = a[i + w] * f + a[j + w] * g


@numba.njit(**LANE)
def put_four(out, o, a, i, f, j, g, k, h, m, e):
    """Row o of out is the sum of four rows of a, each times a factor."""
    for w in range(WIDTH):
        out[o + w] = ((a[i + w] * f + a[j + w] * g) + a[k + w] * h) + a[m + w] * e


@numba.njit(**LANE)
def add(out, o, a, i, factor):
    """Add row i of a, times a factor."""
    for w in range(WIDTH):
        out[o + w] += a[i + w] * factor


@numba.njit(**LANE)
def plus(out, o, a, i):
    """Add row i of a."""
    for w in range(WIDTH):
        out[o + w] += a[i + w]


@numba.njit(**LANE)
def minus(out, o, a, i):
    """Subtract row i of a."""
    for w in range(WIDTH):
        out[o + w] -= a[i + w]


@numba.njit(**LANE)
def scale(out, o, a, i):
    """Multiply by row i of a."""
    for w in range(WIDTH):
        out[o + w] *= a[i + w]


@numba.njit(**LANE)
def product(out, o, a, i, b, j):
    """Row o of out is row i of a times row j of b."""
    for w in range(WIDTH):
        out[o + w] = a[i + w] * b[j + w]


@numba.njit(**LANE)
def add_product(out, o, a, i, b, j):
    """Add row i of a times row j of b."""
    for w in range(WIDTH):
        out[o + w] += a[i + w] * b[j + w]


@numba.njit(**LANE)
def add_flow(out, o, a, i, factor, b, j):
    """Add a hazard (row i of a, times a factor) times heads (row j of b)."""
    for w in range(WIDTH):
        out[o + w] += a[i + w] * factor * b[j + w]


@numba.njit(**LANE)
def add_flow_to_both(out, o, counted, c, a, i, factor, b, j):
    """`add_flow` to where it lands and to where it is counted."""
    for w in range(WIDTH):
        flow = a[i + w] * factor * b[j + w]
        out[o + w] += flow
        counted[c + w] += flow


@numba.njit(**LANE)
def add_share_of_flow(out, o, share, s, a, i, factor, b, j):
    """`add_flow` of a share (row s) of the flow."""
    for w in range(WIDTH):
        out[o + w] += share[s + w] * (a[i + w] * factor) * b[j + w]


@numba.njit(**LANE)
def add_scaled_product(out, o, a, i, b, j, factor):
    """Add row i of a times row j of b, times a factor."""
    for w in range(WIDTH):
        out[o + w] += a[i + w] * b[j + w] * factor


@numba.njit(**LANE)
def take_in(x, o, landing, i):
    """Add arrivals and clear them."""
    for w in range(WIDTH):
        x[o + w] += landing[i + w]
        landing[i + w] = 0.0


@numba.njit(**LANE)
def weigh(total, o, trace, i, weights, first, second, begin):
    """Add a stretch of a trace row with two sets of weights; totals stand row by row."""
    a0, b0 = weights[first, begin], weights[second, begin]
    a1, b1 = weights[first, begin + 1], weights[second, begin + 1]
    a2, b2 = weights[first, begin + 2], weights[second, begin + 2]
    a3, b3 = weights[first, begin + 3], weights[second, begin + 3]
    a4, b4 = weights[first, begin + 4], weights[second, begin + 4]
    a5, b5 = weights[first, begin + 5], weights[second, begin + 5]
    a6, b6 = weights[first, begin + 6], weights[second, begin + 6]
    a7, b7 = weights[first, begin + 7], weights[second, begin + 7]
    i1, i2, i3, i4 = i + at(1), i + at(2), i + at(3), i + at(4)
    i5, i6, i7 = i + at(5), i + at(6), i + at(7)
    other = o + WIDTH
    for w in range(WIDTH):
        x0, x1, x2, x3 = trace[i + w], trace[i1 + w], trace[i2 + w], trace[i3 + w]
        x4, x5, x6, x7 = trace[i4 + w], trace[i5 + w], trace[i6 + w], trace[i7 + w]
        early = (a0 * x0 + a1 * x1) + (a2 * x2 + a3 * x3)
        total[o + w] += early + ((a4 * x4 + a5 * x5) + (a6 * x6 + a7 * x7))
        early = (b0 * x0 + b1 * x1) + (b2 * x2 + b3 * x3)
        total[other + w] += early + ((b4 * x4 + b5 * x5) + (b6 * x6 + b7 * x7))

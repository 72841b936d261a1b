"""When a cause fires: its integrated hazard reaches an exponential threshold.

Hazards are constant within cycles. Times are in cycles: `t` on the calendar, `x` in the state.
Who loses keeps what is left of the threshold: Anderson (2007) J Chem Phys 127:214107, the modified
next reaction method.
"""

from __future__ import annotations

import math

import numba

from qalyst.kernels.patient_layout import (
    BINS,
    BY_BOTH,
    BY_CALENDAR,
    CONSTANT,
    FACTOR,
    KIND,
    MAP,
    STRIDE,
    TABLE,
)
from qalyst.kernels.rows import FAST, LANE

ROUNDING = 1e-9  # cycles


@numba.njit(**LANE)
def completed(cycles):
    """Whole cycles that are over."""
    return int(cycles + ROUNDING)


@numba.njit(**LANE)
def value_at(rows, maps, numbers, r, cycle, bin_):
    """A value by calendar and time in state, in one cycle."""
    cells = rows[r, TABLE] + maps[rows[r, MAP], cycle] + min(bin_, rows[r, BINS] - 1)
    return numbers[rows[r, FACTOR] + rows[r, STRIDE] * cycle] * numbers[cells]


@numba.njit(**LANE)
def cumulated(numbers, table, x):
    """A cumulated hazard at a time, linear within cycles."""
    i = int(x)
    low = numbers[table + i]
    if x == i:
        return low
    return low + (x - i) * (numbers[table + i + 1] - low)


@numba.njit(**LANE)
def _invert(numbers, table, low, high, need):
    """When a cumulated hazard reaches what is needed, between knots low and high."""
    width = high - low
    while width > 1:
        half = width >> 1
        low = low + half if numbers[table + low + half] <= need else low
        width -= half
    before = numbers[table + low]
    return low + (need - before) / (numbers[table + low + 1] - before)


@numba.njit(**FAST)
def _walk(rows, maps, numbers, r, t, x, threshold, until):
    """From step to step of either clock; the time of firing, or inf, and the hazard used up."""
    used = spent = 0.0
    cycle, bin_ = int(t), int(x)
    calendar, residence = cycle + 1.0 - t, bin_ + 1.0 - x  # until the next step of each clock
    while spent < until:
        hazard = value_at(rows, maps, numbers, r, cycle, bin_)
        step = min(calendar, residence, until - spent)
        if used + hazard * step > threshold:
            return spent + (threshold - used) / hazard, threshold
        used += hazard * step
        spent += step
        calendar -= step
        residence -= step
        if calendar < ROUNDING:
            cycle += 1
            calendar += 1.0
        if residence < ROUNDING:
            bin_ += 1
            residence += 1.0
    return math.inf, used


@numba.njit(**LANE)
def fires_after(rows, maps, numbers, r, t, x, threshold, until):
    """Cycles until a cause fires; inf if not before `until`."""
    kind = rows[r, KIND]
    factor = numbers[rows[r, FACTOR]]
    if kind == CONSTANT:
        return threshold / factor
    if kind == BY_BOTH:
        return _walk(rows, maps, numbers, r, t, x, threshold, until)[0]
    table = rows[r, TABLE]
    from_ = t if kind == BY_CALENDAR else x
    need = cumulated(numbers, table, from_) + threshold / factor
    end = from_ + until
    high = math.ceil(end)
    if need >= numbers[table + high]:
        return math.inf
    return _invert(numbers, table, int(from_), high, need) - from_


@numba.njit(**LANE)
def used_up(rows, maps, numbers, r, t, x, spent):
    """The hazard of a cause over a time that is spent without its firing."""
    kind = rows[r, KIND]
    factor = numbers[rows[r, FACTOR]]
    if kind == CONSTANT:
        return factor * spent
    if kind == BY_BOTH:
        return _walk(rows, maps, numbers, r, t, x, math.inf, spent)[1]
    table = rows[r, TABLE]
    from_ = t if kind == BY_CALENDAR else x
    return factor * (cumulated(numbers, table, from_ + spent) - cumulated(numbers, table, from_))

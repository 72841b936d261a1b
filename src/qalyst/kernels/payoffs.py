"""What a stay and an event add to a patient's slots.

A stay holds the points of time t_j from `enter` (rounded up) to before `leave`. Heads are counted
before the schedule of a point and after it: who was moved there by a schedule is not counted
before it, who is moved away by one is not counted after it. `exact` counts the moments instead.
"""

from __future__ import annotations

import math

import numba

from qalyst.kernels.clocks import completed
from qalyst.kernels.patient_layout import (
    BEFORE,
    CELL_BINS,
    CELL_MAP,
    CELLS,
    FORCE,
    HEADS_BY_RESIDENCE,
    INTEGRAL,
    MODE,
    ONCE_HIGH,
    ONCE_LOW,
    PASS_FORCE,
    PASS_SLOT,
    PASS_WEIGHT,
    POINTS,
    POINTS_BY_RESIDENCE,
    RISK_HIGH,
    RISK_LOW,
    SLOT,
    TERM_HIGH,
    TERM_LOW,
    WHOLE,
)
from qalyst.kernels.rows import FAST, LANE


@numba.njit(**LANE)
def _integral(force, years):
    """The integral of exp(-force s) from 0 to some years."""
    if force == 0.0:
        return years
    return -math.expm1(-force * years) / force


@numba.njit(**LANE)
def _cell(terms, maps, numbers, k, cycle, bin_):
    """A quantity by time in state."""
    bin_ = min(max(bin_, 0), terms[k, CELL_BINS] - 1)
    return numbers[terms[k, CELLS] + maps[terms[k, CELL_MAP], cycle] + bin_]


@numba.njit(**FAST)
def _points_by_residence(t, numbers, k, first, last, since, came_at_once, went_at_once):
    """Points of a stay, each times what its bin is worth: of its own cycle, or of the one before.

    `WHOLE` weighs heads after the schedule of a point; `BEFORE` those before it, valued as in the
    cycle that ends there, or (`HEADS_BY_RESIDENCE`) as in the one that begins.
    """
    terms, maps = t.terms, t.maps
    n = t.shape[0]
    ended = 0 if terms[k, MODE] == HEADS_BY_RESIDENCE else 1
    total = 0.0
    for j in range(first, min(last, n + 1)):
        total += numbers[terms[k, WHOLE] + j] * _cell(
            terms, maps, numbers, k, j, completed(j - since)
        )
    low = first + 1 if came_at_once else first
    high = last + 1 if went_at_once else last
    for j in range(low, min(high, n + 1)):
        cell = _cell(terms, maps, numbers, k, max(j - ended, 0), completed(j - since))
        total += numbers[terms[k, BEFORE] + j] * cell
    return total


@numba.njit(**FAST)
def _moments(t, numbers, k, enter, leave, since):
    """The integral of discount times quantity over a stay, cycle by cycle."""
    terms, maps = t.terms, t.maps
    by_residence = terms[k, MODE] != INTEGRAL
    years = t.cycle[0]
    total = 0.0
    cycle = int(enter)
    while cycle < leave:
        begin, end = max(enter - cycle, 0.0), min(leave - cycle, 1.0)
        force = numbers[terms[k, FORCE] + cycle]
        part = _integral(force, end * years) - _integral(force, begin * years)
        if by_residence:
            part *= _cell(terms, maps, numbers, k, cycle, completed(cycle - since))
        total += numbers[terms[k, WHOLE] + cycle] * part
        cycle += 1
    return total


@numba.njit(**LANE)
def _upto(t, numbers, k, moment):
    """The integral from 0 to a moment: whole cycles are cumulated at `BEFORE`."""
    terms = t.terms
    cycle = int(moment)
    whole = numbers[terms[k, BEFORE] + cycle]
    rest = moment - cycle
    if rest == 0.0:
        return whole
    force = numbers[terms[k, FORCE] + cycle]
    return whole + numbers[terms[k, WHOLE] + cycle] * _integral(force, rest * t.cycle[0])


@numba.njit(**LANE)
def add_stay(t, numbers, slots, m, enter, leave, since, came_at_once, went_at_once):
    """Add a stay in compartment m, from `enter` to `leave` (n + 1 or more: to the end)."""
    terms = t.terms
    first, last = math.ceil(enter), math.ceil(leave)
    for k in range(t.compartments[m, TERM_LOW], t.compartments[m, TERM_HIGH]):
        mode, slot = terms[k, MODE], terms[k, SLOT]
        if mode == POINTS:
            whole = terms[k, WHOLE]
            value = numbers[whole + last] - numbers[whole + first]
            if came_at_once:
                value -= numbers[terms[k, BEFORE] + first]
            if went_at_once:
                value += numbers[terms[k, BEFORE] + last]
            slots[slot] += value
        elif mode in (POINTS_BY_RESIDENCE, HEADS_BY_RESIDENCE):
            slots[slot] += _points_by_residence(
                t, numbers, k, first, last, since, came_at_once, went_at_once
            )
        else:
            end = min(leave, float(t.shape[0]))
            if mode == INTEGRAL:
                slots[slot] += _upto(t, numbers, k, end) - _upto(t, numbers, k, enter)
            else:
                slots[slot] += _moments(t, numbers, k, enter, end, since)


@numba.njit(**LANE)
def add_event(t, numbers, slots, event, moment, at_once):
    """Add an event that is passed by risk at a moment, or at once at the start of a cycle."""
    low, high = t.events[event, RISK_LOW], t.events[event, RISK_HIGH]
    if at_once:
        low, high = t.events[event, ONCE_LOW], t.events[event, ONCE_HIGH]
    cycle = int(moment)
    for k in range(low, high):
        value = numbers[t.passes[k, PASS_WEIGHT] + cycle]
        if t.passes[k, PASS_FORCE] >= 0:
            force = numbers[t.passes[k, PASS_FORCE] + cycle]
            value *= math.exp(-force * (moment - cycle) * t.cycle[0])
        slots[t.passes[k, PASS_SLOT]] += value

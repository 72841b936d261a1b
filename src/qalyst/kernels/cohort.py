"""The cohort kernel: one compilation for every model that has one event per cycle.

A lane is a draw. Every row of numbers is `LANES` draws wide and contiguous, so that each inner
loop is one vector instruction after another; the innermost helpers see flat slices with literal
offsets, which is what lets the compiler know that they do not overlap.

Heads (and events) of each point of time go to `trace`, a buffer of `STRETCH` points; payoffs
are sums over it with weights that hold corrections, discounting and schedules.
"""

from __future__ import annotations

from typing import NamedTuple

import numba
import numpy as np

from qalyst.axes import Float, Int
from qalyst.kernels.phi import doublings, phi

LANES = 64
STRETCH = 8
BINS_PER_LEVEL = 8

# columns of `Tables.compartments`
FIRST, BINS, NEXT_FIRST, NEXT_BINS, ATOM, SHARES, OPENS, ENTERED_LAST = range(8)
LOSS_LOW, LOSS_HIGH, SLOT_LOW, SLOT_HIGH, CELL_LOW, CELL_HIGH = range(8, 14)
SCHEDULE_LOW, SCHEDULE_HIGH, VALUE_LOW, VALUE_HIGH = range(14, 18)
COMPARTMENT_COLUMNS = 18
# columns of `Tables.slots`
TERM_LOW, TERM_HIGH, ROUTE_LOW, ROUTE_HIGH = range(4)

_FAST = {"fastmath": {"contract"}, "error_model": "numpy"}


class Tables(NamedTuple):
    """The lowered form of a program as index tables.

    A *row* is a row of the pool of lanes; a *map* gives for each cycle the offset to add to it; a
    *series* holds what no draw changes.

    Attributes
    ----------
    compartments : [compartment, column], see the names above.
    slots : [slot, column]; a slot is what flows along one route out of one compartment.
    terms : [term, (row, map, series)], hazards of a slot (or of the losses) that are added up.
    cell_terms : [term, (row, map, series, cell row, cell map, slot)], hazards by time in state.
    schedules : [move, (row, map, series, cell row or -1, cell map, slot)].
    routes : [route, (destination, row, map)]; destinations from the number of compartments
        upwards are events.
    start : [move, (destination, row, map)], the moves of time 0.
    values : [value, (cell row, cell map, trace row)], quantities by time in state.
    fires : [compartment, cycle], whether a schedule of it may fire.
    any_fires : [cycle].
    series : [series, n + 1].
    maps : [map, n + 1].
    sums : [sum, (trace row, weight)].
    outputs : [output, (sum, row, out)], sums times what differs between draws.
    running : [output, (trace row, weight, row, map, out)], where that differs by cycle too.
    weights : [weight, n + 1 padded to whole stretches].
    shape : (cycles, events, atoms, trace rows, outs, has schedules).
    """

    compartments: Int
    slots: Int
    terms: Int
    cell_terms: Int
    schedules: Int
    routes: Int
    start: Int
    values: Int
    fires: Int
    any_fires: Int
    series: Float
    maps: Int
    sums: Int
    outputs: Int
    running: Int
    weights: Float
    shape: Int


class Scratch(NamedTuple):
    """Working rows of one thread; every array is flat, rows of `LANES`."""

    occupancy: Float
    flows: Float
    landing: Float
    hazards: Float
    cell: Float
    trace: Float
    sums: Float


def scratch(tables: Tables) -> Scratch:
    """Working rows that fit a program."""
    cells = int(tables.compartments[:, [FIRST, BINS]].sum(axis=1).max(initial=0)) + 2
    slots = len(tables.slots) + 1
    terms = int((tables.compartments[:, CELL_HIGH] - tables.compartments[:, CELL_LOW]).max(initial=0))
    rows = int(tables.shape[3])

    def zeros(count: int) -> Float:
        return np.zeros(max(count, 1) * LANES)

    return Scratch(
        occupancy=zeros(cells),
        flows=zeros(slots),
        landing=zeros(len(tables.compartments) + 1),
        hazards=zeros(slots + 3 * (terms + 1)),
        cell=zeros(12),
        trace=zeros(rows * STRETCH),
        sums=zeros(len(tables.sums) + len(tables.running)),
    )


# ---- lanes: flat slices, literal offsets


@numba.njit(**_FAST)
def _clear(a):  # type: ignore[no-untyped-def]
    for i in range(a.size):
        a[i] = 0.0


@numba.njit(**_FAST)
def _set(out, a, factor):  # type: ignore[no-untyped-def]
    for w in range(LANES):
        out[w] = a[w] * factor


@numba.njit(**_FAST)
def _add(out, a, factor):  # type: ignore[no-untyped-def]
    for w in range(LANES):
        out[w] += a[w] * factor


@numba.njit(**_FAST)
def _plus(out, a):  # type: ignore[no-untyped-def]
    for w in range(LANES):
        out[w] += a[w]


@numba.njit(**_FAST)
def _copy(out, a):  # type: ignore[no-untyped-def]
    for w in range(LANES):
        out[w] = a[w]


@numba.njit(**_FAST)
def _add_product(out, a, b):  # type: ignore[no-untyped-def]
    for w in range(LANES):
        out[w] += a[w] * b[w]


@numba.njit(**_FAST)
def _add_triple(out, a, b, factor):  # type: ignore[no-untyped-def]
    for w in range(LANES):
        out[w] += a[w] * b[w] * factor


@numba.njit(**_FAST)
def _phi_of(q, total, twice):  # type: ignore[no-untyped-def]
    """q[w] = phi(total[w]); q has three rows, the last two are working space."""
    if twice == 0:
        for w in range(LANES):
            q[w] = phi(total[w])
        return
    scale = 0.5**twice
    for w in range(LANES):
        q[LANES + w] = total[w] * scale
        q[w] = phi(q[LANES + w])
    for _ in range(twice):
        for w in range(LANES):
            q[w] = q[w] * (1.0 - 0.5 * q[LANES + w] * q[w])
            q[LANES + w] = q[LANES + w] * 2.0


@numba.njit(**_FAST)
def _leave(x, z):  # type: ignore[no-untyped-def]
    """Those who stay in x; z rows: 0 total hazard, 1 phi -> heads times phi."""
    for w in range(LANES):
        p = x[w] * z[LANES + w]
        z[LANES + w] = p
        x[w] = x[w] - z[w] * p


# rows of `Scratch.cell` used while the bins of a compartment are visited
_TOTAL, _RATE, _P, _FLOW, _HEADS, _Q, _Q2, _STAY, _HAZARD = range(9)


@numba.njit(**_FAST)
def _visit(x, g, z):  # type: ignore[no-untyped-def]
    """One bin with one hazard by time in state: leave, move up by one bin.

    x rows: this bin, the next; g: the hazard's row; z: see the names above.
    """
    for w in range(LANES):
        y = x[w]
        h = z[_RATE * LANES + w] * g[w]
        total = z[_TOTAL * LANES + w] + h
        p = y * phi(total)
        z[_P * LANES + w] += p
        z[_FLOW * LANES + w] += h * p
        z[_HEADS * LANES + w] += y
        x[LANES + w] = y - total * p


@numba.njit(**_FAST)
def _sum_stretch(total, trace, weights):  # type: ignore[no-untyped-def]
    w0, w1, w2, w3 = weights[0], weights[1], weights[2], weights[3]
    w4, w5, w6, w7 = weights[4], weights[5], weights[6], weights[7]
    for w in range(LANES):
        first = (w0 * trace[w] + w1 * trace[LANES + w]) + (
            w2 * trace[2 * LANES + w] + w3 * trace[3 * LANES + w]
        )
        second = (w4 * trace[4 * LANES + w] + w5 * trace[5 * LANES + w]) + (
            w6 * trace[6 * LANES + w] + w7 * trace[7 * LANES + w]
        )
        total[w] += first + second


# ---- the parts of a cycle


@numba.njit(**_FAST)
def _row(a, row):  # type: ignore[no-untyped-def]
    return a[row * LANES : (row + 1) * LANES]


@numba.njit(**_FAST)
def _rows(a, row, count):  # type: ignore[no-untyped-def]
    return a[row * LANES : (row + count) * LANES]


@numba.njit(**_FAST)
def _top_bin(t, m, cycle):  # type: ignore[no-untyped-def]
    """The last bin of a compartment that can be occupied."""
    return min(t.compartments[m, BINS] - 1, cycle - t.compartments[m, OPENS])


@numba.njit(**_FAST)
def _bottom_bin(t, m, cycle):  # type: ignore[no-untyped-def]
    """The first bin that can be occupied: nobody enters after `ENTERED_LAST`."""
    since = cycle - t.compartments[m, ENTERED_LAST]
    return min(max(since, 0), t.compartments[m, BINS] - 1)


@numba.njit(**_FAST)
def _route(t, s, pool, slot, cycle, trace_row, point):  # type: ignore[no-untyped-def]
    """Send the flow of a slot to where it lands, and past the events that count it."""
    count = t.compartments.shape[0]
    flow = _row(s.flows, slot)
    for k in range(t.slots[slot, ROUTE_LOW], t.slots[slot, ROUTE_HIGH]):
        to = t.routes[k, 0]
        row = t.routes[k, 1] + t.maps[t.routes[k, 2], cycle]
        if to < count:
            out = _row(s.landing, to)
        else:
            out = _row(s.trace, (trace_row + to - count) * STRETCH + point)
        if row == 0:
            _plus(out, flow)
        else:
            _add_product(out, _row(pool, row), flow)


@numba.njit(**_FAST)
def _land(t, s, cycle):  # type: ignore[no-untyped-def]
    """Arrivals take their places, in the first bin."""
    for m in range(t.compartments.shape[0]):
        if t.compartments[m, OPENS] <= cycle:
            landed = _row(s.landing, m)
            _plus(_row(s.occupancy, t.compartments[m, FIRST]), landed)
            _clear(landed)


@numba.njit(**_FAST)
def _count_heads(t, s, pool, m, cycle, base, point):  # type: ignore[no-untyped-def]
    """Add the heads of a compartment to its atom, and their values by time in state."""
    low, high = _bottom_bin(t, m, cycle), _top_bin(t, m, cycle)
    first, atom = t.compartments[m, FIRST], t.compartments[m, ATOM]
    if atom >= 0:
        out = _row(s.trace, (base + atom) * STRETCH + point)
        for r in range(low, high + 1):
            _plus(out, _row(s.occupancy, first + r))
    _count_values(t, s, pool, m, cycle, base, point)


@numba.njit(**_FAST)
def _count_values(t, s, pool, m, cycle, base, point):  # type: ignore[no-untyped-def]
    low, high = _bottom_bin(t, m, cycle), _top_bin(t, m, cycle)
    first = t.compartments[m, FIRST]
    for k in range(t.compartments[m, VALUE_LOW], t.compartments[m, VALUE_HIGH]):
        row = t.values[k, 0] + t.maps[t.values[k, 1], cycle]
        out = _row(s.trace, (base + t.values[k, 2]) * STRETCH + point)
        for r in range(low, high + 1):
            _add_product(out, _row(pool, row + r), _row(s.occupancy, first + r))


@numba.njit(**_FAST)
def _schedule(t, s, pool, cycle, event_row, point):  # type: ignore[no-untyped-def]
    """Scheduled moves, all from the same heads; an arrival waits for the next cycle's."""
    for m in range(t.compartments.shape[0]):
        if t.fires[m, cycle] == 0 or t.compartments[m, OPENS] > cycle:
            continue
        low, high = t.compartments[m, SCHEDULE_LOW], t.compartments[m, SCHEDULE_HIGH]
        for k in range(low, high):
            _clear(_row(s.flows, t.schedules[k, 5]))
        for r in range(_bottom_bin(t, m, cycle), _top_bin(t, m, cycle) + 1):
            heads = _row(s.occupancy, t.compartments[m, FIRST] + r)
            moved = _row(s.cell, 0)
            _clear(moved)
            for k in range(low, high):
                factor = t.series[t.schedules[k, 2], cycle]
                if factor == 0.0:
                    continue
                share = _row(s.cell, 1)
                _set(share, heads, factor)
                row = t.schedules[k, 0] + t.maps[t.schedules[k, 1], cycle]
                lanes = _row(pool, row)
                for w in range(LANES):
                    share[w] *= lanes[w]
                if t.schedules[k, 3] >= 0:
                    cells = _row(pool, t.schedules[k, 3] + t.maps[t.schedules[k, 4], cycle] + r)
                    for w in range(LANES):
                        share[w] *= cells[w]
                _plus(moved, share)
                _plus(_row(s.flows, t.schedules[k, 5]), share)
            for w in range(LANES):
                heads[w] -= moved[w]
        for k in range(low, high):
            slot = t.schedules[k, 5]
            if k == low or slot != t.schedules[k - 1, 5]:
                _route(t, s, pool, slot, cycle, event_row, point)


@numba.njit(**_FAST)
def _sum_terms(t, pool, peak, low, high, cycle, out):  # type: ignore[no-untyped-def]
    """out = sum of hazards; returns the greatest value that it can have."""
    greatest = 0.0
    for k in range(low, high):
        row = t.terms[k, 0] + t.maps[t.terms[k, 1], cycle]
        factor = t.series[t.terms[k, 2], cycle]
        greatest += peak[row] * factor
        if k == low:
            _set(out, _row(pool, row), factor)
        else:
            _add(out, _row(pool, row), factor)
    return greatest


@numba.njit(**_FAST)
def _risks(t, s, pool, peak, cycle, atom_row, event_row, point):  # type: ignore[no-untyped-def]
    """Competing risks of a cycle in every compartment; arrivals wait in `landing`."""
    for m in range(t.compartments.shape[0]):
        if t.compartments[m, OPENS] > cycle:
            continue
        slot_low, slot_high = t.compartments[m, SLOT_LOW], t.compartments[m, SLOT_HIGH]
        total = _row(s.cell, _TOTAL)
        greatest = 0.0
        if t.compartments[m, LOSS_LOW] < t.compartments[m, LOSS_HIGH]:
            greatest += _sum_terms(
                t, pool, peak, t.compartments[m, LOSS_LOW], t.compartments[m, LOSS_HIGH], cycle, total
            )
        else:
            _clear(total)
        for slot in range(slot_low, slot_high):
            hazard = _row(s.hazards, slot)
            if t.slots[slot, TERM_LOW] < t.slots[slot, TERM_HIGH]:
                greatest += _sum_terms(
                    t, pool, peak, t.slots[slot, TERM_LOW], t.slots[slot, TERM_HIGH], cycle, hazard
                )
                _plus(total, hazard)
            else:
                _clear(hazard)
        if t.compartments[m, VALUE_LOW] < t.compartments[m, VALUE_HIGH]:
            _count_values(t, s, pool, m, cycle, atom_row, point)
        atom = t.compartments[m, ATOM]
        if t.compartments[m, BINS] == 1 and t.compartments[m, NEXT_FIRST] == t.compartments[m, FIRST]:
            heads = _row(s.occupancy, t.compartments[m, FIRST])
            if atom >= 0:
                _plus(_row(s.trace, (atom_row + atom) * STRETCH + point), heads)
            leaving = _rows(s.cell, _TOTAL, 2)
            if t.compartments[m, SHARES]:
                for w in range(LANES):
                    leaving[LANES + w] = 1.0
            else:
                _phi_of(_rows(s.cell, 1, 3), total, doublings(greatest))
            _leave(heads, leaving)
            p = _row(s.cell, 1)
            for slot in range(slot_low, slot_high):
                flow, hazard = _row(s.flows, slot), _row(s.hazards, slot)
                for w in range(LANES):
                    flow[w] = hazard[w] * p[w]
        else:
            _age_bins(t, s, pool, peak, m, cycle, greatest)
            if atom >= 0:
                _plus(_row(s.trace, (atom_row + atom) * STRETCH + point), _row(s.cell, _HEADS))
        for slot in range(slot_low, slot_high):
            _route(t, s, pool, slot, cycle, event_row, point)


@numba.njit(**_FAST)
def _age_bins(t, s, pool, peak, m, cycle, greatest):  # type: ignore[no-untyped-def]
    """Risks of a compartment by time in state; who stays moves up by one bin.

    `s.cell` row 0 holds the hazards that do not read the time in state; the flows of the
    compartment's slots are left in `s.flows`, its heads in row `_HEADS`.
    """
    first, bins = t.compartments[m, FIRST], t.compartments[m, BINS]
    onward, onward_bins = t.compartments[m, NEXT_FIRST], t.compartments[m, NEXT_BINS]
    cell_low, cell_high = t.compartments[m, CELL_LOW], t.compartments[m, CELL_HIGH]
    slot_low, slot_high = t.compartments[m, SLOT_LOW], t.compartments[m, SLOT_HIGH]
    count = cell_high - cell_low
    base = t.slots.shape[0] + 1  # rows of `hazards` behind those of the slots
    for k in range(count):
        j = cell_low + k
        row = t.cell_terms[j, 0] + t.maps[t.cell_terms[j, 1], cycle]
        _set(_row(s.hazards, base + k), _row(pool, row), t.series[t.cell_terms[j, 2], cycle])
        _clear(_row(s.hazards, base + count + k))
    _clear(_rows(s.cell, _P, 3))
    if count == 1:
        _copy(_row(s.cell, _RATE), _row(s.hazards, base))
    low, high = _bottom_bin(t, m, cycle), _top_bin(t, m, cycle)
    shares = t.compartments[m, SHARES] != 0
    simple = count == 1 and onward == first and not shares
    twice = 0
    for r in range(high, low - 1, -1):
        if r == high or (r + 1) % BINS_PER_LEVEL == 0:
            twice = _bin_level(t, peak, m, cycle, greatest, r)
        here = first + r
        if simple and twice == 0 and r < bins - 2:
            row = t.cell_terms[cell_low, 3] + t.maps[t.cell_terms[cell_low, 4], cycle] + r
            _visit(_rows(s.occupancy, here, 2), _row(pool, row), s.cell)
            continue
        _visit_any(t, s, pool, m, cycle, r, twice)
        target = onward + min(r + 1, onward_bins - 1)
        stay = _row(s.cell, _STAY)
        _clear(_row(s.occupancy, here))
        _plus(_row(s.occupancy, target), stay)
    if onward == first and bins > 1:
        _clear(_row(s.occupancy, first + low))
    for slot in range(slot_low, slot_high):
        flow, hazard, p = _row(s.flows, slot), _row(s.hazards, slot), _row(s.cell, _P)
        for w in range(LANES):
            flow[w] = hazard[w] * p[w]
    for k in range(count):
        slot = t.cell_terms[cell_low + k, 5]
        if slot >= 0:
            _plus(
                _row(s.flows, slot),
                _row(s.cell, _FLOW) if simple else _row(s.hazards, base + count + k),
            )
    if simple:  # the bins that went the general way kept their flow apart
        slot = t.cell_terms[cell_low, 5]
        if slot >= 0:
            _plus(_row(s.flows, slot), _row(s.hazards, base + count))


@numba.njit(**_FAST)
def _bin_level(t, peak, m, cycle, greatest, r):  # type: ignore[no-untyped-def]
    """Doublings that the bins of a group of `BINS_PER_LEVEL` need at most."""
    low = r - r % BINS_PER_LEVEL
    high = min(low + BINS_PER_LEVEL, t.compartments[m, BINS])
    top = greatest
    for j in range(t.compartments[m, CELL_LOW], t.compartments[m, CELL_HIGH]):
        row = t.cell_terms[j, 0] + t.maps[t.cell_terms[j, 1], cycle]
        cells = t.cell_terms[j, 3] + t.maps[t.cell_terms[j, 4], cycle]
        most = 0.0
        for b in range(low, high):
            most = max(most, peak[cells + b])
        top += peak[row] * t.series[t.cell_terms[j, 2], cycle] * most
    return doublings(top)


@numba.njit(**_FAST)
def _visit_any(t, s, pool, m, cycle, r, twice):  # type: ignore[no-untyped-def]
    """One bin with any number of hazards by time in state; who stays is left in row `_STAY`."""
    cell_low, cell_high = t.compartments[m, CELL_LOW], t.compartments[m, CELL_HIGH]
    count = cell_high - cell_low
    base = t.slots.shape[0] + 1
    heads = _row(s.occupancy, t.compartments[m, FIRST] + r)
    sum_, q = _row(s.cell, _HAZARD), _rows(s.cell, _Q, 2)
    _copy(sum_, _row(s.cell, _TOTAL))
    for k in range(count):
        j = cell_low + k
        row = t.cell_terms[j, 3] + t.maps[t.cell_terms[j, 4], cycle] + r
        hazard = _row(s.hazards, base + 2 * count + k)
        lanes, cells = _row(s.hazards, base + k), _row(pool, row)
        for w in range(LANES):
            hazard[w] = lanes[w] * cells[w]
        _plus(sum_, hazard)
    if t.compartments[m, SHARES]:
        for w in range(LANES):
            q[w] = 1.0
    else:
        _phi_of(q, sum_, twice)
    z, stay = s.cell, _row(s.cell, _STAY)
    for w in range(LANES):
        p = heads[w] * q[w]
        q[w] = p
        stay[w] = heads[w] - sum_[w] * p
    _plus(_row(z, _P), _row(z, _Q))
    _plus(_row(z, _HEADS), heads)
    for k in range(count):
        _add_product(
            _row(s.hazards, base + count + k), _row(s.hazards, base + 2 * count + k), _row(z, _Q)
        )


@numba.njit(**_FAST)
def _begin(t, s, pool, event_row):  # type: ignore[no-untyped-def]
    """Everybody takes a place at time 0."""
    _clear(s.occupancy)
    _clear(s.landing)
    _clear(s.sums)
    _clear(s.trace)
    count = t.compartments.shape[0]
    for k in range(t.start.shape[0]):
        to, row = t.start[k, 0], t.start[k, 1] + t.maps[t.start[k, 2], 0]
        if to < count:
            _plus(_row(s.occupancy, t.compartments[to, FIRST]), _row(pool, row))
        else:
            _plus(_row(s.trace, (event_row + to - count) * STRETCH), _row(pool, row))


@numba.njit(**_FAST)
def _sum_up(t, s, pool, begin):  # type: ignore[no-untyped-def]
    """Add a stretch of the trace to the weighted sums."""
    for k in range(t.sums.shape[0]):
        weights = t.weights[t.sums[k, 1], begin : begin + STRETCH]
        _sum_stretch(_row(s.sums, k), _rows(s.trace, t.sums[k, 0] * STRETCH, STRETCH), weights)
    points = t.shape[0] + 1
    for k in range(t.running.shape[0]):
        total = _row(s.sums, t.sums.shape[0] + k)
        for point in range(min(STRETCH, points - begin)):
            weight = t.weights[t.running[k, 1], begin + point]
            if weight != 0.0:
                row = t.running[k, 2] + t.maps[t.running[k, 3], begin + point]
                trace = _row(s.trace, t.running[k, 0] * STRETCH + point)
                _add_triple(total, _row(pool, row), trace, weight)


@numba.njit(**_FAST)
def _finish(t, s, pool, out):  # type: ignore[no-untyped-def]
    """Sums times what differs between draws."""
    for i in range(out.shape[0]):
        for w in range(LANES):
            out[i, w] = 0.0
    for k in range(t.outputs.shape[0]):
        _add_product(
            out[t.outputs[k, 2]], _row(pool, t.outputs[k, 1]), _row(s.sums, t.outputs[k, 0])
        )
    for k in range(t.running.shape[0]):
        _plus(out[t.running[k, 4]], _row(s.sums, t.sums.shape[0] + k))


@numba.njit(cache=True, nogil=True, **_FAST)
def run_cohort(t, s, pools, peaks, kept, out):  # type: ignore[no-untyped-def]
    """Run a program for blocks of draws.

    Parameters
    ----------
    t : the program's tables.
    s : working rows.
    pools : [block, row * LANES] values of every table, row 0 being ones.
    peaks : [block, row] greatest value of each row over its lanes.
    kept : [trace row, n + 1, lane] the trace of the last block, if it has any points; else empty.
    out : [block, out, lane] quantities.
    """
    n, events, atoms = t.shape[0], t.shape[1], t.shape[2]
    scheduled = t.shape[5] != 0
    before = atoms if scheduled else 0  # heads before schedules, then after them
    risk_events = before + atoms
    start_events = risk_events + events
    for block in range(pools.shape[0]):
        pool, peak = pools[block], peaks[block]
        _begin(t, s, pool, start_events)
        for begin in range(0, n + 1, STRETCH):
            if begin > 0:
                _clear(s.trace)
            for point in range(min(STRETCH, n + 1 - begin)):
                j = begin + point
                if scheduled:
                    for m in range(t.compartments.shape[0]):
                        if t.compartments[m, OPENS] <= j:
                            _count_heads(t, s, pool, m, j, 0, point)
                    if j < n and t.any_fires[j] != 0:
                        _schedule(t, s, pool, j, start_events, point)
                        _land(t, s, j)
                if j < n:
                    _risks(t, s, pool, peak, j, before, risk_events, point)
                    _land(t, s, j + 1)
                else:
                    for m in range(t.compartments.shape[0]):
                        if t.compartments[m, OPENS] <= j:
                            _count_heads(t, s, pool, m, j, before, point)
            if kept.shape[1] > 0:
                for row in range(kept.shape[0]):
                    for point in range(min(STRETCH, n + 1 - begin)):
                        for w in range(LANES):
                            kept[row, begin + point, w] = s.trace[(row * STRETCH + point) * LANES + w]
            _sum_up(t, s, pool, begin)
        _finish(t, s, pool, out[block])

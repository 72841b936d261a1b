"""The cohort kernel: one compilation for every model that has one event per cycle.

A lane is a draw. Every row of numbers is `LANES` draws wide and contiguous, so that each inner
loop is one vector instruction after another. Arrays are flat and read at unsigned offsets: no
view is made (so no reference is counted) and no index can be negative, which is what lets the
compiler see that the loops are contiguous.

Heads (and events) of each point of time go to `trace`, a buffer of `STRETCH` points; payoffs
are sums over it with weights that hold corrections, discounting and schedules.
"""

from __future__ import annotations

from typing import NamedTuple

import numba
import numpy as np

from qalyst.axes import Float, Int
from qalyst.kernels.phi import FAR, doublings, phi, phi_far

LANES = 128
STRETCH = 8
BINS_PER_LEVEL = 8
TINY = 1e-200  # a share of the cohort below this is nobody

# columns of `Tables.compartments`
FIRST, BINS, NEXT_FIRST, NEXT_BINS, ATOM, SHARES, OPENS, ENTERED_LAST = range(8)
LOSS_LOW, LOSS_HIGH, SLOT_LOW, SLOT_HIGH, CELL_LOW, CELL_HIGH = range(8, 14)
SCHEDULE_LOW, SCHEDULE_HIGH, VALUE_LOW, VALUE_HIGH = range(14, 18)
COMPARTMENT_COLUMNS = 18
# columns of `Tables.slots`
TERM_LOW, TERM_HIGH, ROUTE_LOW, ROUTE_HIGH = range(4)

_FAST = {"fastmath": {"contract"}, "error_model": "numpy"}
_LANE = {**_FAST, "forceinline": True}  # a call for every row would cost more than the row
_WIDTH = np.uint64(LANES)


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
    sums : [pair, (trace row, weight, weight)]; sums 2 k and 2 k + 1 are those of pair k.
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
    compartments = tables.compartments
    cells = int((compartments[:, FIRST] + compartments[:, BINS]).max(initial=0)) + 2
    slots = len(tables.slots) + 1
    terms = int((compartments[:, CELL_HIGH] - compartments[:, CELL_LOW]).max(initial=0))
    rows = int(tables.shape[3])

    def zeros(count: int) -> Float:
        return np.zeros(max(count, 1) * LANES)

    return Scratch(
        occupancy=zeros(cells),
        flows=zeros(slots),
        landing=zeros(len(tables.compartments) + 1),
        hazards=zeros(slots + 3 * terms),
        cell=zeros(10),
        trace=zeros(rows * STRETCH + 1),
        sums=zeros(2 * len(tables.sums) + len(tables.running)),
    )


# ---- lanes: rows of flat arrays at unsigned offsets


@numba.njit(**_LANE)
def _at(row):
    """Offset of a row."""
    return np.uint64(row) * _WIDTH


@numba.njit(**_LANE)
def _clear(out, o):
    for w in range(_WIDTH):
        out[o + w] = 0.0


@numba.njit(**_LANE)
def _copy(out, o, a, i):
    for w in range(_WIDTH):
        out[o + w] = a[i + w]


@numba.njit(**_LANE)
def _set(out, o, a, i, factor):
    for w in range(_WIDTH):
        out[o + w] = a[i + w] * factor


@numba.njit(**_LANE)
def _add(out, o, a, i, factor):
    for w in range(_WIDTH):
        out[o + w] += a[i + w] * factor


@numba.njit(**_LANE)
def _plus(out, o, a, i):
    for w in range(_WIDTH):
        out[o + w] += a[i + w]


@numba.njit(**_LANE)
def _minus(out, o, a, i):
    for w in range(_WIDTH):
        out[o + w] -= a[i + w]


@numba.njit(**_LANE)
def _scale(out, o, a, i):
    for w in range(_WIDTH):
        out[o + w] *= a[i + w]


@numba.njit(**_LANE)
def _product(out, o, a, i, b, j):
    for w in range(_WIDTH):
        out[o + w] = a[i + w] * b[j + w]


@numba.njit(**_LANE)
def _add_product(out, o, a, i, b, j):
    for w in range(_WIDTH):
        out[o + w] += a[i + w] * b[j + w]


@numba.njit(**_LANE)
def _add_triple(out, o, a, i, b, j, c, k):
    for w in range(_WIDTH):
        out[o + w] += a[i + w] * b[j + w] * c[k + w]


@numba.njit(**_LANE)
def _add_scaled_product(out, o, a, i, b, j, factor):
    for w in range(_WIDTH):
        out[o + w] += a[i + w] * b[j + w] * factor


@numba.njit(**_LANE)
def _set_and_add(out, o, a, i, factor, z):
    total = _at(_TOTAL)
    for w in range(_WIDTH):
        h = a[i + w] * factor
        out[o + w] = h
        z[total + w] += h


@numba.njit(**_LANE)
def _take_in(x, o, landing, i):
    """Add arrivals and clear them; shares too small to matter are 0 (denormals are slow)."""
    for w in range(_WIDTH):
        here = x[o + w] + landing[i + w]
        x[o + w] = here if here > TINY else 0.0
        landing[i + w] = 0.0


@numba.njit(**_LANE)
def _weigh(total, o, trace, i, weights, first, second, begin):
    """Add half a stretch of a trace row with two sets of weights; totals stand row by row."""
    a0, b0 = weights[first, begin], weights[second, begin]
    a1, b1 = weights[first, begin + 1], weights[second, begin + 1]
    a2, b2 = weights[first, begin + 2], weights[second, begin + 2]
    a3, b3 = weights[first, begin + 3], weights[second, begin + 3]
    i1, i2, i3 = i + _WIDTH, i + _WIDTH * np.uint64(2), i + _WIDTH * np.uint64(3)
    other = o + _WIDTH
    for w in range(_WIDTH):
        x0, x1, x2, x3 = trace[i + w], trace[i1 + w], trace[i2 + w], trace[i3 + w]
        total[o + w] += (a0 * x0 + a1 * x1) + (a2 * x2 + a3 * x3)
        total[other + w] += (b0 * x0 + b1 * x1) + (b2 * x2 + b3 * x3)


# ---- risks of a row of heads

# rows of `Scratch.cell`
_TOTAL, _RATE, _P, _FLOW, _HEADS, _Q, _HALVED, _STAY, _HAZARD = range(9)


@numba.njit(**_LANE)
def _phi_row(z, twice):
    """Row _Q = phi(row _HAZARD)."""
    q, y, total = _at(_Q), _at(_HALVED), _at(_HAZARD)
    if twice == 0:
        for w in range(_WIDTH):
            z[q + w] = phi(z[total + w])
        return
    scale = 0.5**twice
    for w in range(_WIDTH):
        z[y + w] = z[total + w] * scale
        z[q + w] = phi(z[y + w])
    for _ in range(twice):
        for w in range(_WIDTH):
            z[q + w] = z[q + w] * (1.0 - 0.5 * z[y + w] * z[q + w])
            z[y + w] = z[y + w] * 2.0


@numba.njit(**_LANE)
def _leave(x, o, z, twice, shares, trace, out):
    """Count the heads in x; row _P = heads times phi; who stays is left in x."""
    total, p, q, hazard = _at(_TOTAL), _at(_P), _at(_Q), _at(_HAZARD)
    if shares:
        for w in range(_WIDTH):
            here = x[o + w]
            trace[out + w] += here
            z[p + w] = here
            x[o + w] = here - z[total + w] * here
    elif twice == 0:
        for w in range(_WIDTH):
            here, h = x[o + w], z[total + w]
            trace[out + w] += here
            left = here * phi(h)
            z[p + w] = left
            x[o + w] = here - h * left
    else:
        _copy(z, hazard, z, total)
        _phi_row(z, twice)
        for w in range(_WIDTH):
            here = x[o + w]
            trace[out + w] += here
            left = here * z[q + w]
            z[p + w] = left
            x[o + w] = here - z[total + w] * left


@numba.njit(**_LANE)
def _visit(x, o, pool, g, z):
    """One bin with one hazard by time in state: leave, and move up by one bin."""
    total, rate, p, flow, heads = _at(_TOTAL), _at(_RATE), _at(_P), _at(_FLOW), _at(_HEADS)
    onward = o + _WIDTH
    for w in range(_WIDTH):
        here = x[o + w]
        h = z[rate + w] * pool[g + w]
        all_causes = z[total + w] + h
        left = here * phi(all_causes)
        z[p + w] += left
        z[flow + w] += h * left
        z[heads + w] += here
        stays = here - all_causes * left
        x[onward + w] = stays if stays > TINY else 0.0


@numba.njit(**_LANE)
def _visit_far(x, o, pool, g, z):
    """`_visit` for hazards up to eight times the reach of the polynomial."""
    total, rate, p, flow, heads = _at(_TOTAL), _at(_RATE), _at(_P), _at(_FLOW), _at(_HEADS)
    onward = o + _WIDTH
    for w in range(_WIDTH):
        here = x[o + w]
        h = z[rate + w] * pool[g + w]
        all_causes = z[total + w] + h
        left = here * phi_far(all_causes)
        z[p + w] += left
        z[flow + w] += h * left
        z[heads + w] += here
        stays = here - all_causes * left
        x[onward + w] = stays if stays > TINY else 0.0


# ---- the parts of a cycle


@numba.njit(**_LANE)
def _top_bin(compartments, m, cycle):
    """The last bin of a compartment that can be occupied."""
    return min(compartments[m, BINS] - 1, cycle - compartments[m, OPENS])


@numba.njit(**_LANE)
def _bottom_bin(compartments, m, cycle):
    """The first bin that can be occupied: nobody enters after `ENTERED_LAST`."""
    since = cycle - compartments[m, ENTERED_LAST]
    return min(max(since, 0), compartments[m, BINS] - 1)


@numba.njit(**_LANE)
def _route(slots, routes, maps, count, pool, flows, f, z, p, landing, trace, slot, cycle, base,
           point):  # fmt: skip
    """Send a flow (row f of `flows` times row p of z) to where it lands, and past its events."""
    for k in range(slots[slot, ROUTE_LOW], slots[slot, ROUTE_HIGH]):
        to = routes[k, 0]
        share = routes[k, 1] + maps[routes[k, 2], cycle]
        if to < count:
            if share == 0:
                _add_product(landing, _at(to), flows, f, z, p)
            else:
                _add_triple(landing, _at(to), pool, _at(share), flows, f, z, p)
        else:
            out = _at((base + to - count) * STRETCH + point)
            if share == 0:
                _add_product(trace, out, flows, f, z, p)
            else:
                _add_triple(trace, out, pool, _at(share), flows, f, z, p)


@numba.njit(**_FAST)
def _land(compartments, occupancy, landing, cycle):
    """Arrivals take their places, in the first bin."""
    for m in range(compartments.shape[0]):
        if compartments[m, OPENS] <= cycle:
            _take_in(occupancy, _at(compartments[m, FIRST]), landing, _at(m))


@numba.njit(**_FAST)
def _count_values(compartments, values, maps, pool, occupancy, trace, m, cycle, base, point):
    """Add what is valued by time in state."""
    first = compartments[m, FIRST]
    for k in range(compartments[m, VALUE_LOW], compartments[m, VALUE_HIGH]):
        row = values[k, 0] + maps[values[k, 1], cycle]
        out = _at((base + values[k, 2]) * STRETCH + point)
        for r in range(_bottom_bin(compartments, m, cycle), _top_bin(compartments, m, cycle) + 1):
            _add_product(trace, out, pool, _at(row + r), occupancy, _at(first + r))


@numba.njit(**_FAST)
def _count_heads(compartments, values, maps, pool, occupancy, trace, cycle, base, point):
    """Add the heads of every compartment to its atom, and what is valued by time in state."""
    for m in range(compartments.shape[0]):
        if compartments[m, OPENS] > cycle:
            continue
        atom = compartments[m, ATOM]
        if atom >= 0:
            out = _at((base + atom) * STRETCH + point)
            for r in range(
                _bottom_bin(compartments, m, cycle), _top_bin(compartments, m, cycle) + 1
            ):
                _plus(trace, out, occupancy, _at(compartments[m, FIRST] + r))
        _count_values(compartments, values, maps, pool, occupancy, trace, m, cycle, base, point)


@numba.njit(**_FAST)
def _schedule(
    compartments, slots, routes, schedules, fires, series, maps, pool, occupancy, flows, landing,
    z, trace, cycle, base, point,
):  # fmt: skip
    """Scheduled moves, all from the same heads; an arrival waits for the next cycle's."""
    count = compartments.shape[0]
    moved, share = _at(0), _at(1)
    for m in range(count):
        if fires[m, cycle] == 0 or compartments[m, OPENS] > cycle:
            continue
        low, high = compartments[m, SCHEDULE_LOW], compartments[m, SCHEDULE_HIGH]
        for k in range(low, high):
            _clear(flows, _at(schedules[k, 5]))
        for r in range(_bottom_bin(compartments, m, cycle), _top_bin(compartments, m, cycle) + 1):
            heads = _at(compartments[m, FIRST] + r)
            _clear(z, moved)
            for k in range(low, high):
                factor = series[schedules[k, 2], cycle]
                if factor == 0.0:
                    continue
                row = schedules[k, 0] + maps[schedules[k, 1], cycle]
                _set(z, share, pool, _at(row), factor)
                _scale(z, share, occupancy, heads)
                if schedules[k, 3] >= 0:
                    cells = schedules[k, 3] + maps[schedules[k, 4], cycle] + r
                    _scale(z, share, pool, _at(cells))
                _plus(z, moved, z, share)
                _plus(flows, _at(schedules[k, 5]), z, share)
            _minus(occupancy, heads, z, moved)
        for k in range(low, high):
            slot = schedules[k, 5]
            if k == low or slot != schedules[k - 1, 5]:
                _route(slots, routes, maps, count, pool, flows, _at(slot), pool, _at(0), landing,
                       trace, slot, cycle, base, point)  # fmt: skip
    _land(compartments, occupancy, landing, cycle)


@numba.njit(**_LANE)
def _sum_terms(terms, series, maps, pool, peak, low, high, cycle, out, o, z):
    """Row o = sum of hazards, added to row _TOTAL; returns the greatest value that it can have."""
    greatest = 0.0
    for k in range(low, high):
        row = terms[k, 0] + maps[terms[k, 1], cycle]
        factor = series[terms[k, 2], cycle]
        greatest += peak[row] * factor
        if k == low:
            _set_and_add(out, o, pool, _at(row), factor, z)
        else:
            _add(out, o, pool, _at(row), factor)
            _add(z, _at(_TOTAL), pool, _at(row), factor)
    if low == high:
        _clear(out, o)
    return greatest


@numba.njit(**_FAST)
def _risks(
    compartments, slots, terms, cell_terms, routes, series, maps, values, pool, peak, occupancy,
    flows, landing, hazards, z, trace, cycle, atoms, base, point,
):  # fmt: skip
    """Competing risks of a cycle in every compartment; arrivals wait in `landing`."""
    count = compartments.shape[0]
    for m in range(count):
        if compartments[m, OPENS] > cycle:
            continue
        first, atom = compartments[m, FIRST], compartments[m, ATOM]
        slot_low, slot_high = compartments[m, SLOT_LOW], compartments[m, SLOT_HIGH]
        greatest = 0.0
        _clear(z, _at(_TOTAL))
        for k in range(compartments[m, LOSS_LOW], compartments[m, LOSS_HIGH]):
            row = terms[k, 0] + maps[terms[k, 1], cycle]
            factor = series[terms[k, 2], cycle]
            greatest += peak[row] * factor
            _add(z, _at(_TOTAL), pool, _at(row), factor)
        for slot in range(slot_low, slot_high):
            greatest += _sum_terms(
                terms, series, maps, pool, peak, slots[slot, TERM_LOW], slots[slot, TERM_HIGH],
                cycle, hazards, _at(slot), z,
            )  # fmt: skip
        _count_values(compartments, values, maps, pool, occupancy, trace, m, cycle, atoms, point)
        unread = trace.size // LANES - 1  # the row of those whose heads nobody counts
        out = _at((atoms + atom) * STRETCH + point if atom >= 0 else unread)
        if compartments[m, BINS] == 1 and compartments[m, NEXT_FIRST] == first:
            _leave(
                occupancy, _at(first), z, doublings(greatest), compartments[m, SHARES] != 0,
                trace, out,
            )  # fmt: skip
            for slot in range(slot_low, slot_high):
                _route(slots, routes, maps, count, pool, hazards, _at(slot), z, _at(_P), landing,
                       trace, slot, cycle, base, point)  # fmt: skip
        else:
            _age_bins(
                compartments, cell_terms, series, maps, pool, peak, occupancy, hazards, z,
                slots.shape[0], m, cycle, greatest,
            )  # fmt: skip
            _plus(trace, out, z, _at(_HEADS))
            for slot in range(slot_low, slot_high):
                _product(flows, _at(slot), hazards, _at(slot), z, _at(_P))
            _add_flows_by_time(compartments, cell_terms, flows, hazards, slots.shape[0], m)
            for slot in range(slot_low, slot_high):
                _route(slots, routes, maps, count, pool, flows, _at(slot), pool, _at(0), landing,
                       trace, slot, cycle, base, point)  # fmt: skip


@numba.njit(**_FAST)
def _add_flows_by_time(compartments, cell_terms, flows, hazards, slots, m):
    """Add to each slot what `_age_bins` found to flow by hazards by time in state."""
    low, high = compartments[m, CELL_LOW], compartments[m, CELL_HIGH]
    for k in range(high - low):
        slot = cell_terms[low + k, 5]
        if slot >= 0:
            _plus(flows, _at(slot), hazards, _at(slots + (high - low) + k))


@numba.njit(**_FAST)
def _age_bins(
    compartments, cell_terms, series, maps, pool, peak, occupancy, hazards, z, slots, m, cycle,
    greatest,
):  # fmt: skip
    """Risks of a compartment by time in state; who stays moves up by one bin.

    Row `_TOTAL` holds the hazards that do not read the time in state. Rows of `hazards` behind
    those of the slots: what multiplies each hazard by time in state, then their flows, then
    working space. Left in z: `_P` and `_HEADS`.
    """
    first, bins = compartments[m, FIRST], compartments[m, BINS]
    onward, onward_bins = compartments[m, NEXT_FIRST], compartments[m, NEXT_BINS]
    low_term = compartments[m, CELL_LOW]
    count = compartments[m, CELL_HIGH] - low_term
    for k in range(count):
        j = low_term + k
        row = cell_terms[j, 0] + maps[cell_terms[j, 1], cycle]
        factor = series[cell_terms[j, 2], cycle]
        _set(hazards, _at(slots + k), pool, _at(row), factor)
        _clear(hazards, _at(slots + count + k))
    _clear(z, _at(_P))
    _clear(z, _at(_FLOW))
    _clear(z, _at(_HEADS))
    low, high = _bottom_bin(compartments, m, cycle), _top_bin(compartments, m, cycle)
    simple = count == 1 and onward == first and compartments[m, SHARES] == 0
    cells = 0
    if simple:
        _copy(z, _at(_RATE), hazards, _at(slots))
        cells = cell_terms[low_term, 3] + maps[cell_terms[low_term, 4], cycle]
    twice = 0
    for r in range(high, low - 1, -1):
        if r == high or (r + 1) % BINS_PER_LEVEL == 0:
            twice = _level(compartments, cell_terms, series, maps, peak, m, cycle, greatest, r)
        here = _at(first + r)
        if simple and twice <= FAR and r < bins - 2:
            if twice == 0:
                _visit(occupancy, here, pool, _at(cells + r), z)
            else:
                _visit_far(occupancy, here, pool, _at(cells + r), z)
            continue
        _visit_any(
            compartments, cell_terms, maps, pool, occupancy, hazards, z, slots, m, cycle, r, twice
        )
        _clear(occupancy, here)
        _plus(occupancy, _at(onward + min(r + 1, onward_bins - 1)), z, _at(_STAY))
    if onward == first and low < bins - 1:
        _clear(occupancy, _at(first + low))
    if simple:
        _plus(hazards, _at(slots + 1), z, _at(_FLOW))


@numba.njit(**_FAST)
def _level(compartments, cell_terms, series, maps, peak, m, cycle, greatest, r):
    """Doublings that the bins of a group of `BINS_PER_LEVEL` need at most."""
    low = r - r % BINS_PER_LEVEL
    high = min(low + BINS_PER_LEVEL, compartments[m, BINS])
    top = greatest
    for j in range(compartments[m, CELL_LOW], compartments[m, CELL_HIGH]):
        row = cell_terms[j, 0] + maps[cell_terms[j, 1], cycle]
        cells = cell_terms[j, 3] + maps[cell_terms[j, 4], cycle]
        most = 0.0
        for b in range(low, high):
            most = max(most, peak[cells + b])
        top += peak[row] * series[cell_terms[j, 2], cycle] * most
    return doublings(top)


@numba.njit(**_FAST)
def _visit_any(
    compartments, cell_terms, maps, pool, occupancy, hazards, z, slots, m, cycle, r, twice
):
    """One bin with any number of hazards by time in state; who stays is left in row `_STAY`."""
    low = compartments[m, CELL_LOW]
    count = compartments[m, CELL_HIGH] - low
    _copy(z, _at(_HAZARD), z, _at(_TOTAL))
    for k in range(count):
        row = cell_terms[low + k, 3] + maps[cell_terms[low + k, 4], cycle] + r
        own = _at(slots + 2 * count + k)
        _product(hazards, own, hazards, _at(slots + k), pool, _at(row))
        _plus(z, _at(_HAZARD), hazards, own)
    q, stay, total, here = _at(_Q), _at(_STAY), _at(_HAZARD), _at(compartments[m, FIRST] + r)
    if compartments[m, SHARES] != 0:
        for w in range(_WIDTH):
            z[q + w] = 1.0
    else:
        _phi_row(z, twice)
    _scale(z, q, occupancy, here)
    for w in range(_WIDTH):
        left = occupancy[here + w] - z[total + w] * z[q + w]
        z[stay + w] = left if left > TINY else 0.0
    _plus(z, _at(_P), z, q)
    _plus(z, _at(_HEADS), occupancy, here)
    for k in range(count):
        _add_product(hazards, _at(slots + count + k), hazards, _at(slots + 2 * count + k), z, q)


@numba.njit(**_FAST)
def _begin(compartments, start, maps, pool, occupancy, landing, sums, trace, base):
    """Everybody takes a place at time 0."""
    occupancy[:] = 0.0
    landing[:] = 0.0
    sums[:] = 0.0
    trace[:] = 0.0
    count = compartments.shape[0]
    for k in range(start.shape[0]):
        to, row = start[k, 0], start[k, 1] + maps[start[k, 2], 0]
        if to < count:
            _plus(occupancy, _at(compartments[to, FIRST]), pool, _at(row))
        else:
            _plus(trace, _at((base + to - count) * STRETCH), pool, _at(row))


@numba.njit(**_FAST)
def _sum_up(sums_of, running, maps, weights, pool, trace, sums, begin, points):
    """Add a stretch of the trace to the weighted sums."""
    for k in range(sums_of.shape[0]):
        row, first, second = sums_of[k, 0] * STRETCH, sums_of[k, 1], sums_of[k, 2]
        for half in range(0, STRETCH, 4):
            _weigh(sums, _at(2 * k), trace, _at(row + half), weights, first, second, begin + half)
    for k in range(running.shape[0]):
        for point in range(min(STRETCH, points - begin)):
            weight = weights[running[k, 1], begin + point]
            if weight != 0.0:
                row = running[k, 2] + maps[running[k, 3], begin + point]
                _add_scaled_product(
                    sums, _at(2 * sums_of.shape[0] + k), pool, _at(row), trace,
                    _at(running[k, 0] * STRETCH + point), weight,
                )  # fmt: skip


@numba.njit(cache=True, nogil=True, **_FAST)
def run_cohort(t, s, pools, peaks, kept, out):
    """Run a program for blocks of draws.

    Parameters
    ----------
    t : the program's `Tables`.
    s : its `Scratch`.
    pools : [block, row * LANES] values of every table, row 0 being ones.
    peaks : [block, row] greatest value of each row over its lanes.
    kept : [trace row, n + 1, lane] the trace of the last block, if it has any points; else empty.
    out : [block, out * LANES] quantities, 0 at first.
    """
    compartments, slots, routes, maps, series = t.compartments, t.slots, t.routes, t.maps, t.series
    occupancy, flows, landing, hazards, z = s.occupancy, s.flows, s.landing, s.hazards, s.cell
    trace, sums = s.trace, s.sums
    n, events, atoms, scheduled = t.shape[0], t.shape[1], t.shape[2], t.shape[5] != 0
    after = atoms if scheduled else 0  # rows of heads before schedules, then after them
    risk_events = after + atoms
    at_once = risk_events + events  # events of the start and of schedules
    for block in range(pools.shape[0]):
        pool, peak, result = pools[block], peaks[block], out[block]
        _begin(compartments, t.start, maps, pool, occupancy, landing, sums, trace, at_once)
        for begin in range(0, n + 1, STRETCH):
            if begin > 0:
                trace[:] = 0.0
            for point in range(min(STRETCH, n + 1 - begin)):
                j = begin + point
                if scheduled:
                    _count_heads(compartments, t.values, maps, pool, occupancy, trace, j, 0, point)
                    if j < n and t.any_fires[j] != 0:
                        _schedule(
                            compartments, slots, routes, t.schedules, t.fires, series, maps, pool,
                            occupancy, flows, landing, z, trace, j, at_once, point,
                        )  # fmt: skip
                if j < n:
                    _risks(
                        compartments, slots, t.terms, t.cell_terms, routes, series, maps, t.values,
                        pool, peak, occupancy, flows, landing, hazards, z, trace, j, after,
                        risk_events, point,
                    )  # fmt: skip
                    _land(compartments, occupancy, landing, j + 1)
                else:
                    _count_heads(
                        compartments, t.values, maps, pool, occupancy, trace, j, after, point
                    )
            for row in range(kept.shape[0]):
                for point in range(min(STRETCH, n + 1 - begin)):
                    for w in range(LANES):
                        kept[row, begin + point, w] = trace[(row * STRETCH + point) * LANES + w]
            _sum_up(t.sums, t.running, maps, t.weights, pool, trace, sums, begin, n + 1)
        for k in range(t.outputs.shape[0]):
            _add_product(
                result, _at(t.outputs[k, 2]), pool, _at(t.outputs[k, 1]), sums, _at(t.outputs[k, 0])
            )
        for k in range(t.running.shape[0]):
            _plus(result, _at(t.running[k, 4]), sums, _at(2 * t.sums.shape[0] + k))

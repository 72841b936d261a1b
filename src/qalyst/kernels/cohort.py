"""The cohort kernel: one compilation for every model that has one or two events per cycle.

Heads (and events) of each point of time go to `trace`, a buffer of `STRETCH` points; payoffs
are sums over it with weights that hold corrections, discounting and schedules.
"""

from __future__ import annotations

import numba

from qalyst.kernels.heads import (
    FLOW,
    HAZARD,
    HEADS,
    RATE,
    STAY,
    TOTAL,
    P,
    Q,
    leave,
    phi_row,
    visit,
    visit_far,
    visit_four,
    visit_four_far,
)
from qalyst.kernels.layout import (
    ATOM,
    AWAITS,
    BINS,
    CELL_HIGH,
    CELL_LOW,
    ENTERED_LAST,
    FIRST,
    HIGH_SLOT,
    HIGH_TERM,
    LOSS_HIGH,
    LOSS_LOW,
    LOW_SLOT,
    LOW_TERM,
    NEXT_BINS,
    NEXT_FIRST,
    OLDER,
    OPENS,
    ROUTE_HIGH,
    ROUTE_LOW,
    SCHEDULE_HIGH,
    SCHEDULE_LOW,
    SHARES,
    SLOT_HIGH,
    SLOT_LOW,
    STRETCH,
    TERM_HIGH,
    TERM_LOW,
    VALUE_HIGH,
    VALUE_LOW,
    YOUNGER,
)
from qalyst.kernels.phi import FAR, doublings
from qalyst.kernels.rows import (
    FAST,
    LANE,
    LANES,
    TINY,
    WIDTH,
    add,
    add_flow,
    add_flow_to_both,
    add_product,
    add_scaled_product,
    add_share_of_flow,
    at,
    clear,
    copy,
    minus,
    plus,
    product,
    put,
    put_four,
    put_two,
    scale,
    take_in,
    weigh,
)

BINS_PER_LEVEL = 8


@numba.njit(**LANE)
def _top_bin(compartments, m, cycle):
    """The last bin of a compartment that can be occupied."""
    return min(compartments[m, BINS] - 1, cycle - compartments[m, OPENS])


@numba.njit(**LANE)
def _bottom_bin(compartments, m, cycle):
    """The first bin that can be occupied: nobody enters after `ENTERED_LAST`."""
    since = cycle - compartments[m, ENTERED_LAST]
    return min(max(since, 0), compartments[m, BINS] - 1)


@numba.njit(**LANE)
def _route(
    compartments, slots, routes, maps, pool, source, f, factor, z, p, occupancy, landing, trace, m,
    slot, cycle, base, point,
):  # fmt: skip
    """Send a flow (row f of `source` times a factor times row p of z) to where it lands.

    Who goes to a compartment that is done already takes a place there at once; others wait.
    """
    count = compartments.shape[0]
    low, high = slots[slot, ROUTE_LOW], slots[slot, ROUTE_HIGH]
    if high - low == 2 and routes[low, 0] < m and routes[low + 1, 0] >= count:
        share = routes[low, 1] + maps[routes[low, 2], cycle]
        counted = routes[low + 1, 1] + maps[routes[low + 1, 2], cycle]
        if share == 0 and counted == 0:
            add_flow_to_both(
                occupancy, at(compartments[routes[low, 0], FIRST]),
                trace, at((base + routes[low + 1, 0] - count) * STRETCH + point),
                source, f, factor, z, p,
            )  # fmt: skip
            return
    for k in range(low, high):
        to = routes[k, 0]
        share = routes[k, 1] + maps[routes[k, 2], cycle]
        if to >= count:
            out = at((base + to - count) * STRETCH + point)
            _send(trace, out, pool, share, source, f, factor, z, p)
        elif to < m:
            _send(occupancy, at(compartments[to, FIRST]), pool, share, source, f, factor, z, p)
        else:
            _send(landing, at(to), pool, share, source, f, factor, z, p)


@numba.njit(**LANE)
def _send(out, o, pool, share, source, f, factor, z, p):
    """Add a share of a flow; the row of ones is all of it."""
    if share == 0:
        add_flow(out, o, source, f, factor, z, p)
    else:
        add_share_of_flow(out, o, pool, at(share), source, f, factor, z, p)


@numba.njit(**FAST)
def _land(compartments, occupancy, landing, cycle):
    """Arrivals that waited take their places, in the first bin."""
    for m in range(compartments.shape[0]):
        if compartments[m, AWAITS] != 0 and compartments[m, OPENS] <= cycle:
            take_in(occupancy, at(compartments[m, FIRST]), landing, at(m))


@numba.njit(**FAST)
def _count_values(compartments, values, maps, pool, occupancy, trace, m, cycle, base, point):
    """Add what is valued by time in state."""
    first = compartments[m, FIRST]
    for k in range(compartments[m, VALUE_LOW], compartments[m, VALUE_HIGH]):
        row = values[k, 0] + maps[values[k, 1], cycle]
        out = at((base + values[k, 2]) * STRETCH + point)
        for r in range(_bottom_bin(compartments, m, cycle), _top_bin(compartments, m, cycle) + 1):
            add_product(trace, out, pool, at(row + r), occupancy, at(first + r))


@numba.njit(**FAST)
def _count_heads(compartments, values, maps, pool, occupancy, trace, cycle, base, point):
    """Add the heads of every compartment to its atom, and what is valued by time in state."""
    for m in range(compartments.shape[0]):
        if compartments[m, OPENS] > cycle:
            continue
        atom = compartments[m, ATOM]
        if atom >= 0:
            out = at((base + atom) * STRETCH + point)
            for r in range(
                _bottom_bin(compartments, m, cycle), _top_bin(compartments, m, cycle) + 1
            ):
                plus(trace, out, occupancy, at(compartments[m, FIRST] + r))
        _count_values(compartments, values, maps, pool, occupancy, trace, m, cycle, base, point)


@numba.njit(**FAST)
def _schedule(
    compartments, slots, routes, schedules, fires, series, maps, pool, occupancy, flows, landing,
    z, trace, cycle, base, point,
):  # fmt: skip
    """Scheduled moves, all from the same heads; an arrival waits for the next cycle's."""
    count = compartments.shape[0]
    moved, share = at(0), at(1)
    for m in range(count):
        if fires[m, cycle] == 0 or compartments[m, OPENS] > cycle:
            continue
        low, high = compartments[m, SCHEDULE_LOW], compartments[m, SCHEDULE_HIGH]
        for k in range(low, high):
            clear(flows, at(schedules[k, 5]))
        for r in range(_bottom_bin(compartments, m, cycle), _top_bin(compartments, m, cycle) + 1):
            heads = at(compartments[m, FIRST] + r)
            clear(z, moved)
            for k in range(low, high):
                factor = series[schedules[k, 2], cycle]
                if factor == 0.0:
                    continue
                row = schedules[k, 0] + maps[schedules[k, 1], cycle]
                put(z, share, pool, at(row), factor)
                scale(z, share, occupancy, heads)
                if schedules[k, 3] >= 0:
                    cells = schedules[k, 3] + maps[schedules[k, 4], cycle] + r
                    scale(z, share, pool, at(cells))
                plus(z, moved, z, share)
                plus(flows, at(schedules[k, 5]), z, share)
            minus(occupancy, heads, z, moved)
        for k in range(low, high):
            slot = schedules[k, 5]
            if k == low or slot != schedules[k - 1, 5]:
                _route(
                    compartments, slots, routes, maps, pool, flows, at(slot), 1.0, pool, at(0),
                    occupancy, landing, trace, m, slot, cycle, base, point,
                )  # fmt: skip
    _land(compartments, occupancy, landing, cycle)


@numba.njit(**LANE)
def _term(terms, series, maps, k, high, cycle):
    """Row and factor of a term; 0 times the row of ones behind the last."""
    if k >= high:
        return at(0), 0.0
    return at(terms[k, 0] + maps[terms[k, 1], cycle]), series[terms[k, 2], cycle]


@numba.njit(**LANE)
def _sum_terms(terms, series, maps, pool, low, high, cycle, out, o):
    """Row o = the sum of hazards."""
    i, a = _term(terms, series, maps, low, high, cycle)
    j, b = _term(terms, series, maps, low + 1, high, cycle)
    if high - low <= 2:
        put_two(out, o, pool, i, a, j, b)
        return
    k, c = _term(terms, series, maps, low + 2, high, cycle)
    m, d = _term(terms, series, maps, low + 3, high, cycle)
    put_four(out, o, pool, i, a, j, b, k, c, m, d)
    for more in range(low + 4, high):
        i, a = _term(terms, series, maps, more, high, cycle)
        add(out, o, pool, i, a)


@numba.njit(**LANE)
def _greatest(terms, series, maps, peak, low, high, cycle):
    """The greatest value that a sum of hazards can have."""
    greatest = 0.0
    for k in range(low, high):
        row = terms[k, 0] + maps[terms[k, 1], cycle]
        greatest += peak[row] * series[terms[k, 2], cycle]
    return greatest


@numba.njit(**FAST)
def _risks(
    compartments, slots, terms, cell_terms, routes, series, maps, values, pool, peak, occupancy,
    flows, landing, hazards, z, trace, cycle, atoms, base, point,
):  # fmt: skip
    """Competing risks of a cycle in every compartment."""
    unread = trace.size // LANES - 1  # the row of those whose heads nobody counts
    for m in range(compartments.shape[0]):
        if compartments[m, OPENS] > cycle:
            continue
        first, atom = compartments[m, FIRST], compartments[m, ATOM]
        slot_low, slot_high = compartments[m, SLOT_LOW], compartments[m, SLOT_HIGH]
        low, high = compartments[m, LOSS_LOW], compartments[m, LOSS_HIGH]
        if slot_low < slot_high:  # terms of the losses and of the slots stand in a row
            high = slots[slot_high - 1, TERM_HIGH]
        greatest = _greatest(terms, series, maps, peak, low, high, cycle)
        _sum_terms(terms, series, maps, pool, low, high, cycle, z, at(TOTAL))
        _count_values(compartments, values, maps, pool, occupancy, trace, m, cycle, atoms, point)
        out = at((atoms + atom) * STRETCH + point if atom >= 0 else unread)
        if compartments[m, BINS] == 1 and compartments[m, NEXT_FIRST] == first:
            leave(
                occupancy, at(first), z, doublings(greatest), compartments[m, SHARES] != 0,
                trace, out,
            )  # fmt: skip
            for slot in range(slot_low, slot_high):
                low, high = slots[slot, TERM_LOW], slots[slot, TERM_HIGH]
                if high - low == 1:
                    row, factor = _term(terms, series, maps, low, high, cycle)
                    _route(
                        compartments, slots, routes, maps, pool, pool, row, factor, z, at(P),
                        occupancy, landing, trace, m, slot, cycle, base, point,
                    )  # fmt: skip
                else:
                    _sum_terms(terms, series, maps, pool, low, high, cycle, hazards, at(slot))
                    _route(
                        compartments, slots, routes, maps, pool, hazards, at(slot), 1.0, z,
                        at(P), occupancy, landing, trace, m, slot, cycle, base, point,
                    )  # fmt: skip
        else:
            _age_bins(
                compartments, cell_terms, series, maps, pool, peak, occupancy, hazards, z,
                slots.shape[0], m, cycle, greatest,
            )  # fmt: skip
            plus(trace, out, z, at(HEADS))
            for slot in range(slot_low, slot_high):
                _sum_terms(
                    terms, series, maps, pool, slots[slot, TERM_LOW], slots[slot, TERM_HIGH],
                    cycle, flows, at(slot),
                )  # fmt: skip
                scale(flows, at(slot), z, at(P))
            _add_flows_by_time(compartments, cell_terms, flows, hazards, slots.shape[0], m)
            for slot in range(slot_low, slot_high):
                _route(
                    compartments, slots, routes, maps, pool, flows, at(slot), 1.0, pool, at(0),
                    occupancy, landing, trace, m, slot, cycle, base, point,
                )  # fmt: skip


@numba.njit(**FAST)
def _second_risks(
    compartments, arrivals, slots, terms, routes, series, maps, pool, peak, occupancy, landing,
    hazards, z, trace, cycle, base, point,
):  # fmt: skip
    """Arrivals of a cycle, counted in the trace, are at risk for half a cycle more.

    Every compartment is done, so all take their places at once. Of those who stay, one half begins
    at 0 in the clocks that the move started, the other at one cycle.
    """
    count = compartments.shape[0]
    unread = at(trace.size // LANES - 1)
    for a in range(arrivals.shape[0]):
        arrived = at((base + a) * STRETCH + point)
        low, high = arrivals[a, LOW_TERM], arrivals[a, HIGH_TERM]
        if low < high:
            twice = doublings(_greatest(terms, series, maps, peak, low, high, cycle))
            _sum_terms(terms, series, maps, pool, low, high, cycle, z, at(TOTAL))
            leave(trace, arrived, z, twice, False, trace, unread)
        for slot in range(arrivals[a, LOW_SLOT], arrivals[a, HIGH_SLOT]):
            low, high = slots[slot, TERM_LOW], slots[slot, TERM_HIGH]
            _sum_terms(terms, series, maps, pool, low, high, cycle, hazards, at(slot))
            _route(
                compartments, slots, routes, maps, pool, hazards, at(slot), 1.0, z, at(P),
                occupancy, landing, trace, count, slot, cycle, base, point,
            )  # fmt: skip
        add(occupancy, at(arrivals[a, YOUNGER]), trace, arrived, 0.5)
        add(occupancy, at(arrivals[a, OLDER]), trace, arrived, 0.5)


@numba.njit(**FAST)
def _add_flows_by_time(compartments, cell_terms, flows, hazards, slots, m):
    """Add to each slot what `_age_bins` found to flow by hazards by time in state."""
    low, high = compartments[m, CELL_LOW], compartments[m, CELL_HIGH]
    for k in range(high - low):
        slot = cell_terms[low + k, 5]
        if slot >= 0:
            plus(flows, at(slot), hazards, at(slots + (high - low) + k))


@numba.njit(**FAST)
def _age_bins(
    compartments, cell_terms, series, maps, pool, peak, occupancy, hazards, z, slots, m, cycle,
    greatest,
):  # fmt: skip
    """Risks of a compartment by time in state; who stays moves up by one bin.

    Row `TOTAL` holds the hazards that do not read the time in state. Rows of `hazards` behind
    those of the slots: what multiplies each hazard by time in state, then their flows, then
    working space. Left in z: `P` and `HEADS`.
    """
    first, bins = compartments[m, FIRST], compartments[m, BINS]
    onward, onward_bins = compartments[m, NEXT_FIRST], compartments[m, NEXT_BINS]
    low_term = compartments[m, CELL_LOW]
    count = compartments[m, CELL_HIGH] - low_term
    for k in range(count):
        j = low_term + k
        row = cell_terms[j, 0] + maps[cell_terms[j, 1], cycle]
        factor = series[cell_terms[j, 2], cycle]
        put(hazards, at(slots + k), pool, at(row), factor)
        clear(hazards, at(slots + count + k))
    clear(z, at(P))
    clear(z, at(FLOW))
    clear(z, at(HEADS))
    low, high = _bottom_bin(compartments, m, cycle), _top_bin(compartments, m, cycle)
    simple = count == 1 and onward == first and compartments[m, SHARES] == 0
    cells = 0
    if simple:
        copy(z, at(RATE), hazards, at(slots))
        cells = cell_terms[low_term, 3] + maps[cell_terms[low_term, 4], cycle]
    twice = 0
    done = high + 1  # the lowest bin that is done
    for r in range(high, low - 1, -1):
        if r >= done:
            continue
        if r == high or (r + 1) % BINS_PER_LEVEL == 0:
            twice = _level(compartments, cell_terms, series, maps, peak, m, cycle, greatest, r)
        here = at(first + r)
        done = r
        if simple and twice <= FAR and r < bins - 2:
            if r - 3 >= low and r % BINS_PER_LEVEL >= 3:
                done = r - 3
                lowest = at(first + done)
                if twice == 0:
                    visit_four(occupancy, lowest, pool, at(cells + done), z)
                else:
                    visit_four_far(occupancy, lowest, pool, at(cells + done), z)
            elif twice == 0:
                visit(occupancy, here, pool, at(cells + r), z)
            else:
                visit_far(occupancy, here, pool, at(cells + r), z)
            continue
        _visit_any(
            compartments, cell_terms, maps, pool, occupancy, hazards, z, slots, m, cycle, r, twice
        )
        clear(occupancy, here)
        plus(occupancy, at(onward + min(r + 1, onward_bins - 1)), z, at(STAY))
    if onward == first and low < bins - 1:
        clear(occupancy, at(first + low))
    if simple:
        plus(hazards, at(slots + 1), z, at(FLOW))


@numba.njit(**FAST)
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


@numba.njit(**FAST)
def _visit_any(
    compartments, cell_terms, maps, pool, occupancy, hazards, z, slots, m, cycle, r, twice
):
    """One bin with any number of hazards by time in state; who stays is left in row `STAY`."""
    low = compartments[m, CELL_LOW]
    count = compartments[m, CELL_HIGH] - low
    copy(z, at(HAZARD), z, at(TOTAL))
    for k in range(count):
        row = cell_terms[low + k, 3] + maps[cell_terms[low + k, 4], cycle] + r
        own = at(slots + 2 * count + k)
        product(hazards, own, hazards, at(slots + k), pool, at(row))
        plus(z, at(HAZARD), hazards, own)
    q, stay, total, here = at(Q), at(STAY), at(HAZARD), at(compartments[m, FIRST] + r)
    if compartments[m, SHARES] != 0:
        for w in range(WIDTH):
            z[q + w] = 1.0
    else:
        phi_row(z, twice)
    scale(z, q, occupancy, here)
    for w in range(WIDTH):
        left = occupancy[here + w] - z[total + w] * z[q + w]
        z[stay + w] = left if left > TINY else 0.0
    plus(z, at(P), z, q)
    plus(z, at(HEADS), occupancy, here)
    for k in range(count):
        add_product(hazards, at(slots + count + k), hazards, at(slots + 2 * count + k), z, q)


@numba.njit(**FAST)
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
            plus(occupancy, at(compartments[to, FIRST]), pool, at(row))
        else:
            plus(trace, at((base + to - count) * STRETCH), pool, at(row))


@numba.njit(**FAST)
def _sum_up(sums_of, running, maps, weights, pool, trace, sums, begin, points):
    """Add a stretch of the trace to the weighted sums."""
    for k in range(sums_of.shape[0]):
        row, first, second = sums_of[k, 0] * STRETCH, sums_of[k, 1], sums_of[k, 2]
        weigh(sums, at(2 * k), trace, at(row), weights, first, second, begin)
    for k in range(running.shape[0]):
        for point in range(min(STRETCH, points - begin)):
            weight = weights[running[k, 1], begin + point]
            if weight != 0.0:
                row = running[k, 2] + maps[running[k, 3], begin + point]
                add_scaled_product(
                    sums, at(2 * sums_of.shape[0] + k), pool, at(row), trace,
                    at(running[k, 0] * STRETCH + point), weight,
                )  # fmt: skip


@numba.njit(cache=True, nogil=True, **FAST)
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
    risk_events = after + atoms  # arrivals of each place, then events
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
                    if t.arrivals.shape[0] > 0:
                        _second_risks(
                            compartments, t.arrivals, slots, t.terms, routes, series, maps, pool,
                            peak, occupancy, landing, hazards, z, trace, j, risk_events, point,
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
            add_product(
                result, at(t.outputs[k, 2]), pool, at(t.outputs[k, 1]), sums, at(t.outputs[k, 0])
            )
        for k in range(t.running.shape[0]):
            plus(result, at(t.running[k, 4]), sums, at(2 * t.sums.shape[0] + k))

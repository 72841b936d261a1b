"""The form in which programs come to the kernels: index tables, and working rows."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from qalyst.axes import Float, Int
from qalyst.kernels.rows import LANES

STRETCH = 8  # points of time that `Scratch.trace` holds

# columns of `Tables.compartments`
FIRST, BINS, NEXT_FIRST, NEXT_BINS, ATOM, SHARES, OPENS, ENTERED_LAST = range(8)
LOSS_LOW, LOSS_HIGH, SLOT_LOW, SLOT_HIGH, CELL_LOW, CELL_HIGH = range(8, 14)
SCHEDULE_LOW, SCHEDULE_HIGH, VALUE_LOW, VALUE_HIGH, AWAITS = range(14, 19)
COMPARTMENT_COLUMNS = 19
# columns of `Tables.arrivals`
YOUNGER, OLDER, LOW_TERM, HIGH_TERM, LOW_SLOT, HIGH_SLOT = range(6)
ARRIVAL_COLUMNS = 6
# columns of `Tables.slots`
TERM_LOW, TERM_HIGH, ROUTE_LOW, ROUTE_HIGH = range(4)


class Tables(NamedTuple):
    """The lowered form of a program as index tables.

    A *row* is a row of the pool of lanes; a *map* gives for each cycle the offset to add to it; a
    *series* holds what no draw changes.

    Attributes
    ----------
    compartments : [compartment, column], see the names above. `AWAITS`: somebody may come from a
        compartment that is not done later in the cycle; such arrivals wait in a row of `landing`.
    arrivals : [arrival, column], with two events per cycle: those who came by risk to one place.
        `YOUNGER`, `OLDER`: the cells of the two halves of those who stay.
    slots : [slot, column]; a slot is what flows along one route out of one compartment.
    terms : [term, (row, map, series)], hazards of a slot (or of the losses) that are added up.
    cell_terms : [term, (row, map, series, cell row, cell map, slot)], hazards by time in state.
    schedules : [move, (row, map, series, cell row or -1, cell map, slot)].
    routes : [route, (destination, row, map)]; destinations from the number of compartments
        upwards are arrivals, and then events: both are counted in the trace.
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
    arrivals: Int
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

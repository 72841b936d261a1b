"""The form in which programs come to the patient kernel.

*Numbers* are one flat array for each draw; columns hold offsets into it. A value by calendar is a
pair (offset, stride): stride 0 for what stays the same. A value by time in state has a map
besides, from the cycle to the offset of its bins.
"""

from __future__ import annotations

from typing import NamedTuple

from qalyst.axes import Float, Int

# columns of `PatientTables.compartments`
ROW_LOW, ROW_HIGH, SCHEDULE_LOW, SCHEDULE_HIGH, TERM_LOW, TERM_HIGH, AGED, FIRES, PLACE = range(9)
# columns of `PatientTables.rows`, `.schedules` and `.branches`
KIND, CAUSE, EVENT, TO, FACTOR, STRIDE, TABLE, MAP, BINS = range(9)
# kinds of a row
CONSTANT, BY_CALENDAR, BY_RESIDENCE, BY_BOTH = range(4)
# columns of `PatientTables.nodes`
BRANCH_LOW, BRANCH_HIGH, NODE_CAUSE = range(3)
# columns of `PatientTables.terms`
SLOT, MODE, WHOLE, BEFORE, FORCE, CELLS, CELL_MAP, CELL_BINS = range(8)
# modes of a term
POINTS, POINTS_BY_RESIDENCE, HEADS_BY_RESIDENCE, INTEGRAL, INTEGRAL_BY_RESIDENCE = range(5)
# columns of `PatientTables.events`
RISK_LOW, RISK_HIGH, ONCE_LOW, ONCE_HIGH = range(4)
# columns of `PatientTables.passes`
PASS_SLOT, PASS_WEIGHT, PASS_FORCE = range(3)


class PatientTables(NamedTuple):
    """The lowered form of all programs of a model as index tables.

    Attributes
    ----------
    compartments : [compartment, column]. `AGED`: where who stays is one cycle later (itself, if no
        clock ticks); `FIRES`: row of `next_fire`, or -1; `PLACE`: row of the trace.
    rows : [row, column] causes. `CAUSE`: index into `purposes`; `EVENT` -1: nothing is counted;
        `TO`: a compartment, or -1 - node.
    schedules : [row, column] shares that move at once; `KIND` is not used.
    nodes : [node, column] chance nodes.
    branches : [branch, column] shares; the last of a node takes the rest.
    terms : [term, column] what time in a compartment adds to slots. `WHOLE` and `BEFORE` are
        offsets of vectors over points of time, see `kernels.payoffs`.
    events : [event, column] passes of an event by risk, and at once.
    passes : [pass, (slot, offset of weights by cycle, offset of forces of discount or -1)].
    begin : [program] where everybody begins: a compartment, or -1 - node.
    next_fire : [schedule, n + 1] the next cycle, from each on, in which it may fire; n if none.
    maps : [map, n + 1].
    purposes : [cause] the address of its luck.
    shape : (cycles, slots, causes, any number of events in a cycle, exact moments,
        profile's purpose).
    cycle : [1] years.
    """

    compartments: Int
    rows: Int
    schedules: Int
    nodes: Int
    branches: Int
    terms: Int
    events: Int
    passes: Int
    begin: Int
    next_fire: Int
    maps: Int
    purposes: Int
    shape: Int
    cycle: Float

"""Index tables of all programs of a model for the patient kernel."""

from __future__ import annotations

import hashlib
from collections import Counter
from dataclasses import dataclass, field

import numpy as np

from qalyst.axes import CYCLE, RESIDENCE, Float, Int
from qalyst.errors import ModelError
from qalyst.kernels import patient_layout as layout
from qalyst.kernels.patient_layout import PatientTables
from qalyst.model.numbers import Numbers
from qalyst.model.places import Place
from qalyst.model.program import Branch, Compartment, Event, Flow, Node, Program, Step
from qalyst.model.residual import Residual, Residuals, factors
from qalyst.model.resolved import ResolvedModel, Transition
from qalyst.model.slots import SlotMaker, Worth
from qalyst.model.weights import Weights

CERTAIN = 800.0  # the hazard of a cycle that everybody leaves: exp(-800) is 0
PROFILE = "profile"


@dataclass(frozen=True)
class PatientModel:
    """All programs of a model for the patient kernel.

    Attributes
    ----------
    tables : the index tables.
    numbers : gives the numbers of a draw.
    worth : [program] how its slots count.
    places : [place] state and line of each row of the trace.
    causes : [cause] names, in the order of the tables' `purposes`.
    """

    tables: PatientTables
    numbers: Numbers
    worth: tuple[tuple[Worth, ...], ...]
    places: tuple[tuple[str, int], ...]
    causes: tuple[str, ...]


@dataclass
class PatientBuilder:
    """Makes the tables of programs, one after another.

    Parameters
    ----------
    model, make, weights : what the programs share.
    numbers : takes in what their rows refer to.
    """

    model: ResolvedModel
    make: Residuals
    weights: Weights
    numbers: Numbers
    compartments: list[list[int]] = field(default_factory=list)
    rows: list[list[int]] = field(default_factory=list)
    schedules: list[list[int]] = field(default_factory=list)
    nodes: list[list[int]] = field(default_factory=list)
    branches: list[list[int]] = field(default_factory=list)
    terms: list[list[int]] = field(default_factory=list)
    events: list[list[int]] = field(default_factory=list)
    passes: list[list[int]] = field(default_factory=list)
    begin: list[int] = field(default_factory=list)
    worth: list[tuple[Worth, ...]] = field(default_factory=list)
    _fires: dict[bytes, int] = field(default_factory=dict)
    _next_fire: list[Int] = field(default_factory=list)
    _causes: dict[str, int] = field(default_factory=dict)
    _places: dict[tuple[str, int], int] = field(default_factory=dict)
    _slots: int = 0

    def add(self, program: Program) -> None:
        """Take a program in."""
        made = _ProgramRows(self, program)
        self.worth.append(tuple(made.slots.worth))
        self._slots = max(self._slots, made.slots.count)

    def build(self) -> PatientModel:
        """The programs with their tables, once all are in."""
        timing = self.model.timing
        exact = timing.correction == "exact"
        any_number = timing.events_per_cycle != "one"
        profile = self.cause(PROFILE)
        purposes = _purposes(list(self._causes), self.model)
        shape = (timing.cycles, self._slots, len(purposes), any_number, exact, purposes[profile])

        def rows(listed: list[list[int]], columns: int) -> Int:
            return np.array(listed, np.int64).reshape(-1, columns)

        tables = PatientTables(
            compartments=rows(self.compartments, 9),
            rows=rows(self.rows, 9),
            schedules=rows(self.schedules, 9),
            nodes=rows(self.nodes, 3),
            branches=rows(self.branches, 9),
            terms=rows(self.terms, 8),
            events=rows(self.events, 4),
            passes=rows(self.passes, 3),
            begin=np.array(self.begin, np.int64),
            next_fire=np.array(self._next_fire, np.int64).reshape(-1, timing.cycles + 1),
            maps=self.numbers.map_table(),
            purposes=purposes,
            shape=np.array(shape, np.int64),
            cycle=np.array([timing.cycle]),
        )
        return PatientModel(
            tables, self.numbers, tuple(self.worth), tuple(self._places), tuple(self._causes)
        )

    def cause(self, name: str) -> int:
        """Index of what has luck of its own."""
        return self._causes.setdefault(name, len(self._causes))

    def place(self, place: Place) -> int:
        """Row of the trace."""
        return self._places.setdefault((place.state, place.line), len(self._places))

    def fires(self, may: Float) -> int:
        """Row of `next_fire` for what may fire in some cycles, [n + 1]."""
        n = len(may) - 1
        following = np.full(n + 1, n, np.int64)
        for cycle in range(n - 1, -1, -1):
            following[cycle] = cycle if may[cycle] else following[cycle + 1]
        key = following.tobytes()
        if key not in self._fires:
            self._fires[key] = len(self._next_fire)
            self._next_fire.append(following)
        return self._fires[key]


def _purposes(names: list[str], model: ResolvedModel) -> Int:
    """[cause] 31 bits of each name's hash."""
    found = [
        int.from_bytes(hashlib.blake2b(name.encode(), digest_size=4).digest(), "little") >> 1
        for name in names
    ]
    for purpose, times in Counter(found).items():
        if times > 1:
            same = [name for name, other in zip(names, found, strict=True) if other == purpose]
            raise ModelError(
                f"the names {' and '.join(map(repr, same))} share the address of their luck",
                where=model.file,
                mend="rename one of them",
            )
    return np.array(found, np.int64)


def cause_name(model: ResolvedModel, row: Transition) -> str:
    """A row's name; with its target if it has several from one state."""
    ways = {
        (other.target, other.step)
        for other in model.rows_from(row.source)
        if other.name == row.name
    }
    if len(ways) == 1:
        return row.name
    step = "" if row.step == "same" else f"{row.step} "
    return f"{row.name} to {step}{row.target}"


class _ProgramRows:
    """The rows of one program."""

    def __init__(self, builder: PatientBuilder, program: Program) -> None:
        self.builder, self.program = builder, program
        self.model, self.make, self.numbers = builder.model, builder.make, builder.numbers
        first = len(builder.compartments)
        self.number = {place: first + i for i, place in enumerate(program.compartments)}
        self.slots = SlotMaker(self.model, self.make, self.numbers, builder.weights)
        self._nodes: dict[Node, int] = {}
        self._events: dict[Event, int] = {}
        for compartment in program.compartments.values():
            self._add(compartment)
        builder.begin.append(self._to(program.begin))

    def _add(self, compartment: Compartment) -> None:
        builder = self.builder
        row = [0] * 9
        row[layout.ROW_LOW] = len(builder.rows)
        for flow, hazard in self._hazards(compartment):
            builder.rows.append(self._risk(compartment, flow, hazard))
        row[layout.ROW_HIGH] = len(builder.rows)
        row[layout.SCHEDULE_LOW] = len(builder.schedules)
        for flow in compartment.schedules:
            builder.schedules.append(self._row(compartment, flow, flow.value, 1.0))
        row[layout.SCHEDULE_HIGH] = len(builder.schedules)
        row[layout.TERM_LOW] = len(builder.terms)
        builder.terms += self.slots.of_stay(compartment)
        row[layout.TERM_HIGH] = len(builder.terms)
        row[layout.AGED] = self.number.get(compartment.aged, self.number[compartment.place])
        row[layout.FIRES] = self._fires(compartment)
        row[layout.PLACE] = builder.place(compartment.place)
        builder.compartments.append(row)
        self._check_causes(compartment)

    def _check_causes(self, compartment: Compartment) -> None:
        """Two rows out of a place may not share a clock."""
        for flows in (compartment.risks, compartment.schedules):
            names = [cause_name(self.model, flow.row) for flow in flows]
            for flow, name in zip(flows, names, strict=True):
                if names.count(name) > 1:
                    raise ModelError(
                        f"two rows out of '{flow.row.source}' share the name '{flow.row.name}' "
                        f"and the target '{flow.row.target}'",
                        where=flow.row.where,
                        mend="give each a name of its own: the name is the address of its luck",
                    )

    # -- risks

    def _hazards(self, compartment: Compartment) -> list[tuple[Flow, Residual]]:
        """Each risk with its hazard: 1/year of a rate, per cycle of a probability."""
        risks = compartment.risks
        if not compartment.by_probability:
            return [(flow, flow.value) for flow in risks]
        make = self.make
        total = make.zero
        for flow in risks:
            total = make.plus(total, flow.value)
        leaving = make.apply("min", total, make.one)
        whole = make.apply("min", make.apply("rate_of", leaving, make.one), make.constant(CERTAIN))
        found = []
        for flow in risks:
            hazard = whole
            if len(risks) > 1:
                share = make.over(make.times(whole, flow.value), total)
                hazard = make.where(make.apply(">", total, make.zero), share, make.zero)
            found.append((flow, hazard))
        return found

    def _risk(self, compartment: Compartment, flow: Flow, hazard: Residual) -> list[int]:
        per_cycle = self.model.timing.cycle if flow.row.kind == "rate" else 1.0
        row = self._row(compartment, flow, hazard, per_cycle)
        parts = factors(self.make, hazard)
        by_calendar = CYCLE in hazard.axes
        numbers = self.numbers
        if RESIDENCE not in hazard.axes and not by_calendar:
            row[layout.KIND] = layout.CONSTANT
        elif RESIDENCE not in hazard.axes:
            row[layout.KIND] = layout.BY_CALENDAR
            apart = CYCLE not in parts.lanes.axes  # one table for all draws
            running = parts.series if apart else hazard
            factor = parts.lanes if apart else self.make.one
            row[layout.FACTOR] = numbers.calendar(factor)[0]
            row[layout.TABLE] = numbers.cumulated_by_calendar(running, per_cycle)
        elif not by_calendar:
            row[layout.KIND] = layout.BY_RESIDENCE
            factor = self.make.times(parts.series, parts.lanes)
            row[layout.FACTOR] = numbers.calendar(factor, per_cycle)[0]
            row[layout.TABLE] = numbers.cumulated_by_residence(parts.cells, compartment.bins)
        else:
            row[layout.KIND] = layout.BY_BOTH
        return row

    def _row(
        self, compartment: Compartment, flow: Flow, value: Residual, factor: float
    ) -> list[int]:
        """A row, with its value in any cycle and bin."""
        parts = factors(self.make, value)
        row = self._step(flow.step)
        row[layout.CAUSE] = self.builder.cause(cause_name(self.model, flow.row))
        by_time = self.make.times(parts.series, parts.lanes)
        row[layout.FACTOR], row[layout.STRIDE] = self.numbers.calendar(by_time, factor)
        row[layout.TABLE], row[layout.MAP], row[layout.BINS] = self.numbers.cells(
            parts.cells, compartment.bins
        )
        return row

    def _fires(self, compartment: Compartment) -> int:
        if not compartment.schedules:
            return -1
        may = np.zeros(self.model.timing.cycles + 1)
        for flow in compartment.schedules:
            series = factors(self.make, flow.value).series
            may += np.asarray(self.numbers.static(series)[:, 0, 0], float) != 0
        return self.builder.fires(may)

    # -- moves

    def _step(self, step: Step) -> list[int]:
        row = [0] * 9
        row[layout.EVENT] = self._event(step.event)
        row[layout.TO] = self._to(step.to)
        return row

    def _to(self, to: Place | Node) -> int:
        return self.number[to] if isinstance(to, Place) else -1 - self._node(to)

    def _node(self, node: Node) -> int:
        """Index of a chance node; its branches stand together, those of nodes beyond it first."""
        if node not in self._nodes:
            branches = self.program.nodes[node]
            made = [self._branch(branch) for branch in branches]
            row = [0] * 3
            row[layout.BRANCH_LOW] = len(self.builder.branches)
            self.builder.branches += made
            row[layout.BRANCH_HIGH] = len(self.builder.branches)
            row[layout.NODE_CAUSE] = self.builder.cause(f"at {node.place.state}")
            self._nodes[node] = len(self.builder.nodes)
            self.builder.nodes.append(row)
        return self._nodes[node]

    def _branch(self, branch: Branch) -> list[int]:
        row = self._step(branch.step)
        row[layout.FACTOR], row[layout.STRIDE] = self.numbers.calendar(branch.share)
        return row

    def _event(self, event: Event) -> int:
        if not event:
            return -1
        if event not in self._events:
            row = [0] * 4
            by_risk, at_once = self.slots.of_event(event)
            row[layout.RISK_LOW] = len(self.builder.passes)
            self.builder.passes += by_risk
            row[layout.RISK_HIGH] = row[layout.ONCE_LOW] = len(self.builder.passes)
            self.builder.passes += at_once
            row[layout.ONCE_HIGH] = len(self.builder.passes)
            self._events[event] = len(self.builder.events)
            self.builder.events.append(row)
        return self._events[event]

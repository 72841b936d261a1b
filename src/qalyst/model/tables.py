"""Index tables of a program for the cohort kernel."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from qalyst.axes import CYCLE, RESIDENCE, Float, Int
from qalyst.kernels import layout
from qalyst.kernels.layout import Tables
from qalyst.model.merging import event_key
from qalyst.model.places import Place
from qalyst.model.pool import ONES, Pool
from qalyst.model.program import Cell, Compartment, Counted, Event, Flow, Program, Route
from qalyst.model.residual import Factors, Residual, Residuals, factors
from qalyst.model.resolved import ResolvedModel
from qalyst.model.weights import Weights

HALF = 0.5  # of a cycle is left on average to those who arrive within it


@dataclass(frozen=True)
class Lowered:
    """A program with its tables.

    Attributes
    ----------
    cells : the cells of quantities.
    rates : outs of a cell, one for each of the discount rates; see `Weights`.
    places : [atom] state and line of each atom of the trace, if atoms are kept by state.
    """

    program: Program
    tables: Tables
    cells: tuple[Cell, ...]
    places: tuple[tuple[str, int], ...]
    rates: int


@dataclass
class Builder:
    """Makes tables of programs over one pool.

    Parameters
    ----------
    model, make, pool, weights : what the programs share.
    by_state : keep an atom for each state and line, so that the trace is one of states.
    """

    model: ResolvedModel
    make: Residuals
    pool: Pool
    weights: Weights
    by_state: bool = False
    _raw: list[tuple[Program, _Raw]] = field(default_factory=list)

    def add(self, program: Program) -> None:
        """Take a program in; its tables refer to rows of the pool from now on."""
        self._raw.append((program, _Raw(self, program)))

    def build(self) -> list[Lowered]:
        """The programs with their tables, once all are in."""
        series, maps = self.pool.series_table(), self.pool.map_table()
        weights = self.pool.weight_table(layout.STRETCH)
        return [
            Lowered(
                program,
                raw.tables(series, maps, weights),
                tuple(raw.cells),
                tuple(raw.places),
                self.weights.count,
            )
            for program, raw in self._raw
        ]


class _Raw:
    """The rows of one program's tables, before the pool is complete."""

    def __init__(self, builder: Builder, program: Program) -> None:
        self.model, self.make, self.pool = builder.model, builder.make, builder.pool
        self.weights, self.by_state = builder.weights, builder.by_state
        self.n = self.model.timing.cycles
        self.order = _in_ticking_order(program.compartments)
        self.again = [c for c in program.compartments.values() if c.place.at_risk_again]
        self.number = {item.place: i for i, item in enumerate([*self.order, *self.again])}
        self.first_event = len(self.number)
        self.scheduled = any(compartment.schedules for compartment in self.order)
        self.cells: list[Cell] = []
        self.places: list[tuple[str, int]] = []
        self._cell_numbers: dict[Any, int] = {}
        self._events: dict[Any, tuple[int, Event]] = {}
        self._atoms: dict[Any, int] = {}
        self._counted_of: dict[Any, Event] = {}
        self._value_rows: dict[Any, int] = {}
        self.slots: list[list[int]] = []
        self.terms: list[list[int]] = []
        self.cell_terms: list[list[int]] = []
        self.schedules: list[list[int]] = []
        self.routes: list[list[int]] = []
        self.values: list[list[int]] = []
        self.compartments: list[list[int]] = []
        self._by_risk: set[int] = set()
        self._at_once: set[int] = set()
        self._awaited: set[int] = set()
        self.fires = np.zeros((len(self.order), self.n + 1), np.int64)
        self.start = [self._destination(*item) for item in self._destinations(program.start)]
        self._at_once |= self._counted_on(self.start)
        opens, last = _windows(program, self.order, self.number, self.n)
        first = np.concatenate([[0], np.cumsum([c.bins for c in self.order])]).astype(int)
        for index, compartment in enumerate(self.order):
            self._add(index, compartment, first, int(opens[index]), int(last[index]))
        self.arrivals = [self._arrival(item, first) for item in self.again]
        for index, row in enumerate(self.compartments):
            row[layout.AWAITS] = int(index in self._awaited)
        self._sum_up()

    # -- compartments

    def _add(self, index: int, compartment: Compartment, first: Int, opens: int, last: int) -> None:
        onward = self.number.get(compartment.aged, index)
        atom = self._atom(compartment)
        losses, slots = self._slots(compartment.risks)
        row = [0] * layout.COMPARTMENT_COLUMNS
        row[layout.FIRST], row[layout.BINS] = int(first[index]), compartment.bins
        row[layout.NEXT_FIRST] = int(first[onward])
        row[layout.NEXT_BINS] = self.order[onward].bins
        row[layout.ATOM], row[layout.SHARES] = atom, int(compartment.by_probability)
        row[layout.OPENS], row[layout.ENTERED_LAST] = opens, last
        row[layout.LOSS_LOW] = len(self.terms)
        by_time: list[tuple[Flow, int]] = []
        for flow in losses:
            self._term(flow, -1, by_time)
        row[layout.LOSS_HIGH] = len(self.terms)
        row[layout.SLOT_LOW] = len(self.slots)
        for route, flows in slots:
            low = len(self.terms)
            for flow in flows:
                self._term(flow, len(self.slots), by_time)
            self._slot(index, low, route, self._by_risk)
        row[layout.SLOT_HIGH] = len(self.slots)
        row[layout.CELL_LOW] = len(self.cell_terms)
        for flow, slot in by_time:
            self._cell_term(flow, slot, compartment.bins)
        row[layout.CELL_HIGH] = len(self.cell_terms)
        row[layout.SCHEDULE_LOW] = len(self.schedules)
        self._add_schedules(index, compartment)
        row[layout.SCHEDULE_HIGH] = len(self.schedules)
        row[layout.VALUE_LOW] = len(self.values)
        self._add_values(compartment)
        row[layout.VALUE_HIGH] = len(self.values)
        self.compartments.append(row)

    def _slots(self, flows: tuple[Flow, ...]) -> tuple[list[Flow], list[tuple[Route, list[Flow]]]]:
        """Flows that lead nowhere anybody counts, and the others by route."""
        losses: list[Flow] = []
        by_route: dict[Any, tuple[Route, list[Flow]]] = {}
        for flow in flows:
            if not flow.route.targets and not flow.route.events:
                losses.append(flow)
                continue
            key = self._route_key(flow.route)
            by_route.setdefault(key, (flow.route, []))[1].append(flow)
        return losses, list(by_route.values())

    def _route_key(self, route: Route) -> Any:
        targets = tuple(sorted((self.number[p], s.index) for p, s in route.targets.items()))
        events = tuple(sorted((event_key(e), s.index) for e, s in route.events.items()))
        return targets, events

    def _slot(self, index: int, term_low: int, route: Route, counted: set[int]) -> int:
        """Add a slot of the compartment `index`; the events on its route join those `counted`."""
        low = len(self.routes)
        ways = [self._destination(*item) for item in self._destinations(route)]
        self.routes += ways
        counted |= self._counted_on(ways)
        self._awaited |= {to for to, *_ in ways if to >= index}
        self.slots.append([term_low, len(self.terms), low, len(self.routes)])
        return len(self.slots) - 1

    def _destinations(self, route: Route) -> Iterator[tuple[int, Residual]]:
        for place, share in route.targets.items():
            yield self.number[place], share
        for event, share in route.events.items():
            found = self._events.setdefault(event_key(event), (len(self._events), event))
            yield self.first_event + found[0], share

    def _counted_on(self, ways: list[list[int]]) -> set[int]:
        """Numbers of the events among destinations."""
        return {to - self.first_event for to, *_ in ways if to >= self.first_event}

    def _destination(self, to: int, share: Residual) -> list[int]:
        return [to, *self.pool.lanes(share)]

    def _factors(self, flow: Flow, part: float = 1.0) -> tuple[Factors, int]:
        """Factors of a flow, with their series for a part of the cycle."""
        parts = factors(self.make, flow.value)
        per_cycle = self.model.timing.cycle if flow.row.kind == "rate" else 1.0
        return parts, self.pool.series(parts.series, part * per_cycle)

    def _term(self, flow: Flow, slot: int, by_time: list[tuple[Flow, int]]) -> None:
        if RESIDENCE in flow.value.axes:
            by_time.append((flow, slot))
            return
        parts, series = self._factors(flow)
        self.terms.append([*self.pool.lanes(parts.lanes), series])

    def _cell_term(self, flow: Flow, slot: int, bins: int) -> None:
        parts, series = self._factors(flow)
        cells = self.pool.cells(parts.cells, bins)
        self.cell_terms.append([*self.pool.lanes(parts.lanes), series, *cells, slot])

    def _arrival(self, arrival: Compartment, first: Int) -> list[int]:
        """A row for those who arrived at a place: half the hazard, and two places to stay in."""
        losses, slots = self._slots(arrival.risks)
        row = [0] * layout.ARRIVAL_COLUMNS
        younger, older = (self.number[place] for place in arrival.stays_in)
        row[layout.YOUNGER] = int(first[younger])
        row[layout.OLDER] = int(first[older]) + min(1, self.order[older].bins - 1)
        row[layout.LOW_TERM], row[layout.LOW_SLOT] = len(self.terms), len(self.slots)
        for flow in losses:
            self._half_term(flow)
        for route, flows in slots:
            low = len(self.terms)
            for flow in flows:
                self._half_term(flow)
            self._slot(len(self.order), low, route, self._by_risk)
        row[layout.HIGH_TERM], row[layout.HIGH_SLOT] = len(self.terms), len(self.slots)
        return row

    def _half_term(self, flow: Flow) -> None:
        parts, series = self._factors(flow, HALF)
        self.terms.append([*self.pool.lanes(parts.lanes), series])

    def _add_schedules(self, index: int, compartment: Compartment) -> None:
        _, by_route = self._slots(compartment.schedules)
        nowhere = [f for f in compartment.schedules if not f.route.targets and not f.route.events]
        for route, flows in [*by_route, *(((Route({}, {})), [f]) for f in nowhere)]:
            slot = self._slot(index, len(self.terms), route, self._at_once)
            for flow in flows:
                parts, series = self._factors(flow)
                by_time = RESIDENCE in flow.value.axes
                cells = self.pool.cells(parts.cells, compartment.bins) if by_time else (-1, ONES)
                self.schedules.append([*self.pool.lanes(parts.lanes), series, *cells, slot])
                self.fires[index] |= self.pool.series_of(series) != 0

    # -- what is counted

    def _atom(self, compartment: Compartment) -> int:
        counted = event_key(compartment.counted)
        if not counted and not self.by_state:
            return -1
        place = (compartment.place.state, compartment.place.line) if self.by_state else None
        key = (counted, place)
        if key not in self._atoms:
            self._atoms[key] = len(self._atoms) + len(self._value_rows)
            self.places.append(place or ("", 0))
            self._counted_of[key] = compartment.counted
        return self._atoms[key]

    def _add_values(self, compartment: Compartment) -> None:
        """Quantities by time in state have a row of the trace of their own."""
        atom = self._atom(compartment)
        for item in compartment.counted:
            parts = factors(self.make, item.quantity)
            if parts.cells.is_number(1):
                continue
            row, map_ = self.pool.cells(parts.cells, compartment.bins)
            self.values.append([row, map_, self._value_row(atom, parts.cells)])
            if CYCLE in parts.cells.axes:
                at_end = self._value_row(atom, parts.cells, at_end=True)
                self.values.append([row, self.pool.shifted(map_), at_end])

    def _value_row(self, atom: int, cells: Residual, *, at_end: bool = False) -> int:
        """Row of the trace for heads times cells; `at_end`: at t_(c+1), valued as in cycle c."""
        key = (atom, cells.index, at_end and CYCLE in cells.axes)
        if key not in self._value_rows:
            self._value_rows[key] = len(self._atoms) + len(self._value_rows)
            self.places.append(("", 0))
        return self._value_rows[key]

    def _sum_up(self) -> None:
        """Weighted sums over the trace, and what they add to."""
        atoms = len(self._atoms) + len(self._value_rows)
        before, after = 0, atoms if self.scheduled else 0
        risks = after + atoms + len(self.again)
        starts = risks + len(self._events)
        self.shape = np.array(
            [
                self.n,
                len(self._events),
                atoms,
                starts + len(self._events),
                0,
                int(self.scheduled),
            ]
        )
        collected: dict[tuple[int, int, int, int], Float] = {}
        for key, atom in self._atoms.items():
            for item in self._counted_of[key]:
                self._of_heads(collected, item, atom, before, after)
        for number, event in self._events.values():
            for item in event:
                outcome = self.model.payoffs[item.cell.payoff].outcome
                for which in self.weights.all:
                    out = self.weights.count * self._cell(item.cell) + which
                    moves = self.weights.moves(outcome, which)
                    at_once = self.weights.scheduled(outcome, which)
                    if number in self._by_risk:
                        self._collect(collected, item, risks + number, moves, out)
                    if number in self._at_once:
                        self._collect(collected, item, starts + number, at_once, out)
        self._keep_sums(collected)
        self.shape[4] = self.weights.count * len(self.cells)

    def _of_heads(self, collected: Any, item: Counted, atom: int, before: int, after: int) -> None:
        outcome = self.model.payoffs[item.cell.payoff].outcome
        parts = factors(self.make, item.quantity)
        row = ended = atom
        if not parts.cells.is_number(1):
            row = self._value_row(atom, parts.cells)
            ended = self._value_row(atom, parts.cells, at_end=True)
        weights = self.weights
        for which in self.weights.all:
            out = self.weights.count * self._cell(item.cell) + which
            if item.kind == "heads":
                heads = weights.heads(outcome, which)
                self._collect(collected, item, before + row, heads, out)
            elif item.kind == "end":
                horizon = weights.at_horizon(outcome, which)
                self._collect(collected, item, before + row, horizon, out)
            else:
                first = weights.time_at_points(outcome, which) + weights.time_at_start(
                    outcome, which
                )
                second = weights.time_at_end(outcome, which)
                self._collect(collected, item, after + row, first, out)
                self._collect(collected, item, before + ended, second, out, shift=True)

    def _collect(
        self,
        collected: dict[tuple[int, int, int, int], Float],
        item: Counted,
        trace_row: int,
        weights: Float,
        out: int,
        *,
        shift: bool = False,
    ) -> None:
        """Add weights x series for a row of the trace; `shift` for heads at the end of a cycle."""
        parts = factors(self.make, item.quantity)
        row, map_ = self.pool.lanes(parts.lanes)
        total = weights * self.pool.series_values(parts.series)
        if shift:
            total = np.concatenate([[0.0], total[:-1]])
            map_ = self.pool.shifted(map_)
        if total.any():
            key = (trace_row, row, map_, out)
            collected[key] = collected.get(key, 0.0) + total

    def _keep_sums(self, collected: Mapping[tuple[int, int, int, int], Float]) -> None:
        self.sums: list[list[int]] = []
        self.outputs: list[list[int]] = []
        self.running: list[list[int]] = []
        pending: dict[int, list[tuple[int, int, int]]] = {}
        for (trace_row, row, map_, out), total in collected.items():
            weight = self.pool.weight(total)
            if map_ != ONES:
                self.running.append([trace_row, weight, row, map_, out])
            else:
                pending.setdefault(trace_row, []).append((weight, row, out))
        for trace_row, wanted in pending.items():
            weights = list(dict.fromkeys(weight for weight, _, _ in wanted))
            base = 2 * len(self.sums)
            for first, second in zip(weights[::2], [*weights[1::2], weights[0]], strict=False):
                self.sums.append([trace_row, first, second])
            for weight, row, out in wanted:
                self.outputs.append([base + weights.index(weight), row, out])

    def _cell(self, cell: Cell) -> int:
        key = (cell.payoff, cell.state, cell.price.index)
        if key not in self._cell_numbers:
            self._cell_numbers[key] = len(self.cells)
            self.cells.append(cell)
        return self._cell_numbers[key]

    def tables(self, series: Float, maps: Int, weights: Float) -> Tables:
        """The tables, over what the programs of the model share."""

        def rows(listed: list[list[int]], columns: int) -> Int:
            return np.array(listed, np.int64).reshape(-1, columns)

        return Tables(
            compartments=rows(self.compartments, layout.COMPARTMENT_COLUMNS),
            arrivals=rows(self.arrivals, layout.ARRIVAL_COLUMNS),
            slots=rows(self.slots, 4),
            terms=rows(self.terms, 3),
            cell_terms=rows(self.cell_terms, 6),
            schedules=rows(self.schedules, 6),
            routes=rows(self.routes, 3),
            start=rows(self.start, 3),
            values=rows(self.values, 3),
            fires=self.fires,
            any_fires=np.asarray(self.fires.any(axis=0), np.int64),
            series=series,
            maps=maps,
            sums=rows(self.sums, 3),
            outputs=rows(self.outputs, 3),
            running=rows(self.running, 5),
            weights=weights,
            shape=self.shape.astype(np.int64),
        )


def _in_ticking_order(compartments: Mapping[Place, Compartment]) -> list[Compartment]:
    """Who stays moves on to a compartment that is done already; who moves too, if that can be.

    Those who arrive within a cycle are not among them: they have rows of their own.
    """
    done: dict[Place, Compartment] = {}

    def visit(compartment: Compartment) -> None:
        chain = []
        while compartment.place not in done and compartment not in chain:
            chain.append(compartment)
            onward = compartments.get(compartment.aged)
            if onward is None:
                break
            compartment = onward
        for item in reversed(chain):
            done[item.place] = item

    for compartment in reversed(list(compartments.values())):  # places are found downstream
        if not compartment.place.at_risk_again:
            visit(compartment)
    return list(done.values())


def _windows(
    program: Program, order: list[Compartment], number: Mapping[Place, int], n: int
) -> tuple[Int, Int]:
    """First cycle in which each compartment can hold anybody, and the last in which one enters.

    A compartment whose arrivals may be in the second bin opens a cycle before: they are where
    those of that cycle would be by now.
    """
    again = {c.place: c for c in program.compartments.values() if c.place.at_risk_again}
    risks = [_reached(c.risks, number, again) for c in order]
    scheduled = [_reached(c.schedules, number, again) for c in order]
    ticks = [{number.get(c.aged, i)} for i, c in enumerate(order)]
    opens = np.full(len(order), n + 1)
    now = {number[place] for place in program.start.targets}
    for cycle in range(n + 1):
        now |= set().union(*(scheduled[i] for i in now))
        fresh = [i for i in now if opens[i] > cycle]
        opens[fresh] = cycle
        if not fresh and cycle > 0:
            break
        now = now | set().union(*(risks[i] | ticks[i] for i in now))
    older = list({number[arrival.stays_in[-1]] for arrival in again.values()})
    opens[older] = np.maximum(opens[older] - 1, 0)
    for _ in order:  # a chain of ticks carries the time in state along from its first link
        for i in range(len(order)):
            for onward in ticks[i]:
                opens[onward] = min(opens[onward], opens[i])
    entered = set().union(*risks, *scheduled, *(t - {i} for i, t in enumerate(ticks)))
    last = np.array([n if i in entered else 0 for i in range(len(order))], np.int64)
    return opens.astype(np.int64), last


def _reached(
    flows: tuple[Flow, ...], number: Mapping[Place, int], again: Mapping[Place, Compartment]
) -> set[int]:
    """Compartments that flows lead to by the end of the cycle."""
    found: set[int] = set()
    for place in (place for flow in flows for place in flow.route.targets):
        if place in again:
            arrival = again[place]
            found |= {number[to] for to in arrival.stays_in}
            found |= _reached(arrival.risks, number, {})
        else:
            found.add(number[place])
    return found

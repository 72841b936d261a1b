"""Places, the tables read in them, and moving between them (language.md, sections 5, 6 and 8.1).

A place is a state, a line of therapy and the counts of the trackers; the clocks are axes of its
occupancy: [years in state, clock of a tracker..., draw].
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple, TypeAlias

import numpy as np
from expression_values import Setting, evaluate, reads

from qalyst.errors import ModelError
from qalyst.model.resolved import START, Expression, Label, ResolvedModel, Tracker, Transition
from qalyst.params.draws import Values


class Place(NamedTuple):
    """Where somebody stands; what else is known of them are the axes of the occupancy."""

    state: str
    line: int | None
    counts: tuple[float, ...]


class Move(NamedTuple):
    """Those who make one move: by the bins of the place left, and of the place entered."""

    event: str | None
    source: Place
    target: Place
    before: Any
    after: Any


class Arrival(NamedTuple):
    """Those who come to rest in a state, and the clocks that began on the way there."""

    place: Place
    heads: Any
    begun: frozenset[str]


Occupancy: TypeAlias = dict[Place, Any]


class Tables:
    """Expressions as arrays [cycle, years in state, clock..., draw] of a place.

    Parameters
    ----------
    moments : [cycle] years at which the rows are read; the points t_0..t_n if not given.
    cycles : [cycle] index of the cycle of each moment.
    """

    def __init__(
        self,
        model: ResolvedModel,
        values: Values,
        strategy: str,
        profile: Mapping[str, Label],
        moments: Any = None,
        cycles: Any = None,
    ) -> None:
        self.model, self.values = model, values
        self.strategy, self.profile = strategy, profile
        self.counts = [t for t in model.trackers.values() if t.kind == "count"]
        self.clocks = [t for t in model.trackers.values() if t.kind != "count"]
        cycles = np.arange(model.timing.cycles + 1.0) if cycles is None else cycles
        self._moments = {
            "years": cycles * model.timing.cycle if moments is None else moments,
            "cycle": cycles,
        }
        self.moments = len(cycles)
        self._bins = {tracker.name: self._bins_up_to(tracker.up_to) for tracker in self.clocks}
        self._residence: dict[str, Any] = {}
        self._tables: dict[Any, Any] = {}

    @property
    def start(self) -> Place:
        """The reserved place in which everybody is at time 0."""
        return Place(START, None, (0.0,) * len(self.counts))

    def of(self, expression: Expression, place: Place, to: str | None = None) -> Any:
        """An expression read in a place; an axis that it does not use has length 1."""
        key = (id(expression), place, to)
        if key not in self._tables:
            value = evaluate(expression, self._setting(place, to))
            self._tables[key] = np.array(value, float, ndmin=self._axes)
        return self._tables[key]

    def at(self, cycle: int, expression: Expression, place: Place, to: str | None = None) -> Any:
        """The row of cycle c: [years in state, clock..., draw]."""
        table = self.of(expression, place, to)
        return table[cycle if len(table) > 1 else 0]

    def empty(self, place: Place, draws: int) -> Any:
        """An occupancy of 0: [years in state, clock..., draw]."""
        clocks = [len(self._bins[tracker.name]) for tracker in self.clocks]
        return np.zeros((len(self._residence_bins(place.state)), *clocks, draws))

    @property
    def _axes(self) -> int:
        return 3 + len(self.clocks)

    def _setting(self, place: Place, to: str | None) -> Setting:
        clocks = {name: self._along(0, moments) for name, moments in self._moments.items()}
        clocks["years_in_state"] = self._along(1, self._residence_bins(place.state))
        for axis, tracker in enumerate(self.clocks, start=2):
            clocks[tracker.name] = self._along(axis, self._bins[tracker.name])
        for tracker, count in zip(self.counts, place.counts, strict=True):
            clocks[tracker.name] = np.array(count)
        return Setting(
            self.model,
            self.values,
            self.strategy,
            self.profile,
            clocks,
            state=place.state,
            to=to,
            line=place.line,
            axes=self._axes,
        )

    def _along(self, axis: int, numbers: Any) -> Any:
        shape = [1] * self._axes
        shape[axis] = len(numbers)
        return np.asarray(numbers).reshape(shape)

    def _bins_up_to(self, years: float) -> Any:
        """0, d, 2 d, ... and last the cap, which holds whom it holds."""
        cycle = self.model.timing.cycle
        last = math.ceil(years / cycle - 1e-9) if cycle else 0
        return np.minimum(np.arange(last + 1) * cycle, years)

    def _residence_bins(self, name: str) -> Any:
        if name not in self._residence:
            horizon = self.model.timing.cycle * self.model.timing.cycles
            state = self.model.states.get(name)
            if state is None or not self._names_residence(name):
                self._residence[name] = np.zeros(1)
            else:
                cap = horizon if state.residence is None else min(state.residence, horizon)
                self._residence[name] = self._bins_up_to(cap)
        return self._residence[name]

    def _names_residence(self, state: str) -> bool:
        """Whether a row that is read in a state names `years_in_state`."""
        read = [part for row in self.model.rows_from(state) for part in (row.value, row.when)]
        for payoff in self.model.payoffs:
            if state in (payoff.within or ()):
                read += [payoff.quantity, payoff.when]
        return any(reads(part, "years_in_state", self.model) for part in read if part is not None)


class Movement:
    """Moves: into the next place, through instant states, to a state."""

    def __init__(self, tables: Tables) -> None:
        self.tables, self.model = tables, tables.model

    def follow(
        self,
        cycle: int,
        row: Transition,
        place: Place,
        flow: Any,
        begun: frozenset[str] = frozenset(),
    ) -> tuple[list[Move], list[Arrival]]:
        """All moves that a flow along a row makes at once, and where it comes to rest.

        Parameters
        ----------
        flow : [years in state, clock..., draw] who leaves the place by this row.
        begun : clocks that began earlier on the way.
        """
        if not np.any(flow):
            return [], []
        moves, arrivals = [], []
        for target, before, after, started in self._entered(cycle, row, place, flow, begun):
            moves.append(Move(row.name, place, target, before, after))
            if not self.model.states[target.state].instant:
                arrivals.append(Arrival(target, after, started))
                continue
            for onward, share in self.branches(cycle, target):
                more, rest = self.follow(cycle, onward, target, after * share, started)
                moves += more
                arrivals += rest
        return moves, arrivals

    def branches(self, cycle: int, place: Place) -> Iterator[tuple[Transition, Any]]:
        """The rows out of a chance node and their shares; one without a share takes the rest."""
        rows = self.model.rows_from(place.state)
        shares = [
            self.tables.at(cycle, row.value, place, row.target)
            for row in rows
            if row.value is not None
        ]
        rest = 1 - sum(shares)
        check_shares(1 - rest, place.state)
        if len(shares) == len(rows) and np.any(rest > 1e-9):
            raise ModelError(
                f"no row of '{place.state}' takes the rest",
                where=place.state,
                mend="leave out the probability of one row",
            )
        given = iter(shares)
        for row in rows:
            yield row, rest if row.value is None else next(given)

    def grown(self, place: Place, heads: Any, begun: frozenset[str] = frozenset()) -> Any:
        """Clocks a cycle later, but for those that began: `years_in` stands still outside."""
        for axis, tracker in enumerate(self.tables.clocks, start=1):
            runs = tracker.kind == "years_since" or place.state in tracker.states
            if runs and tracker.name not in begun:
                heads = grown(heads, axis)
        return heads

    def _entered(
        self, cycle: int, row: Transition, place: Place, flow: Any, begun: frozenset[str]
    ) -> Iterator[tuple[Place, Any, Any, frozenset[str]]]:
        """The places entered: their heads by the bins left, by the bins entered, clocks begun."""
        line = self._line(row, place)
        for counts, before in self._counted(cycle, row.target, line, place, flow):
            target = Place(row.target, line, counts)
            after, started = before.sum(axis=0, keepdims=True), set(begun)
            for axis, tracker in enumerate(self.tables.clocks, start=1):
                inside = row.target in tracker.states
                if tracker.kind == "years_since" and inside:
                    after, _ = all_in_first_bin(after, axis), started.add(tracker.name)
                elif tracker.kind == "years_in":
                    # no time passes in an instant state: to pass through one leaves no set
                    passing = f"passing from {tracker.name}"
                    was_inside = place.state in tracker.states or passing in started
                    started.discard(passing)
                    if not inside and self.model.states[row.target].instant:
                        started |= {passing} if was_inside else set()
                    elif not inside:
                        after, _ = all_in_first_bin(after, axis), started.discard(tracker.name)
                    elif not was_inside:
                        after, _ = all_in_first_bin(after, axis), started.add(tracker.name)
            yield target, before, after, frozenset(started)

    def _line(self, row: Transition, place: Place) -> int | None:
        if not self.model.states[row.target].per_line:
            return None
        if row.step == "first":
            return 1
        assert place.line is not None, f"'{row.name}' enters the lines without `first`"
        line = place.line + (row.step == "next")
        if line > len(self.model.strategies[self.tables.strategy].sequence):
            raise ModelError(
                f"'{row.name}' steps beyond the last line of '{self.tables.strategy}'",
                where=row.where,
                mend="end the sequence with a treatment that is never left",
            )
        return line

    def _counted(
        self, cycle: int, state: str, line: int | None, place: Place, flow: Any
    ) -> Iterator[tuple[tuple[float, ...], Any]]:
        """The flow by the counts it has after entry: first the reset, then the count."""
        as_before = Place(state, line, place.counts)
        parts: list[tuple[tuple[float, ...], Any]] = [((), flow)]
        for tracker, count in zip(self.tables.counts, place.counts, strict=True):
            base = 0.0 if state in tracker.reset else count
            split = []
            for amount, holds in self._amounts(cycle, tracker, as_before):
                value = min(base + amount, tracker.up_to)
                split += [((*counts, value), part * holds) for counts, part in parts]
            parts = split
        for counts, part in parts:
            if np.any(part):
                yield counts, part

    def _amounts(self, cycle: int, tracker: Tracker, place: Place) -> Iterator[tuple[float, Any]]:
        """What an entry adds to a count, and to whom."""
        if place.state not in tracker.states:
            yield 0.0, 1.0
        elif tracker.amount is None:
            yield 1.0, 1.0
        else:
            amounts = self.tables.at(cycle, tracker.amount, place)
            for amount in np.unique(amounts):
                yield float(amount), amounts == amount


def grown(heads: Any, axis: int) -> Any:
    """Every bin of an axis one further; the last keeps whom it holds."""
    moved = np.zeros_like(heads)
    source, target = np.moveaxis(heads, axis, 0), np.moveaxis(moved, axis, 0)
    target[1:] = source[:-1]
    target[-1] += source[-1]
    return moved


def all_in_first_bin(heads: Any, axis: int) -> Any:
    """Everybody in the first bin of an axis."""
    moved = np.zeros_like(heads)
    np.moveaxis(moved, axis, 0)[0] = heads.sum(axis=axis)
    return moved


def check_shares(total: Any, state: str) -> None:
    """Refuse probabilities that sum to more than 1."""
    if np.any(total > 1 + 1e-9):
        raise ModelError(
            f"probabilities out of '{state}' sum to more than 1", where=state, mend="lower them"
        )

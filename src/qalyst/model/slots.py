"""Slots: what the patient kernel adds up for a patient, and what it is worth.

A slot gathers weights (corrections, discounting, schedules) over the stays in alike compartments,
or over an event. Its amount times a coefficient is a part of the quantity of a cell, so that no
price and no drawn quantity that stays the same over time enters the kernel.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from qalyst.axes import CYCLE, Float
from qalyst.kernels import patient_layout as layout
from qalyst.model.evaluate import Evaluator
from qalyst.model.merging import event_key
from qalyst.model.numbers import Numbers, by_draw
from qalyst.model.program import Cell, Compartment, Counted, Event
from qalyst.model.residual import Residual, Residuals, factors
from qalyst.model.resolved import ResolvedModel
from qalyst.model.weights import Weights

NONE = -1


@dataclass(frozen=True)
class Worth:
    """How a slot counts: its amount times a coefficient is part of a cell's quantity.

    Attributes
    ----------
    which : of the discount rates; see `Weights`.
    """

    slot: int
    cell: Cell
    which: int
    coefficient: Residual


@dataclass
class SlotMaker:
    """Makes the slots of one program.

    Parameters
    ----------
    model, make, numbers, weights : what the programs share.
    """

    model: ResolvedModel
    make: Residuals
    numbers: Numbers
    weights: Weights
    worth: list[Worth] = field(default_factory=list)
    _slots: dict[Any, int] = field(default_factory=dict)
    _counts: set[Any] = field(default_factory=set)

    @property
    def count(self) -> int:
        """How many slots there are."""
        return len(self._slots)

    def of_stay(self, compartment: Compartment) -> list[list[int]]:
        """Terms of a compartment."""
        terms: dict[int, list[int]] = {}
        kind = event_key(compartment.counted)
        for item in compartment.counted:
            for which in self.weights.all:
                term, key, coefficient = self._term(item, which, compartment.bins)
                slot = self._slot((kind, key), item.cell, which, coefficient)
                term[layout.SLOT] = slot
                terms[slot] = term
        return list(terms.values())

    def of_event(self, event: Event) -> tuple[list[list[int]], list[list[int]]]:
        """Passes of an event by risk, and at once."""
        by_risk: dict[int, list[int]] = {}
        at_once: dict[int, list[int]] = {}
        kind = event_key(event)
        for item in event:
            outcome = self._outcome(item)
            for which in self.weights.all:
                risk, force = self._moves(outcome, which)
                once = self.weights.scheduled(outcome, which)
                parts = factors(self.make, item.quantity)
                running = CYCLE in parts.lanes.axes
                weights = risk.tobytes(), once.tobytes(), force.tobytes()
                key = (*weights, parts.series.index, parts.lanes.index if running else NONE)
                coefficient = self.make.one if running else parts.lanes
                slot = self._slot((kind, key), item.cell, which, coefficient)
                forced = self.numbers.fixed(force) if force.any() else NONE
                by_risk[slot] = [slot, self._weighed(risk, item), forced]
                at_once[slot] = [slot, self._weighed(once, item), NONE]
        return list(by_risk.values()), list(at_once.values())

    def _slot(self, key: Any, cell: Cell, which: int, coefficient: Residual) -> int:
        slot = self._slots.setdefault(key, len(self._slots))
        counted = (slot, cell.payoff, cell.state, cell.price.index, which, coefficient.index)
        if counted not in self._counts:  # alike compartments share a slot, counted once
            self._counts.add(counted)
            self.worth.append(Worth(slot, cell, which, coefficient))
        return slot

    def _outcome(self, item: Counted) -> str:
        return self.model.payoffs[item.cell.payoff].outcome

    # -- time and heads

    def _term(self, item: Counted, which: int, bins: int) -> tuple[list[int], Any, Residual]:
        parts = factors(self.make, item.quantity)
        running = CYCLE in parts.lanes.axes
        coefficient = self.make.one if running else parts.lanes
        lanes = parts.lanes if running else self.make.one
        by_residence = not parts.cells.is_number(1)
        term = [0] * 8
        if by_residence:
            term[layout.CELLS], term[layout.CELL_MAP], term[layout.CELL_BINS] = self.numbers.cells(
                parts.cells, bins
            )
        if item.kind == "time" and self.model.timing.correction == "exact":
            key = self._integral(term, item, which, lanes, by_residence)
        else:
            key = self._points(term, item, which, lanes, by_residence)
        key = (*key, term[layout.MODE], parts.cells.index if by_residence else NONE)
        return term, (*key, lanes.index, parts.series.index), coefficient

    def _points(
        self, term: list[int], item: Counted, which: int, lanes: Residual, by_residence: bool
    ) -> tuple[Any, ...]:
        """Heads at points of time: weights of those after and before the schedule."""
        outcome, weights = self._outcome(item), self.weights
        n = self.model.timing.cycles
        after = ended = now = np.zeros(n + 1)
        if item.kind == "time":
            after = weights.time_at_points(outcome, which) + weights.time_at_start(outcome, which)
            ended = weights.time_at_end(outcome, which)
        elif item.kind == "heads":
            now = weights.heads(outcome, which)
        else:
            now = weights.at_horizon(outcome, which)
        series = self._series(item)
        after, ended, now = after * series, ended * series, now * series
        key = (after.tobytes(), ended.tobytes(), now.tobytes())

        def vectors(evaluate: Evaluator | None) -> tuple[Float, Float]:
            """[draw, n + 1] weights after, and before, the schedule of each point."""
            value = (
                np.ones((1, n + 1)) if evaluate is None else by_draw(evaluate(lanes)[:, 0], n + 1)
            )
            before = now * value
            before[:, 1:] += (ended * value)[:, :-1]
            return after * value, before

        def before(evaluate: Evaluator | None) -> Float:
            return vectors(evaluate)[1]

        def whole(evaluate: Evaluator | None) -> Float:
            first, second = vectors(evaluate)
            if by_residence:
                return first
            total = np.cumsum(first + second, axis=1)
            return np.concatenate([np.zeros((len(total), 1)), total], axis=1)

        length = n + 1 if by_residence else n + 2
        term[layout.WHOLE] = self._made(("whole", *key, by_residence), lanes, length, whole)
        term[layout.BEFORE] = self._made(("before", *key), lanes, n + 1, before)
        term[layout.MODE] = layout.POINTS
        if by_residence:
            by_time = item.kind == "time"
            term[layout.MODE] = layout.POINTS_BY_RESIDENCE if by_time else layout.HEADS_BY_RESIDENCE
        return key

    def _integral(
        self, term: list[int], item: Counted, which: int, lanes: Residual, by_residence: bool
    ) -> tuple[Any, ...]:
        """Moments: discount times quantity, integrated."""
        outcome = self._outcome(item)
        n, years = self.model.timing.cycles, self.model.timing.cycle
        at_start, force = self._discount(outcome, which)
        at_start = at_start * self._series(item)
        rising = np.where(force == 0, years, -np.expm1(-force * years) / np.where(force, force, 1))
        key = (at_start.tobytes(), force.tobytes())

        def whole(evaluate: Evaluator | None) -> Float:
            value = (
                np.ones((1, n + 1)) if evaluate is None else by_draw(evaluate(lanes)[:, 0], n + 1)
            )
            return at_start * value

        def cumulated(evaluate: Evaluator | None) -> Float:
            total = np.cumsum(whole(evaluate)[:, :-1] * rising[:-1], axis=1)
            return np.concatenate([np.zeros((len(total), 1)), total], axis=1)

        term[layout.WHOLE] = self._made(("moments", *key), lanes, n + 1, whole)
        term[layout.BEFORE] = self._made(("integral", *key), lanes, n + 1, cumulated)
        term[layout.FORCE] = self.numbers.fixed(force)
        term[layout.MODE] = layout.INTEGRAL_BY_RESIDENCE if by_residence else layout.INTEGRAL
        return key

    def _made(self, key: tuple[Any, ...], lanes: Residual, length: int, make: Any) -> int:
        """A vector that differs between draws only if the lanes do."""
        if lanes.is_number(1):
            return self.numbers.fixed(make(None)[0])
        return self.numbers.made((*key, lanes.index), length, make)

    # -- weights

    def _series(self, item: Counted) -> Float:
        """[n + 1] what no draw changes of a quantity, without its time in state."""
        series = factors(self.make, item.quantity).series
        values = np.asarray(self.numbers.static(series)[:, 0, 0], float)
        return np.broadcast_to(values, self.model.timing.cycles + 1)

    def _weighed(self, weights: Float, item: Counted) -> int:
        """Weights by cycle of an event, times its quantity."""
        total = weights * self._series(item)
        lanes = factors(self.make, item.quantity).lanes
        if CYCLE not in lanes.axes:
            return self.numbers.fixed(total)
        length = len(total)

        def make(evaluate: Evaluator) -> Float:
            return total * by_draw(evaluate(lanes)[:, 0], length)

        return self.numbers.made(("event", total.tobytes(), lanes.index), length, make)

    def _moves(self, outcome: str, which: int) -> tuple[Float, Float]:
        """[n + 1] weights of a move in each cycle, and the force with which they fall in it."""
        if self.model.timing.correction == "exact":
            return self._discount(outcome, which)
        return self.weights.moves(outcome, which), np.zeros(self.model.timing.cycles + 1)

    def _discount(self, outcome: str, which: int) -> tuple[Float, Float]:
        """[n + 1] discount at the start of each cycle, in the outcome's unit, and its force."""
        word = self.model.timing.discounting
        scale = self.weights.scale(outcome)
        if word == "counted":
            factor = self.weights.factors(outcome, which)
            return factor / scale, np.append(self.weights.force(outcome, which), 0.0)
        moment = self.weights.moment(outcome, which, word)
        return np.append(moment, 0.0) / scale, np.zeros(self.model.timing.cycles + 1)

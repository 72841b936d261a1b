"""Places: a state, its line of therapy, and the history that went along.

Everything but the time in state is part of the place: counts as numbers, clocks as bins of one
cycle. A clock ticks by the rule "who stays goes to the next place".
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from qalyst.errors import ModelError
from qalyst.model.partial import PartialEvaluator
from qalyst.model.resolved import START, Label, Transition

STARTED = -1


@dataclass(frozen=True)
class Place:
    """Where somebody can be.

    Attributes
    ----------
    state : name of the state, or `start`.
    line : line of therapy, from 1; 0 outside the lines.
    history : a number for each tracker: the count, or the bin of the clock; `STARTED` while the
        move that started the clock is under way.
    at_risk_again : of those who arrived within the cycle and are at risk for what is left of it
        (two events per cycle); the move that brought them is still under way.
    """

    state: str
    line: int
    history: tuple[int, ...]
    at_risk_again: bool = False


class Journey:
    """The places of one strategy and profile: how they look, age, and follow each other."""

    def __init__(self, partial: PartialEvaluator, strategy: str, profile: dict[str, Label]) -> None:
        self.model = partial.model
        self._partial = partial
        self.strategy, self.profile = strategy, profile
        self._sequence = self.model.strategies[strategy].sequence
        self._trackers = list(self.model.trackers.values())
        timing = self.model.timing
        self._bins = [
            0
            if tracker.kind == "count"
            else min(round(tracker.up_to / timing.cycle), timing.cycles) + 1
            for tracker in self._trackers
        ]

    @property
    def start(self) -> Place:
        """Where everybody is at time 0: nothing has happened yet."""
        return Place(
            START,
            0,
            tuple(
                bins - 1 if tracker.kind == "years_since" else 0
                for tracker, bins in zip(self._trackers, self._bins, strict=True)
            ),
        )

    def known(self, place: Place, target: str | None = None) -> dict[str, Any]:
        """What an expression finds known in a place."""
        known: dict[str, Any] = {
            **self.profile,
            "strategy": self.strategy,
            "state": place.state,
        }
        if place.line:
            known |= {"line": place.line, "treatment": self._sequence[place.line - 1]}
        for tracker, value in zip(self._trackers, place.history, strict=True):
            counted = tracker.kind == "count"
            known[tracker.name] = value if counted else max(value, 0) * self.model.timing.cycle
        if place.at_risk_again:
            known["years_in_state"] = 0.0
        if target is not None:
            known["to"] = target
        return known

    def treatment(self, place: Place) -> str:
        """The treatment of the place's line; empty outside the lines."""
        return self._sequence[place.line - 1] if place.line else ""

    def bins(self, state: str) -> int:
        """Bins of the time in a state, if anything reads it; the last one is open."""
        timing = self.model.timing
        cap = self.model.states[state].residence if state in self.model.states else None
        if cap is None:
            return timing.cycles + 1
        return min(round(cap / timing.cycle), timing.cycles) + 1

    def enter(self, origin: Place, row: Transition, stayed_in: str | None) -> Place:
        """The place that a row leads to, with its counts; clocks stand as at the cycle's start.

        Parameters
        ----------
        origin : the place left.
        row : the transition.
        stayed_in : the state in which time was last spent; None at time 0.

        Raises
        ------
        ModelError
            A step beyond the last line of the sequence.
        """
        entered = Place(row.target, self._line(origin, row), origin.history)
        history = list(origin.history)
        for number, tracker in enumerate(self._trackers):
            if tracker.kind == "count":
                if row.target in tracker.reset:
                    history[number] = 0
                if row.target in tracker.states:
                    amount = self._amount(number, replace(entered, history=origin.history))
                    history[number] = min(history[number] + amount, int(tracker.up_to))
            elif tracker.kind == "years_since":
                if row.target in tracker.states:
                    history[number] = STARTED
            elif not self.model.states[row.target].instant and not (
                row.target in tracker.states and stayed_in in tracker.states
            ):
                history[number] = STARTED
        return replace(entered, history=tuple(history))

    def _line(self, origin: Place, row: Transition) -> int:
        if not self.model.states[row.target].per_line:
            return 0
        line = {"first": 1, "next": origin.line + 1, "same": origin.line}[row.step]
        if line > len(self._sequence):
            raise ModelError(
                f"the strategy '{self.strategy}' has {len(self._sequence)} lines, and the row "
                f"'{row.name}' leads beyond the last",
                where=row.where,
                mend="end the sequence with a treatment that is never left (`pfs: never`)",
            )
        return line

    def _amount(self, number: int, place: Place) -> int:
        tracker = self._trackers[number]
        if tracker.amount is None:
            return 1
        amount = self._partial.value(tracker.amount, self.known(place))
        if not amount.constant or amount.value != int(amount.value) or amount.value < 0:
            raise ModelError(
                f"the amount of '{tracker.name}' is {amount}, not a whole number that is known",
                where=tracker.amount.shown,
                mend="the cohort engine counts in whole numbers, the same in every draw",
            )
        return int(amount.value)

    def aged(self, place: Place) -> Place:
        """The place one cycle later of who stays: its clocks have ticked."""
        return self.arrived(place, place.state)

    def arrived(self, place: Place, lived_in: str | None, *, older: bool = False) -> Place:
        """The place at the end of a move: clocks it started stand at 0, others may have ticked.

        Parameters
        ----------
        place : as `enter` gives it.
        lived_in : the state in which the cycle was spent; None if no cycle has passed.
        older : clocks that the move started have ticked too.
        """
        history = []
        for number, (value, bins) in enumerate(zip(place.history, self._bins, strict=True)):
            ticks = lived_in is not None and self._ticks(number, lived_in)
            if value == STARTED:
                value = int(older and ticks and bins > 1)
            elif bins and ticks:
                value = min(value + 1, bins - 1)
            history.append(value)
        settled = replace(place, history=tuple(history), at_risk_again=False)
        return place if settled == place else settled

    def _ticks(self, number: int, state: str) -> bool:
        tracker = self._trackers[number]
        return tracker.kind == "years_since" or state in tracker.states

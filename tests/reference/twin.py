"""The cohort engine as it is written in language.md, section 8: one plain loop, arrays by draw.

The compiled engine is tested against this one. `run_twin` is all there is to call.
"""

from __future__ import annotations

import itertools
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from accounts import Account, Discount, point_weights
from continuous import any_number_of_events, one_event_exactly
from expression_values import Setting, evaluate
from movement import Arrival, Move, Movement, Occupancy, Place, Tables, check_shares, grown
from partitioned import run_partitioned
from patients import patients

from qalyst.model.expressions import ZERO
from qalyst.model.resolved import END, POINT_CORRECTIONS, Expression, Label, ResolvedModel
from qalyst.params.draws import Values
from qalyst.units import YEAR


@dataclass(frozen=True)
class TwinResult:
    """What a run gives; every array ends with [draw], amounts are in the outcome's unit.

    Attributes
    ----------
    outcomes, undiscounted : strategy -> outcome -> [draw], averaged over profiles.
    rows, rows_undiscounted : strategy -> (outcome, row) -> [draw], averaged over profiles.
    by_profile : strategy -> labels of the profile -> outcome -> [draw], discounted.
    weights : labels of the profile -> [draw].
    trace : strategy -> state -> [n + 1, draw] occupancy N_j, averaged over profiles.
    """

    outcomes: dict[str, dict[str, Any]]
    undiscounted: dict[str, dict[str, Any]]
    rows: dict[str, dict[tuple[str, str], Any]]
    rows_undiscounted: dict[str, dict[tuple[str, str], Any]]
    by_profile: dict[str, dict[tuple[Label, ...], dict[str, Any]]]
    weights: dict[tuple[Label, ...], Any]
    trace: dict[str, dict[str, Any]]


def run_twin(
    model: ResolvedModel,
    values: Values,
    draws: int = 1,
    *,
    strategies: Collection[str] | None = None,
    among: Collection[tuple[Label, ...]] | None = None,
) -> TwinResult:
    """Run a model: all strategies and profiles, all draws at once.

    Parameters
    ----------
    values : of the parameters, in as many draws.
    strategies : only these.
    among : only profiles of these labels; what is averaged is then their part of the average.
    """
    wanted = [
        (profile, weight)
        for profile, weight in profiles(model, values, draws)
        if among is None or tuple(profile.values()) in among
    ]
    weights = {tuple(profile.values()): weight for profile, weight in wanted}
    result = TwinResult({}, {}, {}, {}, {}, weights, {})
    for strategy in model.strategies if strategies is None else strategies:
        runs = {}
        for profile, _ in wanted:
            runs[tuple(profile.values())] = _mean(
                [
                    _run(model, values, strategy, known, draws)
                    for known in patients(model, values, profile)
                ]
            )
        by_profile = {}
        for labels, run in runs.items():
            by_profile[labels] = _by_outcome(model, run.rows, draws)
        rows = _average(weights, {labels: run.rows for labels, run in runs.items()})
        flat = _average(weights, {labels: run.rows_undiscounted for labels, run in runs.items()})
        result.rows[strategy], result.rows_undiscounted[strategy] = rows, flat
        result.outcomes[strategy] = _by_outcome(model, rows, draws)
        result.undiscounted[strategy] = _by_outcome(model, flat, draws)
        result.by_profile[strategy] = by_profile
        result.trace[strategy] = _average(weights, {p: run.trace for p, run in runs.items()})
    return result


def profiles(
    model: ResolvedModel, values: Values, draws: int
) -> Iterator[tuple[dict[str, Label], Any]]:
    """Every combination of labels and its weight [draw]; a weight may use dimensions above."""
    dimensions = list(model.dimensions.values())
    for labels in itertools.product(*(dimension.labels for dimension in dimensions)):
        profile: dict[str, Label] = {}
        weight = np.ones(draws)
        for dimension, label in zip(dimensions, labels, strict=True):
            given = Setting(model, values, profile=dict(profile))
            weight = weight * evaluate(dimension.weights[label], given)
            profile[dimension.name] = label
        yield profile, weight


@dataclass(frozen=True)
class _Run:
    """One strategy and profile."""

    rows: dict[tuple[str, str], Any]
    rows_undiscounted: dict[tuple[str, str], Any]
    trace: dict[str, Any]


def _run(
    model: ResolvedModel,
    values: Values,
    strategy: str,
    profile: Mapping[str, Any],
    draws: int,
) -> _Run:
    tables = Tables(model, values, strategy, profile)
    discounted, flat = _accounts(model, tables, draws)
    every = [*discounted.values(), *flat.values()]
    if model.occupancy:
        trace = run_partitioned(tables, every, draws)
    else:
        trace = Cohort(tables, every, draws).run()
    rows, rows_flat = (
        {
            (outcome, payoff.name): account.amounts.get(payoff.name, 0.0)
            / _years_in_unit(model, outcome)
            * np.ones(draws)
            for outcome, account in accounts.items()
            for payoff in account.payoffs
        }
        for accounts in (discounted, flat)
    )
    return _Run(rows, rows_flat, trace)


def _mean(runs: list[_Run]) -> _Run:
    """The mean over the patients of a profile."""
    weights = {(patient,): 1 / len(runs) for patient in range(len(runs))}
    parts = zip(*((run.rows, run.rows_undiscounted, run.trace) for run in runs), strict=True)
    return _Run(*(_average(weights, dict(zip(weights, each, strict=True))) for each in parts))


def _accounts(
    model: ResolvedModel, tables: Tables, draws: int
) -> tuple[dict[str, Account], dict[str, Account]]:
    """An account with the discount of each outcome, and one without."""

    def account(outcome: str, rate: Expression) -> Account:
        payoffs = [payoff for payoff in model.payoffs if payoff.outcome == outcome]
        rates = tables.of(rate, tables.start)
        rates = rates.reshape(len(rates), -1) * np.ones(draws)
        return Account(payoffs, Discount(rates, model.timing), tables)

    none = Expression(ZERO, "undiscounted")
    return (
        {name: account(name, outcome.discount) for name, outcome in model.outcomes.items()},
        {name: account(name, none) for name in model.outcomes},
    )


class Cohort:
    """The shares of a cohort over places, cycle by cycle (8.1)."""

    def __init__(self, tables: Tables, accounts: list[Account], draws: int) -> None:
        self.tables, self.accounts, self.draws = tables, accounts, draws
        self.model, self.timing = tables.model, tables.model.timing
        self.movement = Movement(tables)
        self.occupancy: Occupancy = {}

    def run(self) -> dict[str, Any]:
        """Every cycle in its order; the trace: state -> [n + 1, draw]."""
        self._start()
        trace = []
        for cycle in range(self.timing.cycles):
            for account in self.accounts:
                account.heads(cycle, self.occupancy)
            self._schedule(cycle)
            trace.append(self._by_state())
            self._count_point(cycle)
            self._risk(cycle)
        trace.append(self._by_state())
        self._count_point(self.timing.cycles)
        self._end()
        return {state: np.array([at[state] for at in trace]) for state in trace[0]}

    def _start(self) -> None:
        """Step 1: everybody leaves `start`; never longer ago than `up_to`."""
        start = self.tables.start
        everybody = self.tables.empty(start, self.draws)
        nowhere = tuple(
            -1 if tracker.kind == "years_since" else 0 for tracker in self.tables.clocks
        )
        everybody[(0, *nowhere)] = 1.0
        moves: list[Move] = []
        for row, share in self.movement.branches(0, start):
            more, arrivals = self.movement.follow(0, row, start, everybody * share)
            moves += more
            for arrival in arrivals:
                self._settle(self.occupancy, arrival.place, arrival.heads)
        for account in self.accounts:
            account.moves(0, moves, 1.0)

    def _schedule(self, cycle: int) -> None:
        """Step 3: scheduled moves, all from the same heads; clocks do not run meanwhile."""
        after: Occupancy = {}
        for place, heads in self.occupancy.items():
            total: Any = 0.0
            for row in self.model.rows_from(place.state):
                if row.when is None:
                    continue
                assert row.value is not None
                share = self.tables.at(cycle, row.value, place, row.target)
                share = share * self.tables.at(cycle, row.when, place, row.target)
                moves, arrivals = self.movement.follow(cycle, row, place, heads * share)
                for account in self.accounts:
                    account.moves(cycle, moves, account.discount.scheduled(cycle))
                for arrival in arrivals:
                    self._settle(after, arrival.place, arrival.heads)
                total = total + share
            check_shares(total, place.state)
            after[place] = after.get(place, 0.0) + heads * (1 - total)
        self.occupancy = after

    def _risk(self, cycle: int) -> None:
        """Steps 4 to 7: risk, instant states, clocks, time in states."""
        before = self.occupancy
        if self.timing.events_per_cycle == "any":
            self.occupancy = any_number_of_events(self, cycle)
        else:
            self.occupancy = {}
            moves: list[Move] = []
            for place, heads in before.items():
                moves += self._one_event(cycle, place, heads)
            if self.timing.correction == "exact":
                one_event_exactly(self, cycle, before)
            else:
                for account in self.accounts:
                    account.moves(cycle, moves, account.discount.move(cycle))
        self._count_time(cycle, before)

    def _one_event(self, cycle: int, place: Place, heads: Any) -> list[Move]:
        """Step 4: who leaves by which row, and who stays; arrivals may be at risk once more."""
        moves: list[Move] = []
        stay, leave = self.departures(cycle, place)
        for row, share in leave:
            more, arrivals = self.movement.follow(cycle, row, place, heads * share)
            moves += more
            for arrival in arrivals:
                if self.timing.events_per_cycle == "two":
                    moves += self._second_event(cycle, arrival)
                else:
                    self._settle(self.occupancy, arrival.place, self.aged(arrival))
        stayers = self.movement.grown(place, grown(heads * stay, 0))
        self.occupancy[place] = self.occupancy.get(place, 0.0) + stayers
        return moves

    def _second_event(self, cycle: int, arrival: Arrival) -> list[Move]:
        """Steps 4 to 6 for arrivals with `two`: at risk for the half cycle left on average.

        They are in the first bin of the years in their state; clocks that the way there began
        stand at 0, the others as at t_c. A second move is the last. Of those who stay one half has
        the clocks that began at 0, the other half at one cycle; the other clocks run a cycle.
        """
        moves: list[Move] = []
        place, heads, begun = arrival
        stay, leave = self.departures(cycle, place, part=0.5)
        for row, share in leave:
            more, seconds = self.movement.follow(cycle, row, place, heads * share[:1], begun)
            moves += more
            for second in seconds:
                self._settle(self.occupancy, second.place, self.aged(second))
        half = heads * stay[:1] / 2
        self._settle(self.occupancy, place, self.movement.grown(place, half, begun))
        self._settle(self.occupancy, place, self.movement.grown(place, half), years_bin=1)
        return moves

    def departures(
        self, cycle: int, place: Place, part: float = 1.0
    ) -> tuple[Any, list[tuple[Any, Any]]]:
        """The share that stays, and the share that leaves by each row, by bin.

        Parameters
        ----------
        part : of the cycle, for which they are at risk; probabilities are of whole cycles.
        """
        rows = self.risks(cycle, place)
        if not rows:
            return np.ones(1), []
        total = sum(value for _, value in rows)
        if rows[0][0].kind == "probability":
            check_shares(total, place.state)
            return 1 - total, rows
        years = part * self.timing.cycle
        leave = -np.expm1(-total * years)
        some = np.where(total > 0, total, 1.0)
        stay = np.exp(-total * years)
        return stay, [(row, leave * (value / some)) for row, value in rows]

    def risks(self, cycle: int, place: Place) -> list[tuple[Any, Any]]:
        """The rows of risk out of a place, each with its rate or probability by bin."""
        return [
            (row, self.tables.at(cycle, row.value, place, row.target))
            for row in self.model.rows_from(place.state)
            if row.when is None and row.value is not None
        ]

    def aged(self, arrival: Arrival) -> Any:
        """Step 6 of arrivals: clocks that began stand at 0, the others run a cycle."""
        return self.movement.grown(arrival.place, arrival.heads, arrival.begun)

    def _settle(
        self, occupancy: Occupancy, place: Place, heads: Any, *, years_bin: int = 0
    ) -> None:
        """Put arrivals into a bin of the years in their state; an axis of one bin has no other."""
        held = occupancy.get(place, 0.0) + self.tables.empty(place, self.draws)
        years_bin = min(years_bin, len(held) - 1)
        held[years_bin : years_bin + 1] += heads
        occupancy[place] = held

    def _count_time(self, cycle: int, before: Occupancy) -> None:
        """Step 7, corrections that count heads at the start and the end of cycles."""
        word = self.timing.correction
        shares = {"start": (1.0, 0.0), "end": (0.0, 1.0), "half-cycle": (0.5, 0.5)}
        if word not in shares:
            return
        first, second = shares[word]
        for account in self.accounts:
            start, end = account.discount.time(cycle)
            for share, factor, heads in (
                (first, start, before),
                (second, end, self.occupancy),
            ):
                if share:
                    account.time(cycle, heads, share * self.timing.cycle * factor)

    def _count_point(self, point: int) -> None:
        """Step 7, corrections that count heads at the points t_0..t_n, by the row of the point."""
        if self.timing.correction in POINT_CORRECTIONS:
            weight = point_weights(self.timing)[point] * self.timing.cycle
            for account in self.accounts:
                account.time(point, self.occupancy, weight * account.discount.points[point])

    def _end(self) -> None:
        """At t_n everybody steps to `end`."""
        moves = [
            Move(None, place, Place(END, place.line, place.counts), heads, heads)
            for place, heads in self.occupancy.items()
        ]
        for account in self.accounts:
            account.moves(self.timing.cycles, moves, account.discount.points[-1])

    def _by_state(self) -> dict[str, Any]:
        shares = {
            name: np.zeros(self.draws)
            for name, state in self.model.states.items()
            if not state.instant
        }
        for place, heads in self.occupancy.items():
            shares[place.state] += heads.reshape(-1, self.draws).sum(axis=0)
        return shares


def _by_outcome(
    model: ResolvedModel, rows: Mapping[tuple[str, str], Any], draws: int
) -> dict[str, Any]:
    return {
        outcome: np.zeros(draws) + sum(amount for key, amount in rows.items() if key[0] == outcome)
        for outcome in model.outcomes
    }


def _average(
    weights: Mapping[tuple[Label, ...], Any], parts: Mapping[tuple[Label, ...], dict[Any, Any]]
) -> dict[Any, Any]:
    first = next(iter(parts.values()))
    return {
        key: sum(weights[labels] * part[key] for labels, part in parts.items()) for key in first
    }


def _years_in_unit(model: ResolvedModel, outcome: str) -> float:
    """Years in one of the outcome's unit: a twelfth if it is in months; 1 if it is no time."""
    unit = model.outcomes[outcome].unit
    return unit.factor if unit.dimension == YEAR.dimension else 1.0

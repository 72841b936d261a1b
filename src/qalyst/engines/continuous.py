"""The continuous engine: any number of events per cycle, and the exact integral of a cycle.

`any` moves people by the matrix exponential of the rates of each cycle (Kalbfleisch & Lawless
1985, J Am Stat Assoc 80:863-871); integrals of the exponential are a block of the exponential of
a larger matrix (Van Loan 1978, IEEE Trans Automat Contr 23:395-404). `exact` with one event per
cycle integrates the exponentials of competing risks in closed form. Plain numpy over draws.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from qalyst.axes import Float, Int
from qalyst.engines.engine import (
    Found,
    Quantities,
    Shared,
    TraceRow,
    chunk_of_lanes,
    quantities,
)
from qalyst.model.evaluate import Evaluator
from qalyst.model.lowering import lower
from qalyst.model.merging import merge
from qalyst.model.program import Compartment, Counted, Flow, Program, Route


class ContinuousEngine:
    """Runs the lowered form in numpy, for `any` and for `exact`.

    Parameters
    ----------
    shared : what the programs of the model share.
    """

    patients = 0
    together = 1

    def __init__(self, shared: Shared) -> None:
        self.shared = shared
        self._programs: list[Program] = []
        for strategy in shared.model.strategies:
            for profile in shared.profiles:
                program = lower(shared.partial, strategy, profile)
                shared.guards.add(program.guards)
                self._programs.append(merge(program, shared.partial.residuals, by_state=True))
                for cell in self._programs[-1].counted_cells():
                    shared.number(cell)

    @property
    def reached(self) -> dict[str, int]:
        """Strategy -> compartments of a profile."""
        return {program.strategy: len(program.compartments) for program in self._programs}

    def chunk_size(self, draws: int) -> int:
        """How many draws go through together."""
        return chunk_of_lanes(self.shared, draws)

    def run(self, evaluate: Evaluator, draws: Int, threads: int = 1) -> Found:
        """Quantities of every program; `draws` is only as long as the evaluator's."""
        return Found(self._each(evaluate, draws))

    def _each(self, evaluate: Evaluator, draws: Int) -> Iterator[Quantities]:
        for number, program in enumerate(self._programs):
            solution = self._solve(program, evaluate, len(draws))
            yield quantities(self.shared, number, solution.account.amounts, len(draws))

    def base(self, evaluate: Evaluator, threads: int) -> tuple[Found, list[TraceRow]]:
        """Quantities in the base case, with the occupancy by state and line."""
        weights = self.shared.profile_weights(evaluate)[:, 0]
        found = []
        occupancy: dict[tuple[str, str, int], Float] = {}
        for number, program in enumerate(self._programs):
            solution = self._solve(program, evaluate, 1)
            found.append(quantities(self.shared, number, solution.account.amounts, 1))
            for place, heads in zip(program.compartments, solution.heads[:, :, 0].T, strict=True):
                key = (program.strategy, place.state, place.line)
                here = weights[number % len(weights)] * heads
                occupancy[key] = occupancy.get(key, 0.0) + here
        return Found(found), [TraceRow(*key, shares) for key, shares in occupancy.items()]

    def _solve(self, program: Program, evaluate: Evaluator, count: int) -> _Solution:
        solution = _Solution(self.shared, program, evaluate, count)
        step = (
            solution.step_any
            if self.shared.model.timing.events_per_cycle == "any"
            else solution.step_exact
        )
        for cycle in range(self.shared.model.timing.cycles):
            solution.before(cycle)
            step(cycle)
        solution.at_horizon()
        return solution


@dataclass
class _Account:
    """Quantities as they add up."""

    shared: Shared
    evaluate: Evaluator
    count: int

    def __post_init__(self) -> None:
        self.amounts: dict[int, Float] = {}

    def add(self, item: Counted, which: int, amount: Float, cycle: int, bins: int = 1) -> None:
        """Add amount [residence, draw] (or [draw]) times the quantity of the cycle."""
        quantity = _at(self.evaluate(item.quantity, bins), cycle)
        total = (np.atleast_2d(amount) * quantity).sum(axis=0)
        cell = self.shared.number(item.cell)
        if cell not in self.amounts:
            self.amounts[cell] = np.zeros((self.shared.weights.count, self.count))
        self.amounts[cell][which] += total


def _at(values: Any, cycle: int) -> Any:
    """[residence, draw] of [cycle, residence, draw]."""
    return values[cycle if len(values) > 1 else 0]


class _Solution:
    """One program for some draws, cycle by cycle."""

    def __init__(self, shared: Shared, program: Program, evaluate: Evaluator, count: int) -> None:
        self.shared, self.evaluate, self.count = shared, evaluate, count
        self.timing = shared.model.timing
        self.compartments = list(program.compartments.values())
        self.number = {item.place: i for i, item in enumerate(self.compartments)}
        self.account = _Account(shared, evaluate, count)
        self.occupancy = [np.zeros((item.bins, count)) for item in self.compartments]
        self.heads = np.zeros((self.timing.cycles + 1, len(self.compartments), count))
        self._matrices: dict[tuple[Any, ...], tuple[Float, Float]] = {}
        outcomes = shared.model.outcomes
        self.force = {
            (name, which): shared.weights.force(name, which)
            for name in outcomes
            for which in shared.weights.all
        }
        self._begin(program.start)

    def _begin(self, start: Route) -> None:
        for place, share in start.targets.items():
            self.occupancy[self.number[place]][0] += _at(self.evaluate(share), 0)[0]
        for event, share in start.events.items():
            for item in event:
                for which in self.shared.weights.all:
                    weight = self.shared.weights.scheduled(self._outcome(item), which)[0]
                    passed = _at(self.evaluate(share), 0)[0] * weight
                    self.account.add(item, which, np.broadcast_to(passed, self.count), 0)

    def _outcome(self, item: Counted) -> str:
        return self.shared.model.payoffs[item.cell.payoff].outcome

    # -- at points of time

    def before(self, cycle: int) -> None:
        """Count heads, then make the scheduled moves of the cycle."""
        self._count("heads", self.shared.weights.heads, cycle)
        moves = []
        for i, item in enumerate(self.compartments):
            heads = self.occupancy[i]
            for flow in item.schedules:
                moved = heads * _at(self.evaluate(flow.value, item.bins), cycle)
                self.occupancy[i] = self.occupancy[i] - moved
                moves.append((flow, moved))
        for flow, moved in moves:
            self._send(flow.route, moved.sum(axis=0), cycle, self.occupancy)
            for which in self.shared.weights.all:
                self._pass(flow.route, which, moved.sum(axis=0), cycle, "scheduled")
        for i, occupied in enumerate(self.occupancy):
            self.heads[cycle, i] = occupied.sum(axis=0)

    def at_horizon(self) -> None:
        """Count those who reach the horizon, and the last point of a correction by points."""
        cycle = self.timing.cycles
        self._count("end", self.shared.weights.at_horizon, cycle)
        self._count("time", self.shared.weights.time_at_points, cycle)
        for i, occupied in enumerate(self.occupancy):
            self.heads[cycle, i] = occupied.sum(axis=0)

    def _count(self, kind: str, weigh: Callable[[str, int], Float], cycle: int) -> None:
        """Count heads at t_c, weighted by the vector that `weigh` gives for each outcome."""
        for item, occupied in zip(self.compartments, self.occupancy, strict=True):
            for counted in item.counted:
                if counted.kind != kind:
                    continue
                for which in self.shared.weights.all:
                    vector = weigh(self._outcome(counted), which)
                    self.account.add(counted, which, occupied * vector[cycle], cycle, item.bins)

    def _send(self, route: Route, mass: Float, cycle: int, into: list[Float]) -> None:
        for place, share in route.targets.items():
            into[self.number[place]][0] += mass * _at(self.evaluate(share), cycle)[0]

    def _pass(self, route: Route, which: int, mass: Any, cycle: int, word: str) -> None:
        """Count events; `mass` is of moves, to be weighted by the vector of the word."""
        for event, share in route.events.items():
            passed = mass * _at(self.evaluate(share), cycle)[0]
            for item in event:
                vector = getattr(self.shared.weights, word)(self._outcome(item), which)
                self.account.add(item, which, passed * vector[cycle], cycle)

    # -- any number of events

    def step_any(self, cycle: int) -> None:
        """A cycle of the continuous-time Markov chain."""
        rates = [
            [(flow, np.broadcast_to(self._rate(flow, cycle)[0], self.count)) for flow in item.risks]
            for item in self.compartments
        ]
        generator = self._generator(rates, cycle)
        x = np.stack([occupied[0] for occupied in self.occupancy], axis=-1)[:, None, :]
        moved, plain = self._exponentials(generator, 0.0)
        ends, years = (x @ moved)[:, 0], (x @ plain)[:, 0]
        for name in self.shared.model.outcomes:
            for which in self.shared.weights.all:
                self._count_any(name, which, cycle, generator, x, ends, years, rates)
        self.occupancy = [ends[:, i][None, :] for i in range(len(self.compartments))]

    def _generator(self, rates: list[list[tuple[Flow, Float]]], cycle: int) -> Float:
        size = len(self.compartments)
        generator = np.zeros((self.count, size, size))
        for i, flows in enumerate(rates):
            for flow, rate in flows:
                generator[:, i, i] -= rate
                for place, share in flow.route.targets.items():
                    part = rate * _at(self.evaluate(share), cycle)[0]
                    generator[:, i, self.number[place]] += part
        return generator

    def _exponentials(self, generator: Float, force: float) -> tuple[Float, Float]:
        """exp(Q d), and the integral of exp((Q - f) s) over the cycle, [draw, from, to]."""
        key = (generator.tobytes(), force)
        if key not in self._matrices:
            from scipy import linalg

            size = generator.shape[-1]
            block = np.zeros((self.count, 2 * size, 2 * size))
            block[:, :size, :size] = generator - force * np.eye(size)
            block[:, :size, size:] = np.eye(size)
            whole = linalg.expm(block * self.timing.cycle)
            self._matrices = {k: v for k, v in self._matrices.items() if k[0] == key[0]}
            self._matrices[key] = whole[:, :size, :size], whole[:, :size, size:]
        return self._matrices[key]

    def _count_any(
        self,
        name: str,
        which: int,
        cycle: int,
        generator: Float,
        x: Float,
        ends: Float,
        years: Float,
        rates: list[list[tuple[Flow, Float]]],
    ) -> None:
        weights = self.shared.weights
        force, at_start = self._continuous_discount(name, which, cycle)
        if self.timing.correction == "exact":
            spent = (x @ self._exponentials(generator, force)[1])[:, 0]
            spent = spent * at_start / weights.scale(name)
            per_move = spent
        else:
            first = weights.time_at_start(name, which)[cycle]
            second = weights.time_at_end(name, which)[cycle]
            points = weights.time_at_points(name, which)[cycle]
            spent = x[:, 0] * (first + points) + ends * second
            per_move = years * weights.moves(name, which)[cycle]
        for i, item in enumerate(self.compartments):
            for counted in item.counted:
                if counted.kind == "time" and self._outcome(counted) == name:
                    self.account.add(counted, which, spent[:, i], cycle)
            for flow, rate in rates[i]:
                self._pass_exact(flow.route, name, which, rate * per_move[:, i], cycle)

    # -- one event, integrated exactly

    def step_exact(self, cycle: int) -> None:
        """A cycle of competing risks; time and discount are integrals over it."""
        stays: list[Float] = []
        arrivals = [np.zeros_like(occupied) for occupied in self.occupancy]
        for item, occupied in zip(self.compartments, self.occupancy, strict=True):
            rates = [(flow, self._rate(flow, cycle, item.bins)) for flow in item.risks]
            total = sum((rate for _, rate in rates), np.zeros_like(occupied))
            for name in self.shared.model.outcomes:
                for which in self.shared.weights.all:
                    self._count_exact(item, occupied, rates, total, name, which, cycle)
            left = -np.expm1(-total * self.timing.cycle)
            for flow, rate in rates:
                share = np.divide(rate, total, out=np.zeros_like(total), where=total > 0)
                self._send(flow.route, (occupied * left * share).sum(axis=0), cycle, arrivals)
            stays.append(occupied * (1 - left))
        self._age(stays, arrivals)

    def _age(self, stays: list[Float], arrivals: list[Float]) -> None:
        """Who stays moves up by one bin (and to the next place, if a clock ticks)."""
        for item, stayed in zip(self.compartments, stays, strict=True):
            onward = arrivals[self.number.get(item.aged, self.number[item.place])]
            last = len(onward) - 1
            for r in range(len(stayed)):
                onward[min(r + 1, last)] += stayed[r]
        self.occupancy = arrivals

    def _count_exact(
        self,
        item: Compartment,
        occupied: Float,
        rates: list[tuple[Flow, Float]],
        total: Float,
        name: str,
        which: int,
        cycle: int,
    ) -> None:
        force, at_start = self._continuous_discount(name, which, cycle)
        at_start = at_start / self.shared.weights.scale(name)
        in_place = self._integral(total + force)
        after = self._integral(np.full_like(total, force)) - in_place
        for counted in item.counted:
            if counted.kind == "time" and self._outcome(counted) == name:
                spent = occupied * in_place * at_start
                self.account.add(counted, which, spent, cycle, item.bins)
        for flow, rate in rates:
            share = np.divide(rate, total, out=np.zeros_like(total), where=total > 0)
            moved = (occupied * rate * in_place * at_start).sum(axis=0)
            self._pass_exact(flow.route, name, which, moved, cycle)
            entered = (occupied * share * after * at_start).sum(axis=0)
            self._spend_after(flow.route, name, which, entered, cycle)

    def _spend_after(self, route: Route, name: str, which: int, entered: Float, cycle: int) -> None:
        """Time in the place entered, from the move to the end of the cycle."""
        for place, share in route.targets.items():
            target = self.compartments[self.number[place]]
            mass = entered * _at(self.evaluate(share), cycle)[0]
            for counted in target.counted:
                if counted.kind == "time" and self._outcome(counted) == name:
                    quantity = _at(self.evaluate(counted.quantity, target.bins), cycle)[0]
                    cell = Counted(counted.cell, "time", self.shared.partial.residuals.one)
                    self.account.add(cell, which, mass * quantity, cycle)

    def _integral(self, rate: Float) -> Float:
        """A(x) = (1 - exp(-x d)) / x, and d at 0."""
        d = self.timing.cycle
        small = rate < 1e-12
        return np.where(small, d, -np.expm1(-rate * d) / np.where(small, 1.0, rate))

    # -- both

    def _rate(self, flow: Flow, cycle: int, bins: int = 1) -> Float:
        found = _at(np.asarray(self.evaluate(flow.value, bins), dtype=float), cycle)
        return np.broadcast_to(found, (bins, self.count))

    def _continuous_discount(self, name: str, which: int, cycle: int) -> tuple[float, float]:
        """Force of discount within the cycle, and the factor that it begins with."""
        word = self.timing.discounting
        if word == "counted":
            factor = self.shared.weights.factors(name, which)[cycle]
            return float(self.force[name, which][cycle]), float(factor)
        return 0.0, float(self.shared.weights.moment(name, which, word)[cycle])

    def _pass_exact(self, route: Route, name: str, which: int, mass: Float, cycle: int) -> None:
        for event, share in route.events.items():
            for item in event:
                if self._outcome(item) == name:
                    passed = mass * _at(self.evaluate(share), cycle)[0]
                    self.account.add(item, which, passed, cycle)

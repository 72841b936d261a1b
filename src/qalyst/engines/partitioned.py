"""Partitioned survival: shares of states read from curves (Woods et al. 2017, NICE DSU TSD 19)."""

from __future__ import annotations

from collections.abc import Iterator
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
from qalyst.errors import ModelError
from qalyst.model.evaluate import Evaluator
from qalyst.model.program import Cell
from qalyst.model.residual import Residual
from qalyst.model.resolved import Label, Payoff

GAUSS_POINTS = 16


class PartitionedEngine:
    """Shares at points of time, weighted like the heads of a cohort.

    Parameters
    ----------
    shared : what the programs of the model share.
    """

    patients = 0
    together = 1

    def __init__(self, shared: Shared) -> None:
        self.shared = shared
        self._programs = [
            _Program(shared, strategy, profile)
            for strategy in shared.model.strategies
            for profile in shared.profiles
        ]

    @property
    def reached(self) -> dict[str, int]:
        """Strategy -> number of states."""
        model = self.shared.model
        return dict.fromkeys(model.strategies, len(model.states))

    def chunk_size(self, draws: int) -> int:
        """How many draws go through together."""
        return chunk_of_lanes(self.shared, draws)

    def run(self, evaluate: Evaluator, draws: Int, threads: int = 1) -> Found:
        """Quantities of every program; `draws` is only as long as the evaluator's."""
        return Found(self._each(evaluate, draws))

    def _each(self, evaluate: Evaluator, draws: Int) -> Iterator[Quantities]:
        for number, program in enumerate(self._programs):
            amounts = program.amounts(evaluate, len(draws), draws)
            yield quantities(self.shared, number, amounts, len(draws))

    def base(self, evaluate: Evaluator, threads: int) -> tuple[Found, list[TraceRow]]:
        """Quantities in the base case, with the share of every state."""
        weights = self.shared.profile_weights(evaluate)[:, 0]
        no_draws = np.array([], dtype=np.int64)
        found = []
        total: dict[tuple[str, str], Float] = {}
        for number, program in enumerate(self._programs):
            amounts = program.amounts(evaluate, 1, no_draws)
            found.append(quantities(self.shared, number, amounts, 1))
            for state, share in program.shares(evaluate, 1, no_draws).items():
                key = (program.strategy, state)
                total[key] = total.get(key, 0.0) + weights[number % len(weights)] * share[:, 0]
        rows = [TraceRow(strategy, state, 0, share) for (strategy, state), share in total.items()]
        return Found(found), rows


class _Program:
    """Residuals of one strategy and profile."""

    def __init__(self, shared: Shared, strategy: str, profile: dict[str, Label]) -> None:
        self.shared, self.model = shared, shared.model
        self.strategy, self.profile = strategy, profile
        self.occupancy = {
            state: shared.partial.value(expression, self._known(state))
            for state, expression in self.model.occupancy.items()
        }
        self.counted = [
            (payoff, state, self._cell(number, payoff, state), self._quantity(payoff, state))
            for number, payoff in enumerate(self.model.payoffs)
            for state in (payoff.within or payoff.targets or ())
        ]

    def _known(self, state: str) -> dict[str, Any]:
        return {**self.profile, "strategy": self.strategy, "state": state}

    def _cell(self, number: int, payoff: Payoff, state: str) -> int:
        price = self.shared.partial.price(payoff.price, self._known(state))
        return self.shared.number(Cell(number, state, price))

    def _quantity(self, payoff: Payoff, state: str) -> Residual:
        return self.shared.partial.value(payoff.quantity, self._known(state))

    def shares(self, evaluate: Evaluator, count: int, draws: Int) -> dict[str, Float]:
        """State -> [n + 1, draw] share; checked.

        Raises
        ------
        ModelError
            A share below 0 (curves that cross), or shares that do not sum to 1.
        """
        points = self.model.timing.cycles + 1
        found = {}
        for state, node in self.occupancy.items():
            values = np.broadcast_to(evaluate(node)[:, 0], (points, count)).astype(float)
            wrong = ~(values >= -1e-12)
            if wrong.any():
                cycle, lane = (int(i[0]) for i in np.nonzero(wrong))
                raise ModelError(
                    f"the share of '{state}' is {values[cycle, lane]:.4g} at year "
                    f"{cycle * self.model.timing.cycle:.3g}: the curves cross",
                    where=f"{self.model.occupancy[state].shown}; {self._where(draws, lane)}",
                    mend="cap the curve with min(...)",
                )
            found[state] = values
        self._check_sum(np.sum(list(found.values()), axis=0), draws)
        return found

    def _check_sum(self, total: Float, draws: Int) -> None:
        cycle, lane = np.unravel_index(np.argmax(np.abs(total - 1)), total.shape)
        if not abs(total[cycle, lane] - 1) < 1e-9:
            first = next(iter(self.model.occupancy.values()))
            raise ModelError(
                f"the shares of the states sum to {total[cycle, lane]:.6g} at year "
                f"{cycle * self.model.timing.cycle:.3g}",
                where=f"{first.where}; {self._where(draws, int(lane))}",
                mend="write one of them as 1 minus the others",
            )

    def _where(self, draws: Int, lane: int) -> str:
        draw = f", draw {draws[lane]}" if len(draws) else ""
        return f"strategy {self.strategy}{draw}"

    def amounts(self, evaluate: Evaluator, count: int, draws: Int) -> dict[int, Float]:
        """Cell -> [rates, draw] quantity."""
        shares = self.shares(evaluate, count, draws)
        exact = self.model.timing.correction == "exact"
        integrals = self._integrals(evaluate, count) if exact else {}
        amounts: dict[int, Float] = {}
        for payoff, state, cell, quantity in self.counted:
            points = self.model.timing.cycles + 1
            value = np.broadcast_to(evaluate(quantity)[:, 0], (points, count)).astype(float)
            total = amounts.setdefault(cell, np.zeros((self.shared.weights.count, count)))
            for which in self.shared.weights.all:
                if payoff.within is None:
                    spent = integrals.get((state, payoff.outcome, which))
                    total[which] += self._gained(payoff, shares[state], value, which, spent)
                elif exact:
                    scale = self.shared.weights.scale(payoff.outcome)
                    spent = integrals[state, payoff.outcome, which] / scale
                    total[which] += (spent * value[:-1]).sum(axis=0)
                else:
                    total[which] += self._spent(payoff, shares[state], value, which)
        return amounts

    def _spent(self, payoff: Payoff, share: Float, value: Float, which: int) -> Float:
        weights = self.shared.weights
        points = weights.time_at_points(payoff.outcome, which)
        first = weights.time_at_start(payoff.outcome, which) + points
        second = weights.time_at_end(payoff.outcome, which)[:-1]
        amount = (share * value * first[:, None]).sum(axis=0)
        return np.asarray(amount + (share[1:] * value[:-1] * second[:, None]).sum(axis=0))

    def _gained(
        self,
        payoff: Payoff,
        share: Float,
        value: Float,
        which: int,
        spent: Float | None,
    ) -> Float:
        """Entries to an absorbing state: what it holds at time 0, and what it gains later.

        With continuous discounting (`spent`: discounted years in each cycle) the gain of a cycle
        is integrated by parts: V N at its end less V N at its start, plus force times V N years.
        """
        weights, outcome = self.shared.weights, payoff.outcome
        at_once = weights.scheduled(outcome, which)[0] * share[0] * value[0]
        if spent is not None and self.model.timing.discounting == "counted":
            held = weights.factors(outcome, which)[:, None] * share
            force = weights.force(outcome, which)[:, None]
            gains = (np.diff(held, axis=0) + force * spent) / weights.scale(outcome)
        else:
            gains = np.diff(share, axis=0) * weights.moves(outcome, which)[:-1, None]
        return np.asarray(at_once + (gains * value[:-1]).sum(axis=0))

    def _integrals(self, evaluate: Evaluator, count: int) -> dict[tuple[str, str, int], Float]:
        """(state, outcome, which rates) -> [n, draw] discounted years in each cycle."""
        cycle, n = self.model.timing.cycle, self.model.timing.cycles
        nodes, weights = np.polynomial.legendre.leggauss(GAUSS_POINTS)
        total: dict[tuple[str, str, int], Float] = {}
        for node, weight in zip((nodes + 1) / 2 * cycle, weights / 2 * cycle, strict=True):
            at_node = evaluate.later(float(node))
            for state, residual in self.occupancy.items():
                share = np.broadcast_to(at_node(residual)[:n, 0], (n, count))
                for outcome in self.model.outcomes:
                    for which in self.shared.weights.all:
                        factor = self._discount(outcome, which, float(node))
                        key = (state, outcome, which)
                        total[key] = total.get(key, 0.0) + weight * factor[:, None] * share
        return total

    def _discount(self, outcome: str, which: int, node: float) -> Float:
        weights, word = self.shared.weights, self.model.timing.discounting
        if word != "counted":
            return weights.moment(outcome, which, word)
        force = weights.force(outcome, which)
        return weights.factors(outcome, which)[:-1] * np.exp(-force * node)

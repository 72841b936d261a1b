"""Strategies that are sequences of treatments, run together: lines with one past are run once.

Each line is a sojourn matrix (`qalyst.kernels.sojourns`), built once for each draw and profile and
used by all sequences that have it, after whatever came before.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from qalyst.axes import Int
from qalyst.engines.engine import Found, Quantities, Shared, TraceRow, chunk_of_lanes, quantities
from qalyst.engines.sojourn_tree import Tree
from qalyst.kernels.sojourns import fits
from qalyst.model.chains import Line, NotAChainError, chain_of
from qalyst.model.evaluate import Evaluator
from qalyst.model.lowering import lower
from qalyst.model.merging import merge
from qalyst.model.program import Program
from qalyst.params.draws import BaseCase


class SojournEngine:
    """All strategies of a model whose lines of therapy are chains.

    Parameters
    ----------
    shared : what the programs of the model share.
    least_gain : how many times as fast as the cohort engine it must be.

    Raises
    ------
    NotAChainError
        The model needs the cohort engine, and why.
    """

    patients = 0
    together = 1

    def __init__(self, shared: Shared, *, least_gain: float = 0.0) -> None:
        self.shared = shared
        timing = shared.model.timing
        if timing.events_per_cycle == "any" or timing.correction == "exact":
            raise NotAChainError("time is continuous")
        if shared.model.occupancy or shared.model.is_tree:
            raise NotAChainError("it has no lines of therapy in cycles")
        two = timing.events_per_cycle == "two"
        self._alone = 0.0
        self._trees: list[Tree] = []
        self._reached: dict[str, int] = {}
        for profile in shared.profiles:
            self._trees.append(Tree(shared, two))
            for strategy in shared.model.strategies:
                program = lower(shared.partial, strategy, profile)
                shared.guards.add(program.guards)
                merged = merge(program, shared.partial.residuals)
                self._alone += _cells(merged, timing.cycles)
                chain = chain_of(merged)
                self._reached[strategy] = len(chain.lines)
                self._trees[-1].add(chain)
            if self.gain < least_gain:  # seen by the first profile: the others are like it
                raise NotAChainError(self._few_alike())
        self._check_arrivals()

    def _few_alike(self) -> str:
        whole, kinds = sum(self._reached.values()), len(self._trees[0].lines)
        path = ", ".join(sorted(self.shared.model.trackers))
        because = f" (lines depend on the path: {path})" if path else ""
        return (
            f"{kinds} of their {whole} lines differ in their hazards{because}, too many for "
            "running them together to be faster"
        )

    def _check_arrivals(self) -> None:
        """What the kernel takes for granted holds: see `kernels.sojourns.through_lines`."""
        evaluate = self.shared.evaluator(BaseCase(self.shared.model.parameters))
        for tree in self._trees:
            if not fits(*tree.hazards(evaluate, 1), two_events=tree.two_events):
                raise NotAChainError("the hazards of a line are very high")
            for line in tree.lines:
                _check_arrival(line, evaluate)

    @property
    def reached(self) -> dict[str, int]:
        """Strategy -> its lines."""
        return self._reached

    @property
    def nodes(self) -> int:
        """Lines that are run for one profile; those of a shared beginning count once."""
        return max(len(tree.parent) for tree in self._trees)

    @property
    def gain(self) -> float:
        """How many times as long the cohort engine would take, roughly.

        In units of a cell of the cohort's kernel; the factors were measured.
        """
        triangle = self.shared.model.timing.cycles**2 / 2
        together = 0.0
        for tree in self._trees:
            rows = 0.24 * len(tree.heads.causes) + 0.48 * len(tree.moves.causes)
            together += len(tree.lines) * (2.4 + rows) + 0.13 * len(tree.parent)
        return self._alone / (together * triangle)

    def chunk_size(self, draws: int) -> int:
        """How many draws go through together."""
        return chunk_of_lanes(self.shared, draws)

    def run(self, evaluate: Evaluator, draws: Int, threads: int = 1) -> Found:
        """Quantities of every program; `draws` is only as long as the evaluator's."""
        return Found(self._each(evaluate, max(len(draws), 1)))

    def _each(self, evaluate: Evaluator, count: int) -> Iterator[Quantities]:
        for profile, tree in enumerate(self._trees):
            for strategy, amounts in enumerate(tree.run(evaluate, count)):
                number = strategy * len(self._trees) + profile
                yield quantities(self.shared, number, amounts, count)

    def base(self, evaluate: Evaluator, threads: int) -> tuple[Found, list[TraceRow]]:
        """Quantities in the base case; no trace is formed."""
        return self.run(evaluate, np.array([], np.int64)), []


def _check_arrival(line: Line, evaluate: Evaluator) -> None:
    if line.at_arrival is None:
        return
    for link in (line.onward, *line.leaving):
        if link is None or link.hazard is None:
            continue
        then = line.at_arrival.get(link.name)
        here, there = evaluate(link.hazard, line.bins)[0, 0], 0.0
        if then is not None:
            there = evaluate(then)[0, 0]
        if not np.allclose(here.astype(float), there, rtol=1e-12, atol=0):
            raise NotAChainError(f"'{link.name}' has another rate at arrival")


def _cells(program: Program, cycles: int) -> float:
    """Cells that the cohort's kernel visits: nobody is in a bin that takes longer to reach."""
    bins = (min(each.bins, cycles) for each in program.compartments.values())
    return float(sum(count * (cycles - count / 2) for count in bins))

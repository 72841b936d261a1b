"""The compiled cohort engine: one event per cycle, corrections as weights."""

from __future__ import annotations

import pickle
from collections.abc import Iterator
from typing import Any

import numpy as np

from qalyst.axes import Float, Int
from qalyst.engines.engine import Quantities, Shared, TraceRow
from qalyst.kernels import cache
from qalyst.kernels import cohort as kernel
from qalyst.model.evaluate import Evaluator
from qalyst.model.lowering import lower
from qalyst.model.merging import merge
from qalyst.model.pool import Pool
from qalyst.model.tables import Builder, Lowered


class CohortEngine:
    """Programs of a model over one pool of tables, run by the compiled kernel.

    Parameters
    ----------
    shared : what the programs of the model share.
    """

    def __init__(self, shared: Shared) -> None:
        self.shared = shared
        self._pool, self._lowered = self._lower(by_state=False)
        self._cells = [
            tuple(shared.number(cell) for cell in lowered.cells) for lowered in self._lowered
        ]

    def _lower(self, *, by_state: bool) -> tuple[Pool, list[Lowered]]:
        shared = self.shared
        partial = shared.partial
        pool = Pool(shared.static, shared.model.timing.cycles)
        builder = Builder(
            shared.model, partial.residuals, pool, shared.weights, by_state=by_state
        )
        for strategy in shared.model.strategies:
            for profile in shared.profiles:
                program = lower(partial, strategy, profile)
                shared.guards.add(program.guards)
                builder.add(merge(program, partial.residuals, by_state=by_state))
        return pool, builder.build()

    @property
    def reached(self) -> dict[str, int]:
        """Strategy -> the most compartments that the kernel carries for a profile."""
        found: dict[str, int] = {}
        for lowered in self._lowered:
            name = lowered.program.strategy
            found[name] = max(found.get(name, 0), len(lowered.program.compartments))
        return found

    def run(self, evaluate: Evaluator, draws: Int) -> Iterator[Quantities]:
        """Quantities of every program; `draws` is only as long as the evaluator's."""
        count = len(draws)
        values = _values(self._pool, evaluate, count)
        peaks = values.max(axis=2)
        flat = values.reshape(len(values), -1)
        profiles = len(self.shared.profiles)
        nothing = np.zeros((0, 0, 0))
        for number, (lowered, cells) in enumerate(zip(self._lowered, self._cells, strict=True)):
            out = np.zeros((len(values), 2 * len(cells) * kernel.LANES))
            _call(lowered.tables, flat, peaks, nothing, out)
            amount = out.reshape(len(values), len(cells), 2, kernel.LANES).transpose(1, 2, 0, 3)
            amount = amount.reshape(len(cells), 2, -1)[:, :, :count]
            yield Quantities(number // profiles, number % profiles, cells, amount)

    def trace(self, evaluate: Evaluator) -> list[TraceRow]:
        """Occupancy by state and line in the base case."""
        pool, programs = self._lower(by_state=True)
        values = _values(pool, evaluate, 1)
        peaks, flat = values.max(axis=2), values.reshape(1, -1)
        weights = self.shared.profile_weights(evaluate)[:, 0]
        points = self.shared.model.timing.cycles + 1
        total: dict[tuple[str, str, int], Float] = {}
        for number, lowered in enumerate(programs):
            rows = int(lowered.tables.shape[3])
            kept = np.zeros((rows, points, kernel.LANES))
            out = np.zeros((1, 2 * len(lowered.cells) * kernel.LANES))
            _call(lowered.tables, flat, peaks, kept, out)
            after = len(lowered.places) if lowered.tables.shape[5] else 0
            for atom, (state, line) in enumerate(lowered.places):
                if state:
                    key = (lowered.program.strategy, state, line)
                    weight = weights[number % len(self.shared.profiles)]
                    total[key] = total.get(key, 0.0) + weight * kept[after + atom, :, 0]
        return [TraceRow(*key, occupancy) for key, occupancy in total.items()]


def _values(pool: Pool, evaluate: Evaluator, count: int) -> Float:
    """[block, row, lane] the pool's values; the last draw fills the last block."""
    blocks = -(-count // kernel.LANES)
    values = np.empty((blocks, pool.size, kernel.LANES))
    pool.fill(evaluate, values, count)
    return values


def _call(*arguments: Any) -> None:
    """Run the kernel; a damaged file of compiled code is thrown away, once."""
    tables = arguments[0]
    scratch = kernel.scratch(tables)
    try:
        kernel.run_cohort(tables, scratch, *arguments[1:])
    except (pickle.UnpicklingError, EOFError, OSError):
        cache.clear()
        kernel.run_cohort(tables, scratch, *arguments[1:])

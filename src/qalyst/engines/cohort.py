"""The compiled cohort engine: one event per cycle, corrections as weights."""

from __future__ import annotations

import os
import pickle
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from qalyst.axes import Float, Int
from qalyst.engines.engine import Found, Quantities, Shared, TraceRow, chunk_of_lanes
from qalyst.errors import ModelError
from qalyst.kernels import cache
from qalyst.kernels import cohort as kernel
from qalyst.kernels.layout import scratch
from qalyst.kernels.rows import LANES
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

    patients = 0
    together = LANES

    def __init__(self, shared: Shared) -> None:
        self.shared = shared
        self._pool, self._lowered = self._lower(by_state=False)
        for lowered in self._lowered:
            for cell in lowered.cells:
                shared.number(cell)

    def _lower(self, *, by_state: bool) -> tuple[Pool, list[Lowered]]:
        shared = self.shared
        partial = shared.partial
        pool = Pool(shared.static, shared.model.timing.cycles)
        builder = Builder(shared.model, partial.residuals, pool, shared.weights, by_state=by_state)
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

    def chunk_size(self, draws: int) -> int:
        """How many draws go through together."""
        return chunk_of_lanes(self.shared, draws)

    def run(self, evaluate: Evaluator, draws: Int, threads: int = 1) -> Found:
        """Quantities of every program; `draws` is only as long as the evaluator's."""
        return Found(self._each(evaluate, draws))

    def _each(self, evaluate: Evaluator, draws: Int) -> Iterator[Quantities]:
        block = _Block(self._pool, evaluate, len(draws))
        for number, lowered in enumerate(self._lowered):
            yield self._quantities(number, lowered, block.run(lowered))

    def base(self, evaluate: Evaluator, threads: int) -> tuple[Found, list[TraceRow]]:
        """Quantities in the base case, with the occupancy by state and line."""
        pool, programs = self._lower(by_state=True)
        block = _Block(pool, evaluate, 1)
        weights = self.shared.profile_weights(evaluate)[:, 0]
        points = self.shared.model.timing.cycles + 1

        def work(lowered: Lowered) -> tuple[Float, Float]:
            kept = np.zeros((int(lowered.tables.shape[3]), points, LANES))
            return block.run(lowered, kept), kept[:, :, 0]

        quantities = []
        occupancy: dict[tuple[str, str, int], Float] = {}
        with ThreadPoolExecutor(threads) as pool_of_threads:
            for number, (lowered, found) in enumerate(
                zip(programs, pool_of_threads.map(work, programs), strict=True)
            ):
                amount, kept = found
                quantities.append(self._quantities(number, lowered, amount))
                weight = weights[number % len(weights)]
                after = len(lowered.places) if lowered.tables.shape[5] else 0
                for atom, (state, line) in enumerate(lowered.places):
                    if state:
                        key = (lowered.program.strategy, state, line)
                        here = weight * kept[after + atom]
                        occupancy[key] = occupancy.get(key, 0.0) + here
        return Found(quantities), [TraceRow(*key, shares) for key, shares in occupancy.items()]

    def _quantities(self, number: int, lowered: Lowered, amount: Float) -> Quantities:
        cells = tuple(map(self.shared.number, lowered.cells))
        strategy, profile = divmod(number, len(self.shared.profiles))
        return Quantities(strategy, profile, cells, amount)


class _Block:
    """Values of a pool for some draws, over which programs are run.

    Parameters
    ----------
    pool, evaluate : whose values.
    count : how many draws; the last one fills the lanes that are left.
    """

    def __init__(self, pool: Pool, evaluate: Evaluator, count: int) -> None:
        self._count = count
        values = np.empty((-(-count // LANES), pool.size, LANES))
        pool.fill(evaluate, values, count)
        self._peaks = values.max(axis=2)
        self._values = values.reshape(len(values), -1)

    def run(self, lowered: Lowered, kept: Float | None = None) -> Float:
        """[cell, rates, draw] quantities; `kept` takes the trace of the last block."""
        cells, blocks = len(lowered.cells), len(self._values)
        out = np.zeros((blocks, lowered.rates * cells * LANES))
        nothing = np.zeros((0, 0, 0))
        arguments = (self._values, self._peaks, nothing if kept is None else kept, out)
        try:
            kernel.run_cohort(lowered.tables, scratch(lowered.tables), *arguments)
        except (pickle.UnpicklingError, EOFError, OSError) as error:  # a damaged compiled file
            if not cache.clear():
                raise ModelError(
                    f"compiled code cannot be read ({error})",
                    where=f"NUMBA_CACHE_DIR={os.environ['NUMBA_CACHE_DIR']}",
                    mend="empty that folder, or unset the variable",
                ) from error
            kernel.run_cohort(lowered.tables, scratch(lowered.tables), *arguments)
        amount = out.reshape(blocks, cells, lowered.rates, LANES).transpose(1, 2, 0, 3)
        return amount.reshape(cells, lowered.rates, blocks * LANES)[:, :, : self._count]

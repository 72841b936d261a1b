"""Runs: the base case and the probabilistic analysis.

Draws go through in chunks of a size that the model and their number decide, on plain threads over
kernels that release the interpreter; results are put together in the order of the chunks, so that
the same seed gives the same bits for any number of threads.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from qalyst.axes import Float, Int
from qalyst.engines.engine import Engine, Quantities, Shared, TraceRow
from qalyst.errors import ModelError
from qalyst.model.evaluate import Evaluator
from qalyst.model.resolved import ResolvedModel
from qalyst.outcomes import (
    Outcomes,
    profiles_dataset,
    quantities_dataset,
    totals_dataset,
    trace_array,
)
from qalyst.params.draws import BaseCase, Draws, Values

if TYPE_CHECKING:
    import xarray as xr

LEAST_CHUNK = 128  # the lanes of the kernels; chunks are a multiple of it
SMALL_CHUNK, LARGE_CHUNK, FEW_PROGRAMS = 256, 1024, 16
MOST_DRAWS = 10_000_000
MOST_NUMBERS_KEPT = 25_000_000  # of quantities by draw; a longer run keeps their means
Progress = Callable[[int, int], None]


def engine_name(model: ResolvedModel) -> str:
    """Which engine runs a model: partitioned, continuous or cohort."""
    if model.occupancy:
        return "partitioned"
    if model.timing.events_per_cycle == "any" or model.timing.correction == "exact":
        return "continuous"
    return "cohort"


def engine_for(model: ResolvedModel) -> Engine:
    """The engine that can run a model, prepared for it."""
    shared = Shared(model)
    match engine_name(model):
        case "partitioned":
            from qalyst.engines.partitioned import PartitionedEngine

            return PartitionedEngine(shared)
        case "continuous":
            from qalyst.engines.continuous import ContinuousEngine

            return ContinuousEngine(shared)
    from qalyst.engines.cohort import CohortEngine

    return CohortEngine(shared)


def check_request(
    *, draws: int | None = None, seed: int | None = None, threads: int | None = None
) -> None:
    """Refuse numbers that no run can have; None is always allowed.

    Raises
    ------
    ModelError
        Draws, a seed or threads out of range.
    """
    if draws is not None and not 1 <= draws <= MOST_DRAWS:
        raise ModelError(
            f"{draws} draws are {'none' if draws < 1 else 'too many'}",
            where=f"draws (--draws {draws})",
            mend="ask for 1 or more; 1,000 show the picture, 10,000 are usual, 100,000 are plenty "
            "(a base case alone needs none: --deterministic)",
        )
    if seed is not None and not 0 <= seed < 2**64:
        raise ModelError(
            f"the seed {seed} is not between 0 and 2^64 - 1",
            where=f"seed (--seed {seed})",
            mend="give a whole number from 0 upwards",
        )
    if threads is not None and threads < 1:
        raise ModelError(
            f"{threads} threads are none",
            where=f"threads (--threads {threads})",
            mend="ask for 1 or more; left out, all processors are used",
        )


def base_case(
    model: ResolvedModel, engine: Engine | None = None, *, threads: int | None = None
) -> Outcomes:
    """The deterministic base case: every parameter at its value, with the trace.

    Parameters
    ----------
    model : the resolved model.
    engine : one that was prepared for this model already.
    threads : how many; all processors if None. It does not change any bit of the result.

    Examples
    --------
    >>> from qalyst.model.resolve import load_model
    >>> outcomes = base_case(load_model("sumatriptan"))
    >>> float(outcomes.total("costs").sel(strategy="caffeine").round(2).item())
    4.71
    """
    check_request(threads=threads)
    engine = engine or engine_for(model)
    evaluate = engine.shared.evaluator(BaseCase(model.parameters))
    nobody = np.array([], np.int64)
    engine.shared.guards.check(evaluate, nobody)
    quantities, rows = engine.base(evaluate, _workers(threads))
    collector = _Collector(engine, 1, keep=True)
    collector.put(0, _added_up(engine.shared, evaluate, quantities, nobody))
    return collector.outcomes(_trace(model, rows))


def simulate(
    model: ResolvedModel,
    *,
    draws: int,
    seed: int,
    threads: int | None = None,
    engine: Engine | None = None,
    progress: Progress | None = None,
) -> Outcomes:
    """The probabilistic analysis: outcomes of each draw of the parameters.

    Parameters
    ----------
    model : the resolved model.
    draws : how many joint samples of the parameters.
    seed : any integer from 0 to 2**64 - 1.
    threads : how many; all processors if None. It does not change any bit of the result.
    engine : one that was prepared for this model already.
    progress : called with (draws done, draws) as chunks finish.

    Raises
    ------
    ModelError
        A draw in which the model cannot be run, or a number that no run can have.
    """
    check_request(draws=draws, seed=seed, threads=threads)
    engine = engine or engine_for(model)
    numbers = np.arange(draws, dtype=np.int64)
    size = _chunk_size(engine.shared, draws)
    chunks = [numbers[begin : begin + size] for begin in range(0, draws, size)]
    collector = _Collector(engine, draws)

    def work(chunk: Int) -> _Chunk:
        return _chunk(engine, Draws(model.parameters, seed, chunk), chunk)

    for done, (number, result) in enumerate(_in_order(work, chunks, threads), start=1):
        collector.put(number * size, result)
        if progress is not None:
            progress(min(done * size, draws), draws)
    return collector.outcomes()


def _chunk_size(shared: Shared, draws: int) -> int:
    """Draws that go through together: no more than an eighth, so that threads share the work.

    A small model goes through in larger chunks, since what is done once a chunk weighs more; a
    large one in smaller, so that its progress is seen.
    """
    programs = len(shared.model.strategies) * len(shared.profiles)
    most = LARGE_CHUNK if programs <= FEW_PROGRAMS else SMALL_CHUNK
    return min(max(draws // 8 // LEAST_CHUNK, 1) * LEAST_CHUNK, most)


def _workers(threads: int | None) -> int:
    return threads if threads is not None else os.cpu_count() or 1


def _in_order(
    work: Callable[[Int], _Chunk], chunks: list[Int], threads: int | None
) -> Iterator[tuple[int, _Chunk]]:
    """Chunks done, in their order; only a few wait at a time, so that memory is bounded."""
    workers = min(_workers(threads), len(chunks))
    with ThreadPoolExecutor(workers) as pool:
        waiting: list[Future[_Chunk]] = []
        todo = iter(chunks)
        number = 0
        try:
            for chunk in todo:
                waiting.append(pool.submit(work, chunk))
                if len(waiting) > workers:
                    yield number, waiting.pop(0).result()
                    number += 1
            while waiting:
                yield number, waiting.pop(0).result()
                number += 1
        finally:
            for future in waiting:
                future.cancel()


@dataclass(frozen=True)
class _Chunk:
    """Results of some draws.

    Attributes
    ----------
    quantities : [strategy, cell, discounted or not, draw] averaged over profiles.
    outcomes : [strategy, outcome, discounted or not, draw] averaged over profiles.
    by_profile : [strategy, profile, outcome, draw] discounted.
    prices : [cell, draw].
    weights : [profile, draw].
    """

    quantities: Float
    outcomes: Float
    by_profile: Float
    prices: Float
    weights: Float


def _chunk(engine: Engine, values: Values, draws: Int) -> _Chunk:
    evaluate = engine.shared.evaluator(values)
    engine.shared.guards.check(evaluate, draws)
    return _added_up(engine.shared, evaluate, engine.run(evaluate, draws), draws)


def _added_up(
    shared: Shared, evaluate: Evaluator, programs: Iterable[Quantities], draws: Int
) -> _Chunk:
    """Quantities of the programs averaged over profiles, and priced; no draws: the base case."""
    model = shared.model
    count = max(len(draws), 1)
    weights = np.broadcast_to(shared.profile_weights(evaluate), (len(shared.profiles), count))
    strategies, outcomes = len(model.strategies), list(model.outcomes)
    quantities = np.zeros((strategies, len(shared.cells), 2, count))
    totals = np.zeros((strategies, len(outcomes), 2, count))
    by_profile = np.zeros((strategies, len(shared.profiles), len(outcomes), count))
    prices = np.zeros((len(shared.cells), count))
    for number, priced in enumerate(shared.cells):
        prices[number] = shared.price(evaluate, priced)
    outcome_of = [outcomes.index(model.payoffs[cell.payoff].outcome) for cell in shared.cells]
    for found in programs:
        weight = weights[found.profile]
        for row, cell in enumerate(found.cells):
            amount = found.amount[row]
            quantities[found.strategy, cell] += weight * amount
            value = amount * prices[cell]
            by_profile[found.strategy, found.profile, outcome_of[cell]] += value[0]
            totals[found.strategy, outcome_of[cell]] += weight * value
    _refuse_nonsense(model, totals, draws)
    return _Chunk(quantities, totals, by_profile, prices, weights)


def _refuse_nonsense(model: ResolvedModel, totals: Float, draws: Int) -> None:
    wrong = ~np.isfinite(totals)
    if wrong.any():
        strategy, outcome, _, lane = (int(i[0]) for i in np.nonzero(wrong))
        name, result = list(model.strategies)[strategy], list(model.outcomes)[outcome]
        which = f"draw {draws[lane]}" if len(draws) else "the base case"
        raise ModelError(
            f"'{result}' of '{name}' is no number in {which}",
            where=f"{model.file}  payoffs.{result}",
            mend="look for a division by 0, or a logarithm or power of a negative number",
        )


def _trace(model: ResolvedModel, rows: list[TraceRow]) -> xr.DataArray:
    """Occupancy [strategy, place, point] of the base case."""
    order, strategies = list(model.states), list(model.strategies)
    places = sorted(
        {(row.state, row.line) for row in rows}, key=lambda p: (order.index(p[0]), p[1])
    )
    points = model.timing.cycles + 1
    occupancy = np.zeros((len(strategies), len(places), points))
    for row in rows:
        where = strategies.index(row.strategy), places.index((row.state, row.line))
        occupancy[where] = row.occupancy
    years = np.asarray(np.arange(points) * model.timing.cycle, float)
    return trace_array(occupancy, strategies, places, years)


class _Collector:
    """Puts chunks together."""

    def __init__(self, engine: Engine, draws: int, *, keep: bool = False) -> None:
        self.engine, self.draws = engine, draws
        shared = engine.shared
        model = shared.model
        strategies, outcomes = len(model.strategies), len(model.outcomes)
        self.totals = np.zeros((draws, strategies, outcomes, 2))
        width = strategies * (len(shared.cells) * 2 + len(shared.profiles) * outcomes)
        self.keep = keep or draws * width <= MOST_NUMBERS_KEPT
        kept = draws if self.keep else 1
        self.quantities = np.zeros((kept, strategies, 0, 2))
        self.by_profile = np.zeros((kept, strategies, len(shared.profiles), outcomes))
        self.prices = np.zeros((kept, 0))
        self.amounts = np.zeros((strategies, 0, 2))
        self.weights = np.zeros((kept, len(shared.profiles)))

    def put(self, begin: int, chunk: _Chunk) -> None:
        """Take in the results of the draws from `begin` on."""
        cells = chunk.prices.shape[0]
        if self.quantities.shape[2] != cells:
            kept, strategies = self.quantities.shape[:2]
            self.quantities = np.zeros((kept, strategies, cells, 2))
            self.prices = np.zeros((kept, cells))
            self.amounts = np.zeros((strategies, cells, 2))
        count = chunk.prices.shape[1]
        self.totals[begin : begin + count] = chunk.outcomes.transpose(3, 0, 1, 2)
        quantities = chunk.quantities.transpose(3, 0, 1, 2)
        by_profile = chunk.by_profile.transpose(3, 0, 1, 2)
        self.amounts += np.einsum("sckd,cd->sck", chunk.quantities, chunk.prices) / self.draws
        if self.keep:
            here = slice(begin, begin + count)
            self.quantities[here], self.by_profile[here] = quantities, by_profile
            self.prices[here], self.weights[here] = chunk.prices.T, chunk.weights.T
            return
        self.quantities[0] += quantities.sum(axis=0) / self.draws
        self.prices[0] += chunk.prices.sum(axis=1) / self.draws
        self.by_profile[0] += by_profile.sum(axis=0) / self.draws
        self.weights[0] += chunk.weights.sum(axis=1) / self.draws

    def outcomes(self, trace: xr.DataArray | None = None) -> Outcomes:
        """The results with their labels."""
        shared = self.engine.shared
        model = shared.model
        strategies, outcomes = list(model.strategies), list(model.outcomes)
        cells = [
            (
                model.payoffs[cell.payoff].outcome,
                model.payoffs[cell.payoff].name,
                cell.state,
                str(cell.price),
            )
            for cell in shared.cells
        ]
        return Outcomes(
            totals=totals_dataset(self.totals[..., 0], self.totals[..., 1], strategies, outcomes),
            quantities=quantities_dataset(
                self.quantities, self.prices, self.amounts, strategies, cells
            ),
            profiles=profiles_dataset(
                self.by_profile, self.weights, strategies, _profile_names(shared), outcomes
            ),
            trace=trace,
            kept_by_draw=self.keep,
        )


def _profile_names(shared: Shared) -> list[str]:
    return [
        ", ".join(f"{name} {label}" for name, label in profile.items()) or "all"
        for profile in shared.profiles
    ]

"""Runs: the base case and the probabilistic analysis.

Draws go through in chunks of a size that the model and their number decide, on plain threads over
kernels that release the interpreter; results are put together in the order of the chunks, so that
the same seed gives the same bits for any number of threads.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np

from qalyst.axes import Float, Int
from qalyst.collecting import Chunk, Collector, added_up, labelled_trace
from qalyst.engines.engine import Engine, Luck, Shared
from qalyst.errors import ModelError
from qalyst.io.store import ChunkStore
from qalyst.model.resolved import ResolvedModel
from qalyst.outcomes import Outcomes, Rates
from qalyst.params.draws import BaseCase, Draws, Points, Values, coordinates
from qalyst.params.parameter import Path
from qalyst.stats.designs import REPLICATES, Design, Sampling

MOST_DRAWS, MOST_PATIENTS = 10_000_000, 1_000_000_000
Progress = Callable[[int, int], None]


def engine_name(model: ResolvedModel) -> str:
    """Which engine runs a model: partitioned, continuous or cohort."""
    if model.occupancy:
        return "partitioned"
    if model.timing.events_per_cycle == "any" or model.timing.correction == "exact":
        return "continuous"
    return "cohort"


def individuals_for(
    model: ResolvedModel,
    *,
    patients: int,
    seed: int,
    luck: Luck = "plain",
    rates: tuple[Rates, ...] = (),
) -> Engine:
    """The individuals engine, prepared for a model: so many patients in each draw.

    `luck` is plain, antithetic or quasi; see `qalyst.engines.individuals`. `rates` are discount
    rates at which totals are kept besides the model's own and none.
    """
    from qalyst.engines.individuals import IndividualsEngine

    check_request(patients=patients, seed=seed)
    return IndividualsEngine(Shared(model, rates), patients=patients, seed=seed, luck=luck)


def engine_for(model: ResolvedModel, *, rates: tuple[Rates, ...] = ()) -> Engine:
    """The cohort engine that can run a model, prepared for it.

    `rates` are discount rates at which totals are kept besides the model's own and none.
    """
    shared = Shared(model, rates)
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
    *,
    draws: int | None = None,
    seed: int | None = None,
    threads: int | None = None,
    patients: int | None = None,
) -> None:
    """Refuse numbers that no run can have; None is always allowed.

    Raises
    ------
    ModelError
        Draws, a seed, threads or patients out of range.
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
    if patients is not None and not 1 <= patients <= MOST_PATIENTS:
        raise ModelError(
            f"{patients} patients are {'none' if patients < 1 else 'too many'}",
            where=f"patients (--patients {patients})",
            mend="ask for 1 or more; 1,000 in each draw are usual",
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
    found, rows = engine.base(evaluate, workers_of(threads))
    collector = Collector(engine, 1, keep=True)
    collector.put(0, added_up(engine.shared, evaluate, found, nobody))
    return collector.outcomes(labelled_trace(model, rows), patients=found.patients)


def simulate(
    model: ResolvedModel,
    *,
    draws: int,
    seed: int,
    threads: int | None = None,
    engine: Engine | None = None,
    progress: Progress | None = None,
    store: ChunkStore | None = None,
    design: Design | None = None,
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
    store : keeps finished chunks, and gives those that an earlier run finished.
    design : of the draws, see `design_for`; independent ones if None.

    Raises
    ------
    ModelError
        A draw in which the model cannot be run, or a number that no run can have.
    """
    check_request(draws=draws, seed=seed, threads=threads)

    def drawn(chunk: Int) -> Values:
        return draws_of(model, seed, chunk, design)

    engine = engine or engine_for(model)
    return _run(engine, drawn, draws, threads=threads, progress=progress, store=store)


def design_for(
    model: ResolvedModel,
    sampling: Sampling,
    *,
    seed: int,
    draws: int,
    replicates: int = REPLICATES,
) -> Design | None:
    """The sampling design of a run; None for independent draws.

    Parameters
    ----------
    model : the resolved model; each uncertain number that it reads is a coordinate.
    sampling : random, sobol (scrambled Sobol points) or latin (Latin hypercubes).
    seed : as of `simulate`.
    draws : in all replicates together: `replicates` times a power of two (sobol) or times a whole
        number (latin).
    replicates : independent of each other; the error is read off them.

    Raises
    ------
    ModelError
        Draws or replicates that the design cannot have, or more uncertain numbers than it can take.
    """
    if sampling == "random":
        return None
    check_request(seed=seed, draws=draws)
    known = coordinates(model.parameters, model.used_parameters)
    return Design(sampling, seed, draws, replicates, known)


def draws_of(model: ResolvedModel, seed: int, indices: Int, design: Design | None = None) -> Draws:
    """The values of the parameters in these draws of a run."""
    return Draws(model.parameters, seed, indices, None if design is None else design.at(indices))


def simulate_points(
    model: ResolvedModel,
    changes: Mapping[tuple[str, Path], Float],
    *,
    seed: int | None = None,
    design: Design | None = None,
    threads: int | None = None,
    engine: Engine | None = None,
    progress: Progress | None = None,
) -> Outcomes:
    """Outcomes at given values of some parameters; dimension `draw` counts the points.

    All points go through the kernel side by side, so a hundred of them cost hardly more than one.

    Parameters
    ----------
    model : the resolved model.
    changes : (record, path) -> [point] in the unit of the record; see `qalyst.params.inputs`.
    seed, design : of the draws of what is not changed, point by point; its base values if there is
        no seed.
    threads : how many; all processors if None.
    engine : one that was prepared for this model already.
    progress : called with (points done, points) as chunks finish.

    Raises
    ------
    ModelError
        Points at which the model cannot be run.

    Examples
    --------
    >>> from qalyst.model.resolve import load_model
    >>> model = load_model("hiv")
    >>> found = simulate_points(model, {("rr_combination", ()): np.array([0.509, 1.0])})
    >>> found.total("life_years").sel(strategy="combination").values.round(2).tolist()
    [8.94, 7.99]
    """
    check_request(seed=seed, threads=threads)
    lengths = {len(values) for values in changes.values()}
    if len(lengths) != 1:
        raise ValueError(f"changes of {sorted(lengths)} points")
    (count,) = lengths
    changes = {key: np.asarray(values, np.float64) for key, values in changes.items()}

    def at_points(chunk: Int) -> Values:
        otherwise = None if seed is None else draws_of(model, seed, chunk, design)
        return Points(model.parameters, changes, chunk, otherwise)

    return _run(engine or engine_for(model), at_points, count, threads=threads, progress=progress)


def simulate_uniforms(
    model: ResolvedModel,
    columns: Mapping[tuple[str, str], Float],
    *,
    threads: int | None = None,
    engine: Engine | None = None,
) -> Outcomes:
    """Outcomes of draws whose uniform numbers are given.

    Parameters
    ----------
    model : the resolved model.
    columns : address (record, cell) -> [draw], for each of `params.draws.coordinates`.
    threads : how many; all processors if None.
    engine : one that was prepared for this model already.
    """
    count = len(next(iter(columns.values())))

    def drawn(chunk: Int) -> Values:
        inside = np.minimum(chunk, count - 1)
        return Draws(model.parameters, 0, chunk, _Columns(columns, inside))

    return _run(engine or engine_for(model), drawn, count, threads=threads, progress=None)


@dataclass(frozen=True)
class _Columns:
    """Uniform numbers from columns by address."""

    columns: Mapping[tuple[str, str], Float]
    rows: Int

    def uniforms(self, record: str, cell: str) -> Float:
        """[draw] of an address."""
        return self.columns[record, cell][self.rows]


def _run(
    engine: Engine,
    values: Callable[[Int], Values],
    draws: int,
    *,
    threads: int | None,
    progress: Progress | None,
    store: ChunkStore | None = None,
) -> Outcomes:
    """Outcomes of as many draws, each chunk of which takes its values of the parameters."""
    # Draws that go through a kernel side by side share its steps, so a group is always whole: the
    # bits of a draw then do not depend on how many follow it.
    through = -(-draws // engine.together) * engine.together
    numbers = np.arange(through, dtype=np.int64)
    size = engine.chunk_size(draws)
    chunks = [numbers[begin : begin + size] for begin in range(0, through, size)]
    collector = Collector(engine, draws)
    workers = workers_of(threads)
    inner = max(1, workers // len(chunks))  # of a chunk, if there are fewer chunks than threads

    def work(chunk: Int) -> Chunk:
        kept = store.get(int(chunk[0])) if store else None
        if kept is not None and kept["prices"].shape[-1] == len(chunk):
            return Chunk(**kept)
        evaluate = engine.shared.evaluator(values(chunk))
        engine.shared.guards.check(evaluate, chunk)
        return added_up(engine.shared, evaluate, engine.run(evaluate, chunk, inner), chunk)

    for done, (number, result) in enumerate(_in_order(work, chunks, workers), start=1):
        if store is not None:
            store.put(number * size, vars(result))
        collector.put(number * size, result.first(draws - number * size))
        if progress is not None:
            progress(min(done * size, draws), draws)
    return collector.outcomes(patients=engine.patients)


def workers_of(threads: int | None) -> int:
    """How many threads; all processors if None."""
    return threads if threads is not None else os.cpu_count() or 1


def _in_order(
    work: Callable[[Int], Chunk], chunks: list[Int], threads: int
) -> Iterator[tuple[int, Chunk]]:
    """Chunks done, in their order; only a few wait at a time, so that memory is bounded."""
    workers = min(threads, len(chunks))
    with ThreadPoolExecutor(workers) as pool:
        waiting: list[Future[Chunk]] = []
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

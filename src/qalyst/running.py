"""What `qalyst run` does: base case, draws, decision, and a folder of results."""

from __future__ import annotations

import contextlib
import hashlib
import json
from collections.abc import Iterator, Mapping
from importlib.metadata import version
from math import isnan
from pathlib import Path
from typing import TYPE_CHECKING, Any

from qalyst.analysis import Analysis, analyse
from qalyst.engines.engine import Luck
from qalyst.growing import MOST_DRAWS, Precision, Tolerance, simulate_until
from qalyst.io.files import written_whole
from qalyst.io.store import ChunkStore
from qalyst.model.resolved import ResolvedModel
from qalyst.published import published_survival
from qalyst.report.convergence_words import equivalent_draws
from qalyst.report.notes import notes
from qalyst.report.tables import statistics
from qalyst.report.words import committee_sentence
from qalyst.report.write import write_report
from qalyst.simulation import (
    Progress,
    base_case,
    check_request,
    design_for,
    engine_for,
    individuals_for,
    simulate,
)
from qalyst.stats.designs import REPLICATES, Sampling

if TYPE_CHECKING:
    from qalyst.decision.cea import IncrementalAnalysis


def run_model(
    model: ResolvedModel,
    *,
    draws: int | None,
    seed: int,
    threads: int | None,
    folder: Path,
    settings: Mapping[str, Any],
    values: Mapping[str, float],
    patients: int | None = None,
    luck: Luck = "plain",
    resume: bool = False,
    sampling: Sampling = "random",
    replicates: int = REPLICATES,
    until: Tolerance | None = None,
    most_draws: int = MOST_DRAWS,
) -> tuple[Analysis, dict[str, Any]]:
    """Run a model and write its results.

    Parameters
    ----------
    model : the resolved model.
    draws : of the probabilistic analysis; None for the base case alone. With `until` those of the
        first round do not matter.
    seed, threads : see `simulate`.
    folder : takes the results, whole or not at all.
    settings : what was asked for, as it was written, for the provenance.
    values : parameters that were set.
    patients : in each draw, for the individuals engine; None for the cohort.
    luck : of patients: plain, antithetic or quasi.
    resume : go on with the draws of a run that was stopped.
    sampling, replicates : see `design_for`.
    until, most_draws : draw until the error is small enough; see `simulate_until`.

    Raises
    ------
    ModelError
        A model or a request that cannot be run.
    KeyboardInterrupt
        The run was stopped; its words say how to go on.

    Returns
    -------
    analysis, found
        The analysis, and its results as the plain data that `docs/json.md` describes.
    """
    check_request(draws=draws, seed=seed, threads=threads, patients=patients)
    design = None
    if draws is not None and until is None:
        design = design_for(model, sampling, seed=seed, draws=draws, replicates=replicates)
    with written_whole(folder) as work:
        with _progress(model, draws) as progress:
            # first, so that a fault of the targets is told before the draws
            published = published_survival(model, settings["model"], values, threads=threads)
            engine = (
                engine_for(model)
                if patients is None
                else individuals_for(model, patients=patients, seed=seed, luck=luck)
            )
            base = base_case(model, engine, threads=threads)
            psa = None
            reached: tuple[Precision, ...] = ()
            if draws is not None:
                many = draws if until is None else "until"
                identity = [model.sha256, seed, many, patients, luck, version("qalyst")]
                identity += [] if sampling == "random" else [sampling, replicates]
                with _store(folder, identity, resume=resume) as store:
                    how: dict[str, Any] = {
                        "threads": threads,
                        "engine": engine,
                        "progress": progress,
                    }
                    if until is not None:
                        psa, design, reached = simulate_until(
                            model,
                            until,
                            seed=seed,
                            most=most_draws,
                            sampling=sampling,
                            replicates=replicates,
                            store=store,
                            **how,
                        )
                        draws = psa.draws
                    else:
                        psa = simulate(
                            model, draws=draws, seed=seed, store=store, design=design, **how
                        )
        analysis = analyse(model, base, psa, design=design)
        files = write_report(
            analysis, work, seed=seed, draws=draws, command=settings, published=published
        )
        names = sorted(str(path.relative_to(work)) for path in files)
    found = result(analysis, seed=seed, draws=draws, patients=patients)
    if until is not None:
        found["until"] = _until(until, most_draws, reached)
    return analysis, {**found, "folder": str(folder), "files": names}


@contextlib.contextmanager
def _progress(model: ResolvedModel, draws: int | None) -> Iterator[Progress | None]:
    """A bar with the time left, on standard error; nothing there if it is no terminal."""
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
    )

    console = Console(stderr=True)
    if draws is None:
        yield None
        return
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("draws"),
        TimeElapsedColumn(),
        TextColumn("left:"),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=console, disable=not console.is_terminal) as bar:
        task = bar.add_task(f"{model.name}: preparing", total=draws)

        def update(done: int, total: int) -> None:
            bar.update(task, completed=done, total=total, description=f"{model.name}: running")

        yield update


@contextlib.contextmanager
def _store(folder: Path, identity: list[Any], *, resume: bool) -> Iterator[ChunkStore]:
    """Draws that are done, beside the folder of results, until all are."""
    path = folder.with_name(f"{folder.name}.unfinished")
    fingerprint = hashlib.sha256(json.dumps(identity).encode()).hexdigest()
    with ChunkStore(path, fingerprint, resume=resume) as store:
        try:
            yield store
        except KeyboardInterrupt as stop:
            if not store.done:
                store.remove()
                raise
            raise KeyboardInterrupt(
                f"stopped; what is done is kept in {path}: add --resume to go on"
            ) from stop
        except BaseException:
            store.remove()
            raise
        store.remove()


def result(
    analysis: Analysis, *, seed: int, draws: int | None, patients: int | None = None
) -> dict[str, Any]:
    """The results as plain data."""
    model, base, psa = analysis.model, analysis.base, analysis.psa
    strategies, outcomes = list(model.strategies), list(model.outcomes)
    found: dict[str, Any] = {
        "model": model.name,
        "title": model.title,
        "sha256": model.sha256,
        "scenarios": list(model.scenarios),
        "seed": seed,
        "draws": draws,
        "patients": patients,
        "sampling": _sampling(analysis),
        "until": None,
        "base_case": {
            s: {o: float(base.total(o).sel(strategy=s).item()) for o in outcomes}
            for s in strategies
        },
        "base_case_undiscounted": {
            s: {o: float(base.total(o, undiscounted=True).sel(strategy=s).item()) for o in outcomes}
            for s in strategies
        },
        "base_case_incremental": _incremental(analysis.base_incremental),
        "probabilistic": None,
        "incremental": _incremental(analysis.incremental),
        "thresholds": _thresholds(analysis),
        "variance": [vars(split) for split in analysis.variance],
        "sentence": committee_sentence(analysis),
        "notes": notes(analysis),
    }
    if psa is not None:
        found["probabilistic"] = {
            s: {o: _spread(analysis, o, s) for o in outcomes} for s in strategies
        }
    return found


def _until(wanted: Tolerance, most: int, found: tuple[Precision, ...]) -> dict[str, Any]:
    return {
        "tolerance": wanted.text,
        "most_draws": most,
        "reached": all(each.holds for each in found),
        "errors": [vars(each) for each in found],
    }


def _sampling(analysis: Analysis) -> dict[str, Any] | None:
    """The design of the draws; None without draws."""
    if analysis.psa is None:
        return None
    design = analysis.design
    return {
        "design": "random" if design is None else design.kind,
        "replicates": None if design is None else design.replicates,
        "points": None if design is None else design.points,
        "dimensions": None if design is None else len(design.coordinates),
        "as_precise_as": []
        if design is None
        else [{"wtp": wtp, "draws": n} for wtp, n in equivalent_draws(analysis).items()],
    }


def _spread(analysis: Analysis, outcome: str, strategy: str) -> dict[str, float | None]:
    assert analysis.psa is not None
    found = statistics(
        analysis.psa.total(outcome).sel(strategy=strategy).to_numpy(), analysis.replicates
    )
    names = {"mean": "mean", "mcse": "mcse", "low": "lower", "high": "upper"}
    return {key: None if isnan(found[name]) else found[name] for key, name in names.items()}


def _incremental(table: IncrementalAnalysis | None) -> list[dict[str, Any]] | None:
    if table is None:
        return None
    return [
        {
            "strategy": row.strategy,
            "cost": row.cost,
            "effect": row.effect,
            "compared_with": row.compared_with,
            "incremental_cost": row.incremental_cost,
            "incremental_effect": row.incremental_effect,
            "icer": row.icer,
            "status": row.status,
        }
        for row in table.rows
    ]


def _thresholds(analysis: Analysis) -> list[dict[str, Any]]:
    curves = analysis.at_thresholds
    if curves is None:
        return []
    return [
        {
            "wtp": float(wtp),
            "optimal": str(curves.optimal.sel(wtp=wtp).item()),
            "probability_optimal": float(curves.ceaf.sel(wtp=wtp)),
            "probability": {
                str(s): float(curves.ceac.sel(wtp=wtp, strategy=s)) for s in curves.strategy.values
            },
            "evpi": float(curves.evpi.sel(wtp=wtp)),
            "evpi_mcse": float(curves.evpi_mcse.sel(wtp=wtp)),
            "runner_up": firm.runner_up,
            "change_if_doubled": firm.change_if_doubled,
            "change_ever": firm.change_ever,
            "draws_needed": firm.draws_needed,
        }
        for wtp, firm in zip(curves.wtp.values, analysis.stability, strict=True)
    ]

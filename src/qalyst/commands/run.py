"""What `qalyst run` does: base case, draws, decision, and a folder of results."""

from __future__ import annotations

import contextlib
import hashlib
import json
from collections.abc import Iterator, Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Any

from qalyst.analysis import Analysis, analyse
from qalyst.engines.engine import Luck
from qalyst.growing import MOST_DRAWS, Precision, Tolerance, simulate_until
from qalyst.io.files import written_whole
from qalyst.io.store import ChunkStore
from qalyst.model.resolved import ResolvedModel
from qalyst.outcomes import Rates
from qalyst.published import published_survival
from qalyst.report.progress import progress_bar
from qalyst.report.run_data import run_data
from qalyst.report.write import write_report
from qalyst.saved_runs import Identity, save_run
from qalyst.simulation import (
    base_case,
    check_request,
    design_for,
    engine_for,
    individuals_for,
    simulate,
)
from qalyst.stats.designs import REPLICATES, Sampling


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
    rates: tuple[Rates, ...] = (),
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
    rates : discount rates at which totals are kept besides the model's own and none.
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
        with progress_bar(model.name, draws) as progress:
            # first, so that a fault of the targets is told before the draws
            published = published_survival(model, settings["model"], values, threads=threads)
            engine = (
                engine_for(model, rates=rates)
                if patients is None
                else individuals_for(model, patients=patients, seed=seed, luck=luck, rates=rates)
            )
            base = base_case(model, engine, threads=threads)
            psa = None
            reached: tuple[Precision, ...] = ()
            if draws is not None:
                many = draws if until is None else "until"
                fingerprint = [model.sha256, seed, many, patients, luck, version("qalyst")]
                fingerprint += [] if sampling == "random" else [sampling, replicates]
                fingerprint += list(map(str, rates))
                with _store(folder, fingerprint, resume=resume) as store:
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
        analysis = analyse(model, base, psa, seed=seed, design=design)
        identity = Identity(
            model=settings["model"],
            scenarios=model.scenarios,
            values=values,
            sha256=model.sha256,
            seed=seed,
            draws=draws,
            patients=patients,
            luck=luck,
            version=version("qalyst"),
            sampling="random" if design is None else design.kind,
            replicates=1 if design is None else design.replicates,
        )
        kept = save_run(work, identity, base, psa)
        files = write_report(
            analysis,
            work,
            seed=seed,
            draws=draws,
            command=settings,
            published=published,
            kept=[kept],
        )
        names = sorted(str(path.relative_to(work)) for path in files)
    found = run_data(analysis, seed=seed, draws=draws, patients=patients)
    if until is not None:
        found["until"] = _until(until, most_draws, reached)
    return analysis, {**found, "folder": str(folder), "files": names}


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


def _until(wanted: Tolerance, most: int, found: tuple[Precision, ...]) -> dict[str, Any]:
    return {
        "tolerance": wanted.text,
        "most_draws": most,
        "reached": all(each.holds for each in found),
        "errors": [vars(each) for each in found],
    }

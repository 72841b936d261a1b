"""What `qalyst sequences` does: the space, its draws, rankings, and a folder of results."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from qalyst.errors import ModelError
from qalyst.io.files import names_in, written_whole
from qalyst.model.compared import cost_and_effect, thresholds_of
from qalyst.model.resolved import ResolvedModel, SequenceRules
from qalyst.report.progress import progress_bar
from qalyst.report.sequences_report import SequenceFindings, data, write
from qalyst.sensitivity.sequence_runs import (
    SequenceRun,
    labels_asked,
    rankings_in,
    run_sequences,
    scope_of,
)

MOST_RANKED = 50_000_000  # numbers that are ranked for the table by profile


def rank_sequences(
    model: ResolvedModel,
    rules: SequenceRules,
    *,
    wtp: Sequence[float],
    draws: int,
    seed: int,
    threads: int | None,
    top: int,
    profile: Sequence[str],
    together: bool | None,
    folder: Path,
    settings: Mapping[str, Any],
) -> tuple[SequenceFindings, dict[str, Any]]:
    """Run all sequences and write what was found.

    Parameters
    ----------
    model, rules : what is run.
    wtp : thresholds; those of the model if empty.
    draws, seed, threads, together : see `run_sequences`.
    top : sequences that are shown.
    profile : labels, `dimension=label`, of those who are ranked; everybody if empty.
    folder : takes the results, whole or not at all.
    settings : what was asked for, for the provenance.

    Returns
    -------
    found, result
        The rankings, and the plain data that docs/json.md describes.
    """
    if top < 1:
        raise ModelError(
            f"the best {top} are none", where=f"command line  --top {top}", mend="ask for 1 or more"
        )
    thresholds = sorted(thresholds_of(model, wtp))
    cost_and_effect(model)  # before the draws, so that a fault is told at once
    labels_asked(model, profile)
    with written_whole(folder) as work:
        with progress_bar(model.name, draws) as progress:
            run = run_sequences(
                model,
                rules,
                draws=draws,
                seed=seed,
                threads=threads,
                together=together,
                progress=progress,
            )
        found = _found(run, thresholds, profile)
        files = write(found, work, seed=seed, top=top, command=settings)
        names = names_in(work, files)
    result = {**data(found, top), "seed": seed, "folder": str(folder), "files": names}
    return found, result


def _found(
    run: SequenceRun, thresholds: Sequence[float], profile: Sequence[str]
) -> SequenceFindings:
    scope = scope_of(run, profile) if profile else None
    whole = SequenceFindings(
        run=run,
        scope=", ".join(profile),
        at_thresholds=tuple(rankings_in(run, thresholds, scope)),
        by_profile={},
    )
    numbers = len(run.profiles) * len(run.model.strategies) * run.outcomes.draws
    if not run.outcomes.kept_by_draw or len(run.profiles) < 2 or numbers > MOST_RANKED:
        return whole
    by_profile = {
        ", ".join(f"{name} {label}" for name, label in run.profiles[number].items()): rankings_in(
            run, thresholds, [number]
        )
        for number in (scope if scope is not None else range(len(run.profiles)))
    }
    return replace(whole, by_profile=by_profile)

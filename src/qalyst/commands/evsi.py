"""What `qalyst evsi` does: value a study for a model's decision, and write a folder of it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from qalyst.decision.evsi import Method
from qalyst.decision.study_files import load_study
from qalyst.io.files import names_in, written_whole
from qalyst.model.resolved import ResolvedModel
from qalyst.report.progress import progress_bar
from qalyst.report.study_report import write_study
from qalyst.report.study_tables import study_data
from qalyst.report.study_words import study_sentence
from qalyst.simulation import check_request
from qalyst.study_values import StudyValue, value_of_study


def run_study(
    model: ResolvedModel,
    study: str,
    *,
    wtp: float | None,
    draws: int,
    seed: int,
    threads: int | None,
    method: Method,
    folder: Path,
    settings: Mapping[str, Any],
) -> tuple[StudyValue, dict[str, Any]]:
    """Value a study and write the results.

    Parameters
    ----------
    model : the resolved model.
    study : name or path of its file.
    wtp, draws, seed, threads, method : see `qalyst.study_values.value_of_study`.
    folder : takes the results, whole or not at all.
    settings : what was asked for, as it was written, for the provenance.

    Returns
    -------
    value, found
        The value, and the plain data that `docs/json.md` describes.
    """
    check_request(draws=draws, seed=seed, threads=threads)
    file = load_study(study)
    with written_whole(folder) as work:
        with progress_bar(model.name, draws) as progress:
            value = value_of_study(
                model,
                file,
                wtp=wtp,
                draws=draws,
                seed=seed,
                threads=threads,
                method=method,
                progress=progress,
            )
        files = write_study(value, work, command=settings)
        names = names_in(work, files)
    told = {"sentence": study_sentence(value), "folder": str(folder), "files": names}
    return value, {**study_data(value), **told}

"""Write what `qalyst evsi` found into a folder."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from qalyst.report.figures_study import study_value
from qalyst.report.folders import write_tables_and_figures
from qalyst.report.provenance import command_words, origin, write_provenance
from qalyst.report.study_tables import assumptions, study_tables
from qalyst.report.study_words import study_sentence
from qalyst.simulation import engine_name

if TYPE_CHECKING:
    from qalyst.study_values import StudyValue


def write_study(value: StudyValue, folder: Path, *, command: Mapping[str, Any]) -> list[Path]:
    """Write tables, the figure, the sentence and the provenance of a study's value.

    Parameters
    ----------
    value : of the study.
    folder : exists and is empty; see `io.files.written_whole`.
    command : what the user asked for: `model`, `values`, `study` (name or path), `method`.

    Returns
    -------
    files
        In the order written; `provenance.json` is the last.
    """
    files = write_tables_and_figures(folder, study_tables(value), lambda: [study_value(value)])
    sentence = folder / "sentence.txt"
    sentence.write_text(f"{study_sentence(value)}\n", encoding="utf-8", newline="\n")
    files.append(sentence)
    settings = {
        "draws": value.draws,
        "patients": None,
        "seed": value.seed,
        "engine": engine_name(value.model),
        "study": value.file.model_dump(mode="json", by_alias=True),
        "sources": assumptions(value),
        "threshold": value.wtp,
        "rerun": _rerun(value, command),
    }
    return [*files, write_provenance(origin(value.model, command, settings), folder, files)]


def _rerun(value: StudyValue, command: Mapping[str, Any]) -> str:
    """The command line that gives the same files."""
    words = command_words("evsi", value.model, command)
    words += ["--study", str(command["study"]), "--wtp", f"{value.wtp:.15g}"]
    words += ["--draws", str(value.draws), "--seed", str(value.seed)]
    return shlex.join([*words, "--method", str(command["method"])])

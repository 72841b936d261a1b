"""Write what `qalyst profiles` found into a folder."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from qalyst.report.figures_profiles import decision_map
from qalyst.report.folders import write_tables_and_figures
from qalyst.report.profiles_words import profiles_tables
from qalyst.report.provenance import command_words, origin, write_provenance
from qalyst.simulation import engine_name

if TYPE_CHECKING:
    from qalyst.sensitivity.by_profile import ProfileDecisions


def write_profiles(
    found: ProfileDecisions, folder: Path, *, command: Mapping[str, Any]
) -> list[Path]:
    """Write tables, the map and the provenance of decisions by profile.

    Parameters
    ----------
    found : the decisions.
    folder : exists and is empty; see `io.files.written_whole`.
    command : what the user asked for: `model`, `values`, `by`, `wtp`.

    Returns
    -------
    files
        In the order written; `provenance.json` is the last.
    """
    files = write_tables_and_figures(folder, profiles_tables(found), lambda: [decision_map(found)])
    record = origin(
        found.model,
        command,
        {
            "draws": found.draws,
            "patients": None,
            "seed": found.seed,
            "engine": engine_name(found.model),
            "rerun": _rerun(found, command),
        },
    )
    return [*files, write_provenance(record, folder, files)]


def _rerun(found: ProfileDecisions, command: Mapping[str, Any]) -> str:
    words = command_words("profiles", found.model, command)
    words += ["--draws", str(found.draws), "--seed", str(found.seed)]
    if command.get("by"):
        words += ["--by", ",".join(command["by"])]
    for wtp in command.get("wtp") or ():
        words += ["--wtp", f"{wtp:.15g}"]
    return shlex.join(words)

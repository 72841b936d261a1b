"""Write what a command of sensitivity analysis found into a folder."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from qalyst.io.files import names_in, written_whole
from qalyst.model.resolved import ResolvedModel
from qalyst.report.drawing import Drawing
from qalyst.report.folders import write_tables_and_figures
from qalyst.report.provenance import command_words, origin, write_provenance
from qalyst.simulation import engine_name

if TYPE_CHECKING:
    import pandas as pd


def write_sensitivity(
    model: ResolvedModel,
    folder: Path,
    *,
    tables: Mapping[str, pd.DataFrame],
    drawings: Callable[[], Iterable[Drawing]],
    command: Mapping[str, Any],
    draws: int | None = None,
    seed: int | None = None,
) -> dict[str, Any]:
    """Write tables, figures and provenance, whole or not at all.

    Parameters
    ----------
    model : the resolved model.
    folder : takes the results.
    tables : name -> table, written as CSV.
    drawings : draws the figures; called once.
    command : what the user asked for: `name`, `model`, `values`, and `options`, the other words.
    draws, seed : of a probabilistic analysis; None without.

    Returns
    -------
    written
        `folder` and `files`.

    Raises
    ------
    ModelError
        The folder cannot be written.
    """
    options: Sequence[str] = command.get("options") or ()
    words = [*command_words(command["name"], model, command), *options]
    settings = {
        "draws": draws,
        "seed": seed,
        "patients": None,
        "engine": engine_name(model),
        "rerun": shlex.join(words),
    }
    with written_whole(folder) as work:
        files = write_tables_and_figures(work, tables, drawings)
        files.append(write_provenance(origin(model, command, settings), work, files))
        names = names_in(work, files)
    return {"folder": str(folder), "files": names}

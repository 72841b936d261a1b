"""Write what `qalyst patients` found into a folder, and say it as data."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from importlib.util import find_spec
from math import isnan
from pathlib import Path
from typing import TYPE_CHECKING, Any

from qalyst.errors import ModelError
from qalyst.report.csv_files import write_tables
from qalyst.report.figures import write_figures
from qalyst.report.figures_patients import patients_figures
from qalyst.report.patients_tables import distribution_table, single_tables, summary_tables
from qalyst.report.provenance import command_words, origin, write_provenance
from qalyst.report.stories import laid_out

if TYPE_CHECKING:
    import pandas as pd

    from qalyst.histories import Histories
    from qalyst.model.resolved import Label

PARQUET, CSV = "parquet", "csv"


def table_format(asked: str | None) -> str:
    """The format of the tables of single patients: as asked, or parquet if it can be written.

    Raises
    ------
    ModelError
        Parquet is asked for, and pyarrow is not installed.
    """
    known = find_spec("pyarrow") is not None
    if asked == PARQUET and not known:
        raise ModelError(
            "parquet files need pyarrow, which is not installed",
            where="command line  --format parquet",
            mend="pip install 'qalyst[parquet]', or --format csv",
        )
    return asked or (PARQUET if known else CSV)


def write_patients(
    histories: Histories,
    folder: Path,
    *,
    form: str,
    stories: Mapping[int, str],
    command: Mapping[str, Any],
) -> list[Path]:
    """Write tables, figures, stories and provenance of the patients followed.

    Parameters
    ----------
    histories : of the patients.
    folder : exists and is empty; see `io.files.written_whole`.
    form : of the tables with a row for each patient or stay: parquet or csv.
    stories : number of a patient -> what happened, in words.
    command : what the user asked for: `model`, `values`, `stories`.

    Returns
    -------
    files
        In the order written; `provenance.json` is the last.
    """
    for name in ("tables", "figures"):
        (folder / name).mkdir()
    write = _write_parquet if form == PARQUET else write_tables
    files = write(single_tables(histories), folder / "tables")
    files += write_tables(summary_tables(histories), folder / "tables")
    files += write_figures(patients_figures(histories), folder / "figures")
    told = folder / "stories.txt"
    text = "\n\n".join(map(laid_out, stories.values()))
    told.write_text(f"{text}\n", encoding="utf-8", newline="\n")
    files.append(told)
    record = origin(
        histories.model,
        command,
        {
            "draws": None,
            "patients": histories.patients,
            "seed": histories.seed,
            "engine": "individuals",
            "rerun": _rerun(histories, form, command),
        },
    )
    return [*files, write_provenance(record, folder, files)]


def patients_data(histories: Histories, stories: Mapping[int, str]) -> dict[str, Any]:
    """The patients followed as plain data; see docs/json.md."""
    model = histories.model
    spread: dict[str, dict[str, Any]] = {name: {} for name in model.strategies}
    for row in distribution_table(histories).to_dict("records"):
        strategy, outcome = row.pop("strategy"), row.pop("outcome")
        spread[strategy][outcome] = {
            str(key): None if isinstance(value, float) and isnan(value) else value
            for key, value in row.items()
        }
    return {
        "model": model.name,
        "title": model.title,
        "sha256": model.sha256,
        "scenarios": list(model.scenarios),
        "seed": histories.seed,
        "patients": histories.patients,
        "distribution": spread,
        "stories": [
            {"patient": number, "profile": _labels(histories, number), "text": text}
            for number, text in stories.items()
        ],
    }


def _labels(histories: Histories, number: int) -> dict[str, Label]:
    return dict(histories.profiles[histories.profile[number]])


def _write_parquet(found: Mapping[str, pd.DataFrame], folder: Path) -> list[Path]:
    paths = []
    for name, table in found.items():
        path = folder / f"{name}.parquet"
        table.to_parquet(path, engine="pyarrow", index=False)
        paths.append(path)
    return paths


def _rerun(histories: Histories, form: str, command: Mapping[str, Any]) -> str:
    """The command line that gives the same files."""
    words = command_words("patients", histories.model, command)
    words += ["--patients", str(histories.patients), "--seed", str(histories.seed)]
    for number in command.get("stories") or ():
        words += ["--story", str(number)]
    return shlex.join([*words, "--format", form])

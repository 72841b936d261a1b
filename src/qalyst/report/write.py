"""Write the report of a run into a folder."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from qalyst.report.csv_files import write_tables
from qalyst.report.draws_files import write_draws
from qalyst.report.figures import figures, write_figures
from qalyst.report.html import page
from qalyst.report.provenance import provenance, write_provenance
from qalyst.report.tables import tables

if TYPE_CHECKING:
    from qalyst.analysis import Analysis
    from qalyst.published import Published


def write_report(
    analysis: Analysis,
    folder: Path,
    *,
    seed: int,
    draws: int | None,
    command: Mapping[str, Any],
    published: Published | None = None,
    kept: Sequence[Path] = (),
) -> list[Path]:
    """Write tables, figures, the page and the provenance of a run.

    Only `provenance.json` holds the time; every other file has the same bytes for the same run
    on the same platform.

    Parameters
    ----------
    analysis : the run.
    folder : exists and is empty; see `io.files.written_whole`.
    seed, draws : of the probabilistic analysis; None for the base case alone.
    command : what the user asked for: `model`, `scenarios`, `values`; see `provenance`.
    published : published survival beside the model's, if the model names any.
    kept : files that are in the folder already and belong to the run.

    Returns
    -------
    files
        In the order written; `provenance.json` is the last.
    """
    for name in ("tables", "figures"):
        (folder / name).mkdir()
    drawn = figures(analysis, published)
    origin = provenance(analysis, seed=seed, draws=draws, command=command)
    files = write_tables(tables(analysis, published), folder / "tables")
    files += write_draws(analysis, folder / "tables", seed=seed)
    files += write_figures(drawn, folder / "figures")
    index = folder / "index.html"
    index.write_text(page(analysis, drawn, origin, published), encoding="utf-8", newline="\n")
    files.append(index)
    files += kept
    return [*files, write_provenance(origin, folder, files)]

"""What every folder of results has: tables as CSV, and figures."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from qalyst.report.csv_files import write_tables
from qalyst.report.drawing import Drawing, house_style, saved
from qalyst.report.figures import write_figures

if TYPE_CHECKING:
    import pandas as pd


def write_tables_and_figures(
    folder: Path,
    tables: Mapping[str, pd.DataFrame],
    drawings: Callable[[], Iterable[Drawing]],
) -> list[Path]:
    """Write `tables/` and `figures/` into an empty folder.

    Parameters
    ----------
    folder : exists and is empty; see `io.files.written_whole`.
    tables : name -> table.
    drawings : draws the figures; called once, in the style of the house.

    Returns
    -------
    files
        In the order written.
    """
    for name in ("tables", "figures"):
        (folder / name).mkdir()
    files = write_tables(tables, folder / "tables")
    with house_style():
        figures = [saved(drawing) for drawing in drawings()]
    return files + write_figures(figures, folder / "figures")

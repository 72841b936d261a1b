"""The folder of `qalyst decide`: tables and figures of outside draws."""

from __future__ import annotations

import platform
import sys
from collections.abc import Mapping, Sequence
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from qalyst.report import figures_decision, figures_plane, figures_spread
from qalyst.report.figures_value import evppi_bars
from qalyst.report.folders import write_tables_and_figures
from qalyst.report.provenance import PACKAGES, write_provenance
from qalyst.report.tables import ceac_table, incremental_table
from qalyst.report.value_words import information_table

if TYPE_CHECKING:
    import pandas as pd

    from qalyst.analysis import Decided
    from qalyst.information import Information


def write_decided(
    analysis: Decided, informed: Sequence[Information], folder: Path, settings: Mapping[str, Any]
) -> list[Path]:
    """Write tables, figures and the provenance of a decision on outside draws.

    Parameters
    ----------
    analysis : the decision.
    informed : values of information at each threshold; none if nobody asked.
    folder : exists and is empty; see `io.files.written_whole`.
    settings : files with their hashes, and what was asked for.
    """
    tables = decision_tables(analysis)
    drawings = [partial(draw, analysis) for draw in _drawings(analysis)]
    if informed:
        tables["evppi"] = information_table(informed)
        drawings += [partial(evppi_bars, analysis.model, each) for each in informed if each.evpi]
    files = write_tables_and_figures(folder, tables, lambda: (draw() for draw in drawings))
    origin = {
        "qalyst": version("qalyst"),
        **settings,
        "python": sys.version.split()[0],
        "packages": {name: version(name) for name in PACKAGES},
        "platform": platform.platform(),
    }
    return [*files, write_provenance(origin, folder, files)]


def decision_tables(analysis: Decided) -> dict[str, pd.DataFrame]:
    """The tables of a decision, by name."""
    assert analysis.curves is not None
    return {"incremental": incremental_table(analysis), "ceac": ceac_table(analysis.curves)}


def _drawings(analysis: Decided) -> list[Any]:
    found: list[Any] = [figures_plane.frontier]
    if analysis.varies:
        found = [figures_plane.ce_plane, *found, figures_spread.intervals, figures_decision.ceac]
        if figures_decision.errs(analysis):
            found += [figures_decision.loss, figures_decision.evpi]
        found.append(figures_decision.convergence)
    return found

"""Costs, effects and inputs of every draw as plain tables, for other programs and for SAVI.

One row a draw and no index column, so that row n of each file is the same draw; a number is
written so that it is read back to the bit.
"""

from __future__ import annotations

import csv
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from qalyst.axes import STRATEGY, Float
from qalyst.params.inputs import drawn, uncertain_inputs
from qalyst.report.csv_files import safe_text
from qalyst.simulation import draws_of

if TYPE_CHECKING:
    from qalyst.analysis import Analysis

MOST_INPUTS = 5_000_000  # numbers in the table of inputs; they can be drawn again from the seed


def write_draws(analysis: Analysis, folder: Path, *, seed: int) -> list[Path]:
    """Write the tables; nothing without draws.

    Parameters
    ----------
    analysis : the run.
    folder : of the tables.
    seed : of the draws.
    """
    psa, model = analysis.psa, analysis.model
    if psa is None:
        return []
    files = []
    if analysis.compares:
        for name, outcome in (("costs", analysis.cost), ("effects", analysis.effect)):
            values = psa.total(outcome)
            strategies = [str(each) for each in values[STRATEGY].values]
            files.append(_write(folder / f"draws_{name}.csv", strategies, values.to_numpy()))
    inputs = uncertain_inputs(model.parameters, model.used_parameters)
    if inputs and psa.draws * len(inputs) <= MOST_INPUTS:
        found = drawn(inputs, draws_of(model, seed, np.arange(psa.draws), analysis.design))
        columns = np.stack([found[each.name] for each in inputs], axis=1)
        files.append(_write(folder / "draws_inputs.csv", list(found), columns))
    return files


def _write(path: Path, names: list[str], values: Float) -> Path:
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file, lineterminator="\n").writerow(map(safe_text, names))
        file.writelines(f"{','.join(map(repr, row))}\n" for row in values.tolist())
    return path

"""What `qalyst decide` does: the decision analysis of outside draws, and a folder of results."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from qalyst.analysis import Decided
from qalyst.errors import ModelError, nearest
from qalyst.io.draws import DrawTable, read_draws
from qalyst.io.files import written_whole
from qalyst.outside import decide
from qalyst.report.decided import write_decided
from qalyst.report.decision_data import decision_data


def decide_files(
    costs: Path,
    effects: Path,
    *,
    wtp: Sequence[float],
    currency: str,
    effect: str,
    folder: Path | None,
) -> tuple[Decided, dict[str, Any]]:
    """The decision of files of draws.

    Parameters
    ----------
    costs, effects : CSV files with a column a strategy and a row a draw.
    wtp : thresholds.
    currency, effect : what costs and effects are called; see `outside.decide`.
    folder : takes tables and figures, whole or not at all; None for neither.

    Raises
    ------
    ModelError
        A file that cannot be read, or files that do not belong together; each names its file.

    Returns
    -------
    analysis, found
        The decision, and its results as the plain data that `docs/json.md` describes.
    """
    cost, gain = read_draws(costs), read_draws(effects)
    _check_together(cost, gain)
    analysis = decide(cost.columns, gain.columns, wtp=wtp, currency=currency, effect=effect)
    found = {
        "costs": str(costs),
        "effects": str(effects),
        **decision_data(analysis),
        "notes": [note for table in (cost, gain) for note in _notes(table)],
    }
    if folder is not None:
        inputs = {path.name: _sha256(path) for path in (costs, effects)}
        with written_whole(folder) as work:
            files = write_decided(analysis, work, {"inputs": inputs, "wtp": list(wtp)})
            names = sorted(path.relative_to(work).as_posix() for path in files)
        found |= {"folder": str(folder), "files": names}
    return analysis, found


def _notes(table: DrawTable) -> list[str]:
    """What was left out of a file."""
    if table.dropped is None:
        return []
    name = f"'{table.dropped}'" if table.dropped else "without a name"
    return [f"{table.file}: the first column ({name}) numbers the rows and was left out"]


def _check_together(costs: DrawTable, effects: DrawTable) -> None:
    for one, other in ((costs, effects), (effects, costs)):
        for name in one.columns:
            if name not in other.columns:
                raise ModelError(
                    f"strategy '{name}' of {one.file} is not there",
                    where=f"{other.file}:1",
                    mend=nearest(name, other.columns),
                )
    _check_draws(effects, costs)
    if len(costs.columns) < 2:
        raise ModelError(
            f"'{next(iter(costs.columns))}' is the only strategy",
            where=f"{costs.file}:1",
            mend="give two or more to compare",
        )
    if costs.draws < 2:
        raise ModelError("one draw is no sample", where=costs.file, mend="give more draws")


def _check_draws(table: DrawTable, costs: DrawTable) -> None:
    """Refuse a table with another number of draws than the costs."""
    if table.draws != costs.draws:
        raise ModelError(
            f"{table.draws:,} draws, and {costs.draws:,} in {costs.file}",
            where=table.file,
            mend="take all files from the same run, a row for each draw",
        )


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()

"""Points and scenarios from files: a CSV table with a row each, or scenarios as YAML."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from qalyst.errors import ModelError
from qalyst.io.files import read_table
from qalyst.io.yaml import Section, load
from qalyst.sensitivity.scenarios import Scenario

NAME, SCENARIOS, JUSTIFICATION = "name", "scenarios", "justification"
BETWEEN = ";"  # between scenarios in a cell of a CSV table


def point_rows(path: Path) -> list[tuple[str, dict[str, float]]]:
    """Points of a CSV table: a column for each input, and `name` if there is one.

    An empty cell leaves the input at its base value; a point without a name is numbered from 1.

    Raises
    ------
    ModelError
        No such file, no columns of inputs, or a cell that is no number.
    """
    found = []
    for number, row in enumerate(_table(path), start=1):
        name = str(row.pop(NAME, "") or number)
        found.append((name, _numbers(row, f"{path.name}, point {name}")))
    return found


def scenario_rows(path: Path) -> list[Scenario]:
    """Scenarios of a CSV table or a YAML file.

    A table has the columns `name`, `scenarios` (several with ";" between) and `justification`, the
    last two of which may be absent, and one for each parameter that is set. A YAML file has a row
    for each: ``name: {scenarios: [...], parameters: {c_drug: 100}, justification: ...}``.

    Raises
    ------
    ModelError
        No such file, or a row that is no scenario.
    """
    if path.suffix in (".yaml", ".yml"):
        return _from_yaml(path)
    found = []
    for row in _table(path):
        name = str(row.pop(NAME, "")).strip()
        if not name:
            raise ModelError(
                "a scenario has no name",
                where=path.name,
                mend="add a column `name` and fill it in every row",
            )
        overlays = str(row.pop(SCENARIOS, "")).split(BETWEEN)
        why = str(row.pop(JUSTIFICATION, ""))
        values = _numbers(row, f"{path.name}, scenario {name}")
        names = tuple(each.strip() for each in overlays if each.strip())
        found.append(Scenario(name, names, values, why))
    return found


def _table(path: Path) -> list[dict[str, Any]]:
    _check_file(path)
    with path.open(encoding="utf-8-sig", newline="", errors="replace") as file:
        columns = next(csv.reader(file), [])
    twice = next((each for each in columns if columns.count(each) > 1), None)
    if twice is not None or not any(columns):
        raise ModelError(
            f"{path.name} has the column '{twice}' twice" if columns else f"{path.name} is empty",
            where=str(path),
            mend="write a row of names first, each once",
        )
    rows = read_table(path, columns, str(path), optional=columns)
    return [dict(zip(columns, row, strict=True)) for row in rows]


def _numbers(row: Mapping[str, Any], where: str) -> dict[str, float]:
    found = {}
    for name, cell in row.items():
        if cell == "":
            continue
        if not isinstance(cell, float):
            raise ModelError(
                f"the cell '{name}' holds '{cell}'", where=where, mend="write a number"
            )
        found[name.strip()] = cell
    return found


def _from_yaml(path: Path) -> list[Scenario]:
    _check_file(path)
    document = load(path, path.name)
    found = []
    for name, row in document.items():
        where = f"{document.at(name)}  {name}"
        known = {SCENARIOS, "parameters", JUSTIFICATION}
        values = row.get("parameters", {}) if isinstance(row, Section) else None
        overlays = row.get(SCENARIOS, []) if isinstance(row, Section) else None
        if (
            not isinstance(row, Section)
            or set(row) - known
            or not isinstance(values, dict)
            or not isinstance(overlays, list)
            or any(isinstance(v, bool) or not isinstance(v, int | float) for v in values.values())
        ):
            raise ModelError(
                f"'{name}' is no scenario",
                where=where,
                mend="write {scenarios: [...], parameters: {c_drug: 100}, justification: ...}",
            )
        found.append(
            Scenario(
                str(name),
                tuple(map(str, overlays)),
                {str(key): float(value) for key, value in values.items()},
                str(row.get(JUSTIFICATION, "")),
            )
        )
    return found


def _check_file(path: Path) -> None:
    if not path.is_file():
        raise ModelError(f"no file '{path}'", where="command line  FILE", mend="check the path")

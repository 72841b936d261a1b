"""Draws that somebody else made: tables of numbers with a name above each column."""

from __future__ import annotations

import csv
import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from qalyst.axes import Float
from qalyst.errors import ModelError
from qalyst.io.typed import plain_number

DELIMITERS = ",;\t"
NUMBERS_OF_ROWS = ("", "draw", "draws", "iteration", "iter", "sim", "sample", "row", "index", "id")
DECIMAL_COMMA = re.compile(r"[+-]?\d+,\d+")


@dataclass(frozen=True)
class DrawTable:
    """A table of draws.

    Attributes
    ----------
    file : where it came from.
    columns : name -> [draw].
    dropped : the name of a column that only numbers the rows; None if there was none.
    """

    file: str
    columns: dict[str, Float]
    dropped: str | None

    @property
    def draws(self) -> int:
        """How many rows."""
        return len(next(iter(self.columns.values())))


def read_draws(path: Path) -> DrawTable:
    """Read a CSV file of draws: names in the first line, a draw in each line below.

    Columns are parted by commas, semicolons or tabs. A first column that only numbers the rows is
    dropped, as R and pandas write one.

    Raises
    ------
    ModelError
        A file that cannot be read, without rows, with names twice or none, or with a cell that is
        no finite number.
    """
    names, rows, lines = _cells(path)
    try:
        values = np.array(rows, dtype=np.float64)
    except ValueError:
        values = None
    underscored = any("_" in cell for row in rows for cell in row)  # Python reads 1_0 as 10
    if values is None or underscored or not np.isfinite(values).all():
        raise _wrong_cell(path, names, rows, lines)
    columns = dict(zip(names, values.T, strict=True))
    first = names[0]
    counts = np.arange(len(rows))
    numbers = any(np.array_equal(columns[first], counts + start) for start in (0, 1))
    if first.lower() in NUMBERS_OF_ROWS and numbers and len(names) > 1:
        del columns[first]
        return DrawTable(str(path), columns, first)
    if not first:
        raise ModelError(
            "the first column has no name", where=f"{path}:1", mend="write a name above it"
        )
    return DrawTable(str(path), columns, None)


def _cells(path: Path) -> tuple[list[str], list[list[str]], list[int]]:
    """Names, cells [row][column], and the line of each row."""
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            head = file.readline()
            delimiter = max(DELIMITERS, key=head.count)
            file.seek(0)
            reader = csv.reader(file, delimiter=delimiter)
            read = [(reader.line_num, row) for row in reader if any(cell.strip() for cell in row)]
    except OSError as error:
        raise ModelError(
            f"'{path}' cannot be read ({error.strerror})", where=str(path), mend="check its name"
        ) from error
    except (UnicodeDecodeError, csv.Error) as error:
        raise ModelError(
            f"'{path}' is no table of text ({error})",
            where=str(path),
            mend="save it as CSV in UTF-8",
        ) from error
    if not read:
        raise ModelError(f"'{path}' is empty", where=str(path), mend="write names and draws")
    names = [name.strip() for name in read[0][1]]
    _check_names(path, names)
    if len(read) == 1:
        raise ModelError(
            f"'{path}' has names and no draws", where=f"{path}:1", mend="write a row for each draw"
        )
    for line, row in read[1:]:
        if len(row) != len(names):
            raise ModelError(
                f"{len(row)} cells under {len(names)} names",
                where=f"{path}:{line}",
                mend="write a number under each name"
                + (" (decimals with a point)" if delimiter == "," else ""),
            )
    return names, [row for _, row in read[1:]], [line for line, _ in read[1:]]


def _check_names(path: Path, names: list[str]) -> None:
    for position, name in enumerate(names):
        if not name and position:
            raise ModelError(
                f"column {position + 1} has no name", where=f"{path}:1", mend="write one above it"
            )
        if names.count(name) > 1:
            raise ModelError(
                f"two columns are called '{name}'", where=f"{path}:1", mend="give each its own name"
            )
    if all(plain_number(name) is not None for name in names):
        raise ModelError(
            "the first line holds numbers where names are expected",
            where=f"{path}:1",
            mend="write a name above each column",
        )


def _wrong_cell(
    path: Path, names: list[str], rows: list[list[str]], lines: list[int]
) -> ModelError:
    for line, row in zip(lines, rows, strict=True):
        for name, cell in zip(names, row, strict=True):
            value = plain_number(cell)
            if value is None or not np.isfinite(value):
                comma = DECIMAL_COMMA.fullmatch(cell.strip())
                return ModelError(
                    f"the cell of '{name}' holds '{cell.strip()}'",
                    where=f"{path}:{line}",
                    mend="write decimals with a point" if comma else "write a finite number",
                )
    raise AssertionError("a wrong cell is there")

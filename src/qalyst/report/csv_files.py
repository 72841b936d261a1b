"""Tables as CSV files: the same bytes for the same table, and no formulas of strangers."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from qalyst.report.numbers import csv_number

if TYPE_CHECKING:
    import pandas as pd

FORMULA = ("=", "+", "-", "@", "\t", "\r")


def write_tables(found: Mapping[str, pd.DataFrame], folder: Path) -> list[Path]:
    """Write each table as `<name>.csv`; the same table gives the same bytes."""
    paths = []
    for name, table in found.items():
        path = folder / f"{name}.csv"
        with path.open("w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file, lineterminator="\n")
            writer.writerow([safe_text(str(column)) for column in table.columns])
            writer.writerows(zip(*_columns(table), strict=True))
        paths.append(path)
    return paths


def safe_text(text: str) -> str:
    """A word of the user that no spreadsheet takes for a formula.

    >>> safe_text("=1+1"), safe_text("Surgery - first")
    ("'=1+1", 'Surgery - first')
    """
    return f"'{text}" if text.startswith(FORMULA) else text


def _columns(table: pd.DataFrame) -> Iterator[list[str]]:
    for position in range(table.shape[1]):
        values = table.iloc[:, position].to_list()
        yield [safe_text(each) if isinstance(each, str) else _number(each) for each in values]


def _number(value: Any) -> str:
    return csv_number(value) if isinstance(value, float) else str(value)

"""Records of a number, or of a table of numbers by one axis or more."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from qalyst.errors import ModelError
from qalyst.io.files import inside, read_table
from qalyst.params.parameter import Parameter, Path, show_path
from qalyst.params.record import RecordReader
from qalyst.stats.uncertainty import (
    Dirichlet,
    Fixed,
    ImpossibleMoments,
    ScalarFamily,
    Uncertainty,
)

_PER_CELL = ("se", "cv", "ci95", "low", "high", "events", "of")


class NumberReader(RecordReader):
    """A scalar, a table, or the shares of a dirichlet."""

    def parameters(self) -> Iterator[Parameter]:
        """The one parameter of the record."""
        if self.kind == "draws":
            raise self.fault(
                f"'{self.name}' is drawn from a file",
                "write a joint record: `names:` and {family: draws, file: ...}",
            )
        stated = self._shares() if self.kind == "dirichlet" else self._stated()
        self._check_cells(stated)
        uncertainty = {path: self._cell_family(path, stated) for path in stated}
        values = {
            path: self._checked_value(path, value, uncertainty[path])
            for path, value in stated.items()
        }
        yield self.finish(self.unit(), str(self.raw.unit), values, uncertainty)

    def _stated(self) -> dict[Path, float | None]:
        """Values by path, None if the uncertainty implies it."""
        if not self.raw.by:
            value = self.raw.value
            return {(): None if value is None else self.number(value, "value")}
        if (self.raw.file is None) == (self.raw.value is None):
            raise self.fault(
                f"the table '{self.name}' needs `value:` or `file:`", "give one of the two"
            )
        if self.raw.file is not None:
            return self._from_file(self.raw.file, list(self.raw.by))
        return dict(self._nested(self.raw.value, len(self.raw.by), ()))

    def _shares(self) -> dict[Path, float | None]:
        """Cells of a dirichlet: its counts give the values."""
        counts = self.family.get("counts")
        if len(self.raw.by or ()) != 1:
            raise self.fault(f"'{self.name}' is a dirichlet and needs one axis", "add `by: [to]`")
        if self.raw.value is not None or self.raw.file is not None:
            raise self.fault(
                f"'{self.name}' is a dirichlet and has a value too",
                "drop `value:`: the value is counts / total",
            )
        if not isinstance(counts, dict):
            raise self.fault("a dirichlet needs `counts:`", "write {b: 350, c: 116}")
        return {(key,): None for key in counts}

    def _from_file(self, name: str, axes: list[str]) -> dict[Path, float | None]:
        path = inside(self.folder, name, self.where)
        table: dict[Path, float | None] = {}
        for *keys, value in read_table(path, [*axes, "value"], self.where):
            cell = tuple(keys)
            if cell in table:
                raise self.fault(f"{name} holds the cell {show_path(cell)} twice", "keep one")
            table[cell] = self.number(value, show_path(cell))
        if not table:
            raise self.fault(f"{name} holds no rows", "write one row a cell")
        return table

    def _nested(self, value: Any, depth: int, path: Path) -> Iterator[tuple[Path, float]]:
        if depth == 0:
            yield path, self.number(value, show_path(path))
            return
        if not isinstance(value, dict) or not value:
            raise self.fault(
                f"the value of '{self.name}' at {show_path(path) or 'its top'} is not a table",
                f"it is by {', '.join(self.raw.by or [])}: nest so many levels",
            )
        for key, below in value.items():
            yield from self._nested(
                below, depth - 1, (*path, key if isinstance(key, str) else float(key))
            )

    def _check_cells(self, values: dict[Path, float | None]) -> None:
        """Refuse cells of an `se` (or the like) that the value does not have."""
        for key in _PER_CELL:
            table = self.family.get(key)
            stray = [path for path in _leaves(table) if path not in values]
            if isinstance(table, dict) and stray:
                raise self.fault(
                    f"`{key}` of '{self.name}' has the cell {show_path(stray[0])}, which its value "
                    "has not",
                    "give it in the shape of the value",
                )

    def _cell_family(self, path: Path, values: dict[Path, float | None]) -> Uncertainty:
        family = dict(self.family)
        for key in _PER_CELL:
            if isinstance(family.get(key), dict):
                family[key] = self._cell_of(family[key], path, key)
        if "cv" in family:
            family["se"] = self._from_cv(family.pop("cv"), values[path])
            if family["se"] == 0:
                self.read_family(family | {"se": 1.0}, path)  # it must be a family all the same
                return Fixed(reason="a share of 0")
        elif family.get("se") == 0:
            raise self._no_spread("se", path)
        return self.read_family(family, path)

    def _from_cv(self, cv: Any, value: float | None) -> float:
        share = self.number(cv, "`cv`")
        if share < 0:
            raise self.fault(f"`cv` of '{self.name}' is {share:g}", "write a share above 0")
        if share == 0:
            raise self._no_spread("cv", ())
        if value is None:
            raise self.fault("`cv` needs a value", "add `value:`")
        return abs(share * value)

    def _no_spread(self, key: str, path: Path) -> ModelError:
        return self.fault(
            f"`{key}` of '{self.name}{show_path(path)}' is 0",
            "write a number above 0; no uncertainty is said by {family: fixed, reason: ...}",
        )

    def _cell_of(self, table: Any, path: Path, key: str) -> Any:
        for step in path:
            if not isinstance(table, dict) or step not in table:
                raise self.fault(
                    f"`{key}` of '{self.name}' has no cell {show_path(path)}",
                    "give it in the shape of the value",
                )
            table = table[step]
        return table

    def _checked_value(self, path: Path, value: float | None, family: Uncertainty) -> float:
        if isinstance(family, Dirichlet):
            shares = dict(zip(family.cells, family.implied_value(), strict=True))
            return float(shares[str(path[-1])])
        if value is None:
            value = family.implied_value()
        if value is None:
            raise self.fault(f"'{self.name}{show_path(path)}' has no value", "add `value:`")
        try:
            if isinstance(family, ScalarFamily):
                family.check(value)
        except ImpossibleMoments as error:
            raise self.fault(
                f"the uncertainty of '{self.name}{show_path(path)}' is impossible: {error}",
                "mend its se or interval, or choose another family",
            ) from error
        return value


def _leaves(table: Any, path: Path = ()) -> Iterator[Path]:
    """Paths of what a nested table holds; the empty one of what is no table."""
    if not isinstance(table, dict):
        yield path
        return
    for key, below in table.items():
        yield from _leaves(below, (*path, key))

"""Parameters with provenance: one record, its cells, its uncertainty and its source."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from functools import cache
from typing import Any, Literal, TypeAlias

import numpy as np

from qalyst.axes import Float
from qalyst.errors import ModelError, nearest
from qalyst.io.yaml import Mark
from qalyst.stats import survival
from qalyst.stats.uncertainty import Fixed, ScalarFamily, Uncertainty
from qalyst.units import PROBABILITY, RATIOS, Unit, currencies, is_rate

Key: TypeAlias = str | float
Path: TypeAlias = tuple[Key, ...]
Status: TypeAlias = Literal["retrieved", "recalled", "assumption"]


@dataclass(frozen=True)
class Source:
    """Where a number comes from."""

    cite: str
    locator: str = ""
    doi: str = ""

    def __str__(self) -> str:
        parts = (self.cite, self.locator, f"doi:{self.doi}" if self.doi else "")
        return ", ".join(part for part in parts if part)


@dataclass(frozen=True)
class Joint:
    """Several numbers with one draw: the record that holds them."""

    record: str
    names: tuple[Path, ...]
    covariance: tuple[tuple[float, ...], ...] | None = None
    logarithm: tuple[bool, ...] = ()
    rows: tuple[tuple[float, ...], ...] | None = None

    @property
    def fingerprint(self) -> str | None:
        """The sha256 of the rows of draws, if it has any."""
        if self.rows is None:
            return None
        return hashlib.sha256(repr(self.rows).encode()).hexdigest()


@dataclass(frozen=True)
class Parameter:
    """A number, a table of numbers, or a survival curve.

    Attributes
    ----------
    values : path of labels and steps -> base value in the record's own unit; for a curve the last
        keys are the name of the curve's parameter, and the index in it if it is a vector.
    design : what of a curve is never drawn, such as the knots of a spline.
    uncertainty : the same paths -> family; a path without one is fixed.
    together : one uniform for all cells of the table.
    joint : the record with which it is drawn, if it is one of several.
    index : what carries money from the price year of the record to the model's.
    """

    name: str
    label: str
    unit: Unit
    unit_text: str
    values: dict[Path, float]
    uncertainty: dict[Path, Uncertainty]
    source: Source
    status: Status
    mark: Mark
    by: tuple[str, ...] = ()
    curve: str | None = None
    curve_unit: float = 1.0
    design: dict[Path, tuple[float, ...] | str] = field(default_factory=dict)
    together: bool = False
    dirichlet: bool = False
    joint: Joint | None = None
    price_year: int | Literal["unknown"] | None = None
    index: float = 1.0
    fixed_by: str = ""
    reason: str = ""

    @property
    def drawn(self) -> bool:
        """Whether any of its cells differs between draws."""
        return self.joint is not None or any(
            not isinstance(family, Fixed) for family in self.uncertainty.values()
        )

    @property
    def factor(self) -> float:
        """What turns a value of the record into years, the model's money year and so on."""
        return self.unit.factor * self.index

    def base(self, path: Path) -> float:
        """The base value of a cell, in years and in the model's money year."""
        return self.values[path] * self.factor

    def curve_values(self, labels: Path, value_of: Callable[[Path], Float]) -> dict[str, Any]:
        """The parameters of a curve in years, each [draw], vectors [element, draw].

        Parameters
        ----------
        labels : which curve of the table; empty if there is one.
        value_of : a cell's values [draw] in the unit of the record.
        """
        assert self.curve is not None
        depth = len(labels)
        given: dict[str, Any] = {
            str(path[-1]): item for path, item in self.design.items() if path[:-1] == labels
        }
        vectors: dict[str, list[Float]] = {}
        for path in self.values:
            if path[:depth] != labels:
                continue
            if len(path) == depth + 1:
                given[str(path[-1])] = value_of(path)
            else:
                vectors.setdefault(str(path[depth]), []).append(value_of(path))
        given |= {name: np.stack(elements) for name, elements in vectors.items()}
        return survival.in_years(self.curve, given, self.curve_unit)

    def fixed_at(self, given: object, where: str) -> Parameter:
        """Return the parameter with another value, the same in every draw.

        A cell of a table is fixed alone; one of numbers that are drawn together (a dirichlet, a
        curve with a covariance) fixes them all.

        Raises
        ------
        ModelError
            The value has the wrong shape, or is none that the unit (or the curve) can have.
        """
        if isinstance(given, bool):
            given = str(given).lower()
        if isinstance(given, dict):
            changed = dict(_paths(given, where))
            if list(self.values) == [()]:
                raise ModelError(
                    f"'{self.name}' is a single number, not a table",
                    where=where,
                    mend=f"write {self.name}={next(iter(changed.values()), 0.5):g}",
                )
            for path in changed:
                if path not in self.values:
                    raise ModelError(
                        f"'{self.name}' has no cell {show_path(path)}",
                        where=where,
                        mend=nearest(show_path(path), map(show_path, self.values)),
                    )
        elif len(self.values) == 1 and isinstance(given, int | float):
            changed = {next(iter(self.values)): float(given)}
        elif isinstance(given, int | float):
            raise ModelError(
                f"'{self.name}' is a table by {', '.join(self.by) or 'its parameters'}, "
                f"not one number",
                where=where,
                mend=f"set a cell, such as {self.name}{show_path(next(iter(self.values)))}",
            )
        else:
            raise ModelError(
                f"'{given}' is no number for '{self.name}'",
                where=where,
                mend=f"write a number in {self.unit_text}",
            )
        together = self.joint is not None or self.dirichlet
        parameter = replace(
            self,
            values=self.values | changed,
            uncertainty={}
            if together
            else {path: f for path, f in self.uncertainty.items() if path not in changed},
            joint=None,
            fixed_by=where,
            dirichlet=False,
        )
        for path, number in changed.items():
            check_value(parameter, path, number, where)
        check_curve(parameter, where)
        return parameter


def _paths(given: dict[Key, object], where: str, path: Path = ()) -> Iterator[tuple[Path, float]]:
    for key, value in given.items():
        if isinstance(value, dict):
            yield from _paths(value, where, (*path, key))
        elif isinstance(value, int | float) and not isinstance(value, bool):
            yield (*path, key), float(value)
        else:
            raise ModelError(f"'{value}' is not a number", where=where, mend="write a number")


def check_curve(parameter: Parameter, where: str) -> None:
    """Refuse values that no curve of the family can have; a number is none of its business.

    Raises
    ------
    ModelError
        A scale of 0 or less, knots that do not increase, survival that rises.
    """
    if parameter.curve is None:
        return
    depth = len(parameter.by)
    for labels in {path[:depth]: None for path in (*parameter.values, *parameter.design)}:
        own = parameter.curve_values(labels, lambda path: np.array([parameter.values[path]]))
        survival.check(parameter.curve, own, where)


def show_path(path: Path) -> str:
    """A cell as it is written: ``[female, 60]``."""
    keys = ", ".join(f"{key:g}" if isinstance(key, float) else str(key) for key in path)
    return f"[{keys}]" if path else ""


def check_value(parameter: Parameter, path: Path, value: float, where: str) -> None:
    """Refuse a value that the unit of the parameter cannot have.

    Raises
    ------
    ModelError
        A probability outside [0, 1], a negative rate, ratio or cost, or not a finite number.
    """
    low, high = bounds(parameter)
    if not math.isfinite(value) or not low <= value <= high:
        cell = f"{parameter.name}{show_path(path)}"
        limits = "between 0 and 1" if high == 1 else "0 or more" if low == 0 else "finite"
        raise ModelError(
            f"'{cell}' is {value:g}; in {parameter.unit_text} it must be {limits}",
            where=where,
            mend=f"write a number that is {limits}",
        )


def bounds(parameter: Parameter) -> tuple[float, float]:
    """The least and the greatest value that a unit allows."""
    return (-math.inf, math.inf) if parameter.curve is not None else _bounds_of(parameter.unit)


@cache
def _bounds_of(unit: Unit) -> tuple[float, float]:
    if unit.kind == PROBABILITY:
        return 0.0, 1.0
    if unit.kind in RATIOS or is_rate(unit) or currencies(unit):
        return 0.0, math.inf
    return -math.inf, math.inf


def above_full_health(parameter: Parameter) -> Iterator[str]:
    """Notes on a utility whose value, or 97.5 % quantile, is above 1: possible, but doubtful."""
    if parameter.unit_text != "utility":
        return
    for path, value in parameter.values.items():
        cell = f"{parameter.name}{show_path(path)}"
        family = parameter.uncertainty.get(path)
        if value > 1:
            yield f"the utility '{cell}' is {value:g}: above 1 is better than full health"
        elif isinstance(family, ScalarFamily) and family.interval(value)[1] > 1:
            high = family.interval(value)[1]
            yield (
                f"the 97.5 % quantile of the utility '{cell}' is {high:.4g}: above 1 is better "
                "than full health"
            )

"""Values of parameters: the base case, and draws of the probabilistic analysis.

A draw is the quantile of its family at a uniform number addressed by (seed, record, cell,
draw): adding a parameter, a strategy or a thread never changes the draws of the others.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping
from typing import Any, Protocol

import numpy as np

from qalyst.axes import Float, Int
from qalyst.errors import ModelError
from qalyst.params.parameter import Joint, Parameter, Path, bounds, show_path
from qalyst.stats import survival
from qalyst.stats.designs import Addressed, Uniforms
from qalyst.stats.joint import joint_normal
from qalyst.stats.uncertainty import Dirichlet, Fixed, ScalarFamily


class Values(Protocol):
    """What an expression reads of its parameters."""

    def cell(self, name: str, path: Path) -> Float:
        """[draw] of a number, or of a cell of a table, in years."""

    def curve(self, name: str, labels: Path) -> dict[str, Any]:
        """[draw] of each parameter of a survival curve, in years."""


class BaseCase:
    """One draw: the base values."""

    def __init__(self, parameters: Mapping[str, Parameter]) -> None:
        self._parameters = parameters

    def cell(self, name: str, path: Path) -> Float:
        """[1] base value."""
        return np.array([self._parameters[name].base(path)])

    def curve(self, name: str, labels: Path) -> dict[str, Any]:
        """[1] base values of a curve's parameters."""
        parameter = self._parameters[name]
        return parameter.curve_values(labels, lambda path: np.array([parameter.values[path]]))


class _Checked(ABC):
    """Values that are checked against their units, and handed out in years and the model's money.

    Parameters
    ----------
    parameters : by name.
    """

    _word = "draw"  # what one of the values is called in messages
    _mend = ""

    def __init__(self, parameters: Mapping[str, Parameter]) -> None:
        self._parameters = parameters
        self._cells: dict[tuple[str, Path], Float] = {}
        self._curves: dict[tuple[str, Path], dict[str, Any]] = {}

    @abstractmethod
    def raw(self, parameter: Parameter, path: Path) -> Float:
        """[draw] in the unit of the record."""

    @abstractmethod
    def _number(self, position: int) -> int:
        """What a value is numbered in messages."""

    def _distinct(self, values: Float) -> Float:
        """[draw] values without those that only fill a group."""
        return values

    def cell(self, name: str, path: Path) -> Float:
        """[draw] of a cell, in years and in the model's money year.

        Raises
        ------
        ModelError
            A value that the unit cannot have, such as a negative cost.
        """
        key = (name, path)
        if key not in self._cells:
            parameter = self._parameters[name]
            drawn = self.raw(parameter, path)
            self._check(parameter, path, drawn)
            self._cells[key] = drawn * parameter.factor
        return self._cells[key]

    def curve(self, name: str, labels: Path) -> dict[str, Any]:
        """[draw] of each parameter of a curve, in years.

        Raises
        ------
        ModelError
            A value that no curve of the family can have, such as a scale below 0.
        """
        key = (name, labels)
        if key not in self._curves:
            parameter = self._parameters[name]
            drawn = parameter.curve_values(labels, lambda path: self.raw(parameter, path))
            where = f"{parameter.mark}  parameters.{name}, in the {self._word}s"
            survival.check(str(parameter.curve), drawn, where)
            self._curves[key] = drawn
        return self._curves[key]

    def _check(self, parameter: Parameter, path: Path, drawn: Float) -> None:
        low, high = bounds(parameter)
        counted = self._distinct(drawn)
        wrong = ~((counted >= low) & (counted <= high))
        if wrong.any():
            first = int(np.flatnonzero(wrong)[0])
            raise ModelError(
                f"{self._word} {self._number(first)} of '{parameter.name}{show_path(path)}' is "
                f"{drawn[first]:.4g}, which {parameter.unit_text} cannot be "
                f"({wrong.sum()} of {len(counted)} {self._word}s)",
                where=f"{parameter.mark}  parameters.{parameter.name}",
                mend=self._mend,
            )


class Draws(_Checked):
    """Addressed draws of the parameters.

    Parameters
    ----------
    parameters : by name.
    seed : any non-negative integer below 2**64.
    indices : [draw] which draws; a chunk of them gives the same numbers as all of them.
    source : the uniform numbers of these draws; independent ones by address if None.
    """

    _mend = (
        "choose a family that stays within bounds: beta for probabilities, gamma for costs and "
        "rates, lognormal for ratios"
    )

    def __init__(
        self,
        parameters: Mapping[str, Parameter],
        seed: int,
        indices: Int,
        source: Uniforms | None = None,
    ) -> None:
        super().__init__(parameters)
        self._indices = indices
        self._uniforms = (source or Addressed(seed, indices)).uniforms
        self._joints: dict[str, dict[Path, Float]] = {}

    def _number(self, position: int) -> int:
        return int(self._indices[position])

    def raw(self, parameter: Parameter, path: Path) -> Float:
        """[draw] in the unit of the record."""
        if parameter.joint is not None:
            own = path if parameter.curve is not None else (parameter.name,)
            return self._joint(parameter.joint)[own]
        family = parameter.uncertainty.get(path)
        value = parameter.values[path]
        if family is None or isinstance(family, Fixed):
            return np.full(len(self._indices), value)
        if isinstance(family, Dirichlet):
            return self._dirichlet(parameter, family)[path]
        assert isinstance(family, ScalarFamily)
        cell = "" if parameter.together else show_path(path)
        return family.quantile(value, self._uniforms(parameter.name, cell))

    def _dirichlet(self, parameter: Parameter, family: Dirichlet) -> dict[Path, Float]:
        if parameter.name not in self._joints:
            cells = family.cells
            u = np.stack([self._uniforms(parameter.name, cell) for cell in cells])
            shares = family.quantile(family.implied_value(), u)
            self._joints[parameter.name] = {
                (cell,): share for cell, share in zip(cells, shares, strict=True)
            }
        return self._joints[parameter.name]

    def _joint(self, joint: Joint) -> dict[Path, Float]:
        if joint.record not in self._joints:
            self._joints[joint.record] = (
                self._resampled(joint) if joint.rows is not None else self._normal(joint)
            )
        return self._joints[joint.record]

    def _resampled(self, joint: Joint) -> dict[Path, Float]:
        assert joint.rows is not None
        u = self._uniforms(joint.record, "row")
        rows = np.asarray(joint.rows)[(u * len(joint.rows)).astype(np.int64)]
        return {name: rows[:, column] for column, name in enumerate(joint.names)}

    def _normal(self, joint: Joint) -> dict[Path, Float]:
        assert joint.covariance is not None
        centre = np.array([self._centre(joint, name) for name in joint.names])
        logs = joint.logarithm or (False,) * len(joint.names)
        centre = np.where(logs, np.log(np.where(logs, centre, 1.0)), centre)
        u = np.stack([self._uniforms(joint.record, show_path(name)) for name in joint.names])
        drawn = joint_normal(centre, np.asarray(joint.covariance), u)
        return {
            name: np.exp(row) if log else row
            for name, row, log in zip(joint.names, drawn, logs, strict=True)
        }

    def _centre(self, joint: Joint, name: Path) -> float:
        curve = self._parameters.get(joint.record)
        if curve is not None and curve.curve is not None:
            return curve.values[name]
        return self._parameters[str(name[0])].values[()]


class _Coordinates:
    """Notes which uniform numbers are asked for."""

    def __init__(self) -> None:
        self.found: dict[tuple[str, str], None] = {}

    def uniforms(self, record: str, cell: str) -> Float:
        """One draw in the middle."""
        self.found[record, cell] = None
        return np.array([0.5])


def coordinates(
    parameters: Mapping[str, Parameter], names: Iterable[str]
) -> tuple[tuple[str, str], ...]:
    """The addresses of every uniform number that draws of these records take, in their order."""
    found: dict[tuple[str, str], None] = {}
    for name in names:
        own = cell_coordinates(parameters, parameters[name], parameters[name].values)
        found |= dict.fromkeys(own)
    return tuple(found)


def cell_coordinates(
    parameters: Mapping[str, Parameter], parameter: Parameter, paths: Iterable[Path]
) -> tuple[tuple[str, str], ...]:
    """The addresses of the uniform numbers that some cells of a record take."""
    noted = _Coordinates()
    draws = Draws(parameters, 0, np.zeros(1, np.int64), noted)
    for path in paths:
        draws.raw(parameter, path)
    return tuple(noted.found)


class Points(_Checked):
    """Values at given points: some cells changed, the others at their base or as they were drawn.

    Parameters
    ----------
    parameters : by name.
    changes : (record, path) -> [point] in the unit of the record.
    indices : [point] which points; beyond the last one, the last one again.
    otherwise : draws [point] of what is not changed; its base values if None.
    """

    _word = "point"
    _mend = "keep the range within what the unit allows"

    def __init__(
        self,
        parameters: Mapping[str, Parameter],
        changes: Mapping[tuple[str, Path], Float],
        indices: Int,
        otherwise: Draws | None = None,
    ) -> None:
        super().__init__(parameters)
        self._changes, self._indices, self._otherwise = changes, indices, otherwise

    def raw(self, parameter: Parameter, path: Path) -> Float:
        """[point] in the unit of the record."""
        changed = self._changes.get((parameter.name, path))
        if changed is not None:
            return np.asarray(changed[np.minimum(self._indices, len(changed) - 1)], float)
        if self._otherwise is not None:
            return self._otherwise.raw(parameter, path)
        return np.full(len(self._indices), parameter.values[path])

    def _distinct(self, values: Float) -> Float:
        last = max(map(len, self._changes.values()), default=len(self._indices)) - 1
        return values[self._indices <= last]

    def _number(self, position: int) -> int:
        return int(self._indices[position])

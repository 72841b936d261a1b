"""What moves at which points of a sensitivity analysis."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

import numpy as np

from qalyst.axes import Float, Int
from qalyst.errors import ModelError
from qalyst.params.inputs import Changes, Input
from qalyst.params.parameter import Path


@dataclass(frozen=True)
class Shift:
    """Values of one input at some of the points; it is at its base value at the others.

    Attributes
    ----------
    input : what moves.
    points : [moved] which points.
    values : [moved] what `by` says.
    by : value, in the unit of the record; quantile of the own distribution of every cell; or
        factor of the base value of every cell.
    """

    input: Input
    points: Int
    values: Float
    by: Literal["value", "quantile", "factor"] = "value"

    @property
    def changes(self) -> Changes:
        """The changes [moved] of every cell."""
        match self.by:
            case "quantile":
                return self.input.at_quantile(self.values)
            case "factor":
                parameter = self.input.parameter
                return {
                    (parameter.name, path): parameter.values[path] * self.values
                    for path in self.input.paths
                }
        return self.input.at(self.values)


def changes_of(count: int, shifts: Iterable[Shift]) -> Changes:
    """The values [point] of every cell that moves at any point.

    Raises
    ------
    ModelError
        Two shares of one whole move at the same point.
    """
    changes: Changes = {}
    moved: dict[tuple[str, Path], tuple[Input, Int]] = {}
    for shift in shifts:
        each = shift.input
        for key, values in shift.changes.items():
            if key not in changes:
                changes[key] = np.full(count, each.parameter.values[key[1]])
            other, taken = moved.get(key, (each, np.array([], np.int64)))
            if other.name != each.name and np.intersect1d(taken, shift.points).size:
                raise ModelError(
                    f"'{each.name}' and '{other.name}' are shares of one whole",
                    where=f"{each.parameter.mark}  parameters.{each.parameter.name}",
                    mend="vary one of them; the others keep their proportions",
                )
            moved[key] = each, np.union1d(taken, shift.points)
            changes[key][shift.points] = values
    return changes


def label_of(each: Input) -> str:
    """What an input is called in print: the label of its record, and its cell."""
    return f"{each.parameter.label} {each.name.removeprefix(each.parameter.name)}".strip()

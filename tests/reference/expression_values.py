"""Values of expressions, as language.md sections 3 and 4 say them: a plain walk over the tree.

Arrays end with the axis [draw]; the axes before it are those of the clocks in the `Setting`.
Everything broadcasts; a label is a word, never an array, because strategy, profile, line and
state are fixed in a setting.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import curve_values
import numpy as np

from qalyst.errors import ModelError
from qalyst.model import vocabulary
from qalyst.model.expressions import (
    Among,
    Binary,
    Call,
    Column,
    Comparison,
    Expr,
    Index,
    Logic,
    Name,
    Negative,
    Not,
    Number,
    Truth,
    children,
    text_of,
)
from qalyst.model.kinds import compares_times, rate_interval
from qalyst.model.resolved import Expression, ResolvedModel
from qalyst.params.draws import Values

DURATIONS = {"year": 1.0, "month": 1 / 12, "week": 1 / 52, "day": 1 / 365}
NEAR = vocabulary.TOLERANCE


@dataclass(frozen=True)
class Setting:
    """Where an expression is read.

    Attributes
    ----------
    profile : labels by dimension, and attributes [draw].
    clocks : `years`, `cycle`, `years_in_state`, trackers -> value along its own axis.
    time : the variable of a curve, in `curves` only.
    axes : how many axes the clocks have, [draw] included.
    """

    model: ResolvedModel
    values: Values
    strategy: str = ""
    profile: Mapping[str, Any] = field(default_factory=dict)
    clocks: Mapping[str, Any] = field(default_factory=dict)
    state: str | None = None
    to: str | None = None
    line: int | None = None
    time: Any = None
    axes: int = 1

    @property
    def treatment(self) -> str:
        """The treatment of the line."""
        assert self.line is not None, "a place outside the lines has no treatment"
        return self.model.strategies[self.strategy].sequence[self.line - 1]


def evaluate(expression: Expression, setting: Setting) -> Any:
    """The value of an expression: an array, a condition or a label."""
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        return _Walk(expression, setting).of(expression.tree)


def reads(expression: Expression, word: str, model: ResolvedModel) -> bool:
    """Whether a name occurs in an expression or in anything it leads to, in any row of a table."""
    seen: set[Expr] = set()
    waiting = [expression.tree]
    while waiting:
        tree = waiting.pop()
        if tree in seen:
            continue
        seen.add(tree)
        waiting += children(tree)
        match tree:
            case Name(name) if name == word:
                return True
            case Name(name) if name in model.define:
                waiting.append(model.define[name].tree)
            case Name(name) if name in model.curves:
                waiting.append(model.curves[name].expression.tree)
            case Column(table, column):
                rows = (model.columns(table) or {}).values()
                waiting += [row[column].tree for row in rows if column in row]
    return False


class _Walk:
    """One walk over the tree of one expression in one setting."""

    def __init__(self, expression: Expression, setting: Setting) -> None:
        self.expression, self.setting = expression, setting
        self.model = setting.model
        self.cycle = self.model.timing.cycle

    def of(self, tree: Expr) -> Any:
        match tree:
            case Number(value) | Truth(value):
                return value
            case Name(name):
                return self._name(name)
            case Column(table, column):
                return evaluate(self._cell(table, column), self.setting)
            case Index(name, indices):
                return self._looked_up(name, (), [self.of(index) for index in indices])
            case Call(function, arguments):
                return self._call(function, arguments)
            case Negative(operand):
                return -self.of(operand)
            case Binary(operator, left, right):
                return _ARITHMETIC[operator](self.of(left), self.of(right))
            case Comparison(operator, left, right):
                return self._compared(operator, left, right)
            case Among(operand, labels):
                return _any(self._compared("==", operand, label) for label in labels)
            case Not(operand):
                return np.logical_not(self.of(operand))
            case Logic("or", operands):
                return _any(map(self.of, operands))
            case Logic(_, operands):
                return np.logical_not(_any(np.logical_not(self.of(each)) for each in operands))
        raise AssertionError(tree)

    def _compared(self, operator: str, *sides: Expr) -> Any:
        """A comparison of times (which tolerate 1e-9 years), of other numbers, or of labels."""
        left, right = map(self.of, sides)
        if isinstance(left, str) or isinstance(right, str):
            return (left == right) == (operator == "==")
        in_time = compares_times(self.model, self.expression, *sides)
        words = vocabulary.TIME_COMPARISONS if in_time else vocabulary.COMPARISONS
        return words[operator](left, right)

    def _name(self, name: str) -> Any:
        setting, model = self.setting, self.model
        match name:
            case "strategy" | "treatment" | "state" | "to":
                return getattr(setting, name)
            case "line":
                assert setting.line is not None, "a place outside the lines has no line"
                return float(setting.line)
            case "time":
                return setting.time
        if name in DURATIONS:
            return DURATIONS[name]
        if name in setting.clocks:
            return setting.clocks[name]
        if name in model.dimensions or name in model.attributes:
            return setting.profile[name]
        if name in model.define:
            return evaluate(model.define[name], setting)
        if name in model.parameters:
            return setting.values.cell(name, ())
        return name  # a bare label

    def _cell(self, table: str, column: str) -> Expression:
        row = self._name(table)
        return (self.model.columns(table) or {})[row][column]

    def _looked_up(self, name: str, path: tuple[Any, ...], indices: list[Any]) -> Any:
        """A cell of a table: a label picks one, a number is a step (the last key not above it)."""
        if not indices:
            return self.setting.values.cell(name, path)
        parameter = self.model.parameters[name]
        depth, index, rest = len(path), indices[0], indices[1:]
        keys = {known[depth] for known in parameter.values if known[:depth] == path}
        if isinstance(index, str):
            if index in keys:
                return self._looked_up(name, (*path, index), rest)
            if parameter.by[depth] == "to":
                return 0.0  # no such transition
            raise ModelError(f"'{name}' has no cell '{index}'", **self._place)
        steps, found = self._steps(name, keys, index)
        value: Any = 0.0
        for step in np.unique(found):
            here = self._looked_up(name, (*path, float(steps[step])), rest)
            value = np.where(found == step, here, value)
        return value

    def _steps(self, name: str, keys: set[Any], index: Any) -> tuple[Any, Any]:
        """The keys in their order, and for each index the last one not above it."""
        steps = np.sort(np.array(list(keys), float))
        found = np.searchsorted(steps, np.asarray(index) + NEAR, side="right") - 1
        if found.min() < 0:
            raise ModelError(f"'{name}' begins at {steps[0]:g}", **self._place)
        return steps, found

    @property
    def _place(self) -> dict[str, str]:
        return {"where": self.expression.shown, "mend": "give the table that cell"}

    def _call(self, function: str, arguments: tuple[Expr, ...]) -> Any:
        if function in ("survival", "hazard"):
            curve = self._curve(arguments[0])
            time = np.asarray(self.of(arguments[1]), float)
            if function == "survival":
                return np.exp(curve.log_survival(time))
            return curve.mean_hazard(time)
        values = [self.of(argument) for argument in arguments]
        match function:
            case "where":
                return np.where(*values)
            case "min":
                return np.minimum(*values)
            case "max":
                return np.maximum(*values)
            case "exp":
                return np.exp(values[0])
            case "log":
                return np.log(values[0])
            case "probability_of":
                return vocabulary.probability_of(values[0], self.cycle)
            case "rate_of":
                interval = rate_interval(self.model, self.expression, arguments[0])
                return vocabulary.rate_of(values[0], interval)
            case "with_odds_ratio":
                return vocabulary.with_odds_ratio(*values)
            case "every":
                return vocabulary.every(*values, self._length(arguments[0]))
            case "at":
                return vocabulary.at(*values, step=self._length(arguments[0]))
        raise AssertionError(function)

    def _length(self, clock: Expr) -> float:
        """What a cycle adds to a clock; a count of cycles or entries must equal the moment."""
        timed = ["years", "years_in_state", "time"] + [
            tracker.name for tracker in self.model.trackers.values() if tracker.kind != "count"
        ]
        part = Expression(clock, self.expression.where)
        runs = any(reads(part, word, self.model) for word in timed)
        return self.cycle if runs else 2 * NEAR

    def _curve(self, tree: Expr) -> curve_values.AnyCurve:
        """The curve that the first argument of `survival` and `hazard` names."""
        model = self.model
        match tree:
            case Column(table, column):
                cell = self._cell(table, column)
                return _Walk(cell, self.setting)._curve(cell.tree)
            case Index(name, indices):
                return curve_values.RecordCurve(self.setting, name, self._labels(name, indices))
            case Name(name) if name in model.define:
                return _Walk(model.define[name], self.setting)._curve(model.define[name].tree)
            case Name(name) if name in model.curves:
                curve = model.curves[name]
                kind = (
                    curve_values.SurvivalCurve
                    if curve.form == "survival"
                    else curve_values.HazardCurve
                )
                return kind(self.setting, curve)
            case Name(name):
                return curve_values.RecordCurve(self.setting, name, ())
        raise ModelError(f"'{text_of(tree)}' is no curve", **self._place)

    def _labels(self, name: str, indices: tuple[Expr, ...]) -> tuple[Any, ...]:
        """Which curve of a table of curves; a number, such as the line, is a step."""
        labels: tuple[Any, ...] = ()
        for index in map(self.of, indices):
            if not isinstance(index, str):
                known = self.model.parameters[name].values
                keys = {path[len(labels)] for path in known if path[: len(labels)] == labels}
                steps, found = self._steps(name, keys, index)
                index = float(steps[found.item()])
            labels = (*labels, index)
        return labels


_ARITHMETIC = {
    "+": lambda a, b: a + b,
    "-": lambda a, b: a - b,
    "*": lambda a, b: a * b,
    "/": lambda a, b: np.divide(a, b),
    "**": lambda a, b: np.power(np.asarray(a, float), b),
}


def _any(conditions: Any) -> Any:
    held: Any = False
    for condition in conditions:
        held = np.logical_or(held, condition)
    return held

"""Partial evaluation: an expression in a place becomes a residual."""

from __future__ import annotations

from collections.abc import Mapping
from math import isfinite
from typing import Any

from qalyst.axes import DRAW
from qalyst.errors import ModelError, nearest
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
)
from qalyst.model.kinds import compares_times, rate_interval
from qalyst.model.residual import Residual, Residuals
from qalyst.model.resolved import Expression, ResolvedModel
from qalyst.model.vocabulary import TOLERANCE
from qalyst.params.parameter import Parameter, show_path
from qalyst.stats.uncertainty import Fixed
from qalyst.units import YEARS

Place = Mapping[str, Any]  # what is known where an expression stands: labels, counts, line


class PartialEvaluator:
    """Evaluates the expressions of a model in places; equal work is done once.

    Parameters
    ----------
    model : the resolved model.
    """

    def __init__(self, model: ResolvedModel) -> None:
        self.model = model
        self.residuals = Residuals()
        self._memo: dict[tuple[Any, ...], Residual] = {}
        self._reads: dict[Expr, frozenset[str]] = {}
        self._times: dict[tuple[Expr, ...], bool] = {}

    def price(self, expression: Expression, place: Place) -> Residual:
        """The residual of a price: it names parameters that no draw changes as well.

        So prices can be told apart, and new ones read, after the quantities are known.
        """
        return self.value(expression, place, named=True)

    def value(self, expression: Expression, place: Place, *, named: bool = False) -> Residual:
        """The residual of an expression in a place.

        Parameters
        ----------
        expression, place : what stands where.
        named : parameters that no draw changes keep their names; else they are numbers.

        Raises
        ------
        ModelError
            A cell or label that does not exist in this place.
        """
        reads = self.reads(expression.tree)
        key = (
            expression.tree,
            named,
            tuple((name, place[name]) for name in sorted(reads) if name in place),
        )
        found = self._memo.get(key)
        if found is None:
            found = _Evaluation(self, expression, place, named).of(expression.tree)
            if found.constant and isinstance(found.value, float) and not isfinite(found.value):
                raise ModelError(
                    f"the expression is no number ({found.value:g})",
                    where=expression.shown,
                    mend="look for a division by 0, or a power that is too large",
                )
            self._memo[key] = found
        return found

    def reads(self, tree: Expr) -> frozenset[str]:
        """Every name that an expression reads, through definitions, columns and curves."""
        found = self._reads.get(tree)
        if found is None:
            names: set[str] = set()
            self._collect(tree, names, set())
            found = self._reads[tree] = frozenset(names)
        return found

    def _collect(self, tree: Expr, names: set[str], seen: set[object]) -> None:
        model = self.model
        match tree:
            case Name(name) | Index(name):
                names.add(name)
                inner = model.define.get(name)
                if inner is None and name in model.curves:
                    inner = model.curves[name].expression
                if inner is not None and name not in seen:
                    seen.add(name)
                    self._collect(inner.tree, names, seen)
            case Column(table, column):
                names |= {table, "line"} if table == "treatment" else {table}
                if (table, column) not in seen:
                    seen.add((table, column))
                    for cells in (model.columns(table) or {}).values():
                        if column in cells:
                            self._collect(cells[column].tree, names, seen)
        for child in children(tree):
            self._collect(child, names, seen)

    def compares_times(self, expression: Expression, *sides: Expr) -> bool:
        """Whether the two sides of a comparison are times."""
        found = self._times.get(sides)
        if found is None:
            found = self._times[sides] = compares_times(self.model, expression, *sides)
        return found

    def drawn(self, parameter: Parameter, path: tuple[Any, ...]) -> bool:
        """Whether a cell differs between draws."""
        if parameter.joint is not None:
            return True
        return not isinstance(parameter.uncertainty.get(path, _FIXED), Fixed)


_FIXED = Fixed(reason="set")


class _Evaluation:
    """One expression in one place."""

    def __init__(
        self, outer: PartialEvaluator, expression: Expression, place: Place, named: bool = False
    ) -> None:
        self.outer, self.expression, self.place, self.named = outer, expression, place, named
        self.model, self.make = outer.model, outer.residuals

    def of(self, tree: Expr) -> Residual:
        make = self.make
        match tree:
            case Number(value) | Truth(value):
                return make.constant(value)
            case Name(name):
                return self._name(name)
            case Column(table, column):
                return self._inner(self._cell(table, column))
            case Index(name, indices):
                return self._index(name, tuple(map(self.of, indices)))
            case Negative(operand):
                return make.negative(self.of(operand))
            case Not(operand):
                return make.apply("not", self.of(operand))
            case Logic(operator, operands):
                return make.logic(operator, [self.of(operand) for operand in operands])
            case Binary(operator, left, right):
                return make.apply(operator, self.of(left), self.of(right))
            case Comparison(operator, left, right):
                return self._compare(operator, left, right)
            case Among(operand, labels):
                return make.logic("or", [self._compare("==", operand, label) for label in labels])
            case Call(function, arguments):
                return self._call(function, arguments)

    def _inner(self, expression: Expression) -> Residual:
        return self.outer.value(expression, self.place, named=self.named)

    # -- names and tables

    def _name(self, name: str) -> Residual:
        make, model = self.make, self.model
        if name in self.place:
            known = self.place[name]
            return known if isinstance(known, Residual) else make.constant(known)
        if name in YEARS:
            return make.constant(YEARS[name])
        running = {"years": make.years, "cycle": make.cycle, "years_in_state": make.residence}
        if name in running:
            return running[name]
        if name in model.parameters:
            return self._parameter(model.parameters[name], ())
        if name in model.define:
            return self._inner(model.define[name])
        if name in model.labels:
            return make.constant(name)
        raise self._fault(f"'{name}' means nothing here", "check where the expression stands")

    def _parameter(self, parameter: Parameter, path: tuple[Any, ...]) -> Residual:
        if self.named or self.outer.drawn(parameter, path):
            return self.make.parameter(parameter.name, path)
        return self.make.constant(parameter.base(path))

    def _cell(self, table: str, column: str) -> Expression:
        rows = self.model.columns(table) or {}
        label = self.place.get(table)
        cells = rows.get(label) if label is not None else None
        if cells is None:
            raise self._fault(f"no {table} here, so no '{table}.{column}'", "check the place")
        if column not in cells:
            raise self._fault(
                f"the {table} '{label}' has no cell '{column}'",
                f"add it to the row of '{label}', or to the `default:` row",
            )
        return cells[column]

    def _index(self, name: str, indices: tuple[Residual, ...]) -> Residual:
        parameter = self.model.parameters[name]
        if parameter.curve is not None:
            if not all(index.constant for index in indices):
                raise self._fault(f"'{name}' is a curve by label, not by time", "name labels")
            return self._family(parameter, tuple(index.value for index in indices))
        return self._lookup(parameter, indices, ())

    def _lookup(
        self, parameter: Parameter, indices: tuple[Residual, ...], path: tuple[Any, ...]
    ) -> Residual:
        """Labels and known numbers pick; a running index stays a step function."""
        depth = len(path)
        if depth == len(parameter.by):
            return self._parameter(parameter, path)
        index, axis = indices[depth], parameter.by[depth]
        keys = list(dict.fromkeys(key[depth] for key in parameter.values if key[:depth] == path))
        words = [key for key in keys if isinstance(key, str)]
        if index.constant and (isinstance(index.value, str) or words):
            if index.value not in keys:
                if axis == "to":
                    return self.make.zero
                raise self._fault(
                    f"'{parameter.name}{show_path(path)}' has no label '{index.value}' "
                    f"on its axis {axis}",
                    nearest(str(index.value), map(str, keys)),
                )
            return self._lookup(parameter, indices, (*path, index.value))
        if words:
            raise self._fault(
                f"the axis {axis} of '{parameter.name}' has labels, not numbers", "name a label"
            )
        steps = sorted(float(key) for key in keys)
        if index.constant:
            below = [step for step in steps if step <= index.value + TOLERANCE]
            if not below:
                raise self._fault(
                    f"'{parameter.name}' starts at {axis} {steps[0]:g}; asked for {index.value:g}",
                    "begin the table earlier",
                )
            return self._lookup(parameter, indices, (*path, below[-1]))
        values = [self._lookup(parameter, indices, (*path, step)) for step in steps]
        if all(value is values[0] for value in values):
            return values[0]
        return self.make.node("step", parameter.name, tuple(steps), index, *values)

    # -- functions

    def _compare(self, operator: str, *sides: Expr) -> Residual:
        left, right = map(self.of, sides)
        labels = [side for side in (left, right) if side.constant and isinstance(side.value, str)]
        if labels:
            if len(labels) < 2 or operator not in ("==", "!="):
                raise self._fault(
                    f"the label '{labels[0].value}' cannot be compared by '{operator}' with "
                    f"{right if labels[0] is left else left}",
                    "labels are equal (==) or not (!=)",
                )
            return self.make.constant((left.value == right.value) == (operator == "=="))
        times = self.outer.compares_times(self.expression, *sides)
        return self.make.apply(f"time {operator}" if times else operator, left, right)

    def _call(self, function: str, arguments: tuple[Expr, ...]) -> Residual:
        make, cycle = self.make, self.model.timing.cycle
        match function:
            case "where":
                condition = self.of(arguments[0])
                if condition.constant:
                    return self.of(arguments[1] if condition.value else arguments[2])
                return make.where(condition, self.of(arguments[1]), self.of(arguments[2]))
            case "survival" | "hazard":
                return self._curve_value(function, arguments)
        parts = [self.of(argument) for argument in arguments]
        if function == "probability_of":
            parts.append(make.constant(cycle))
        elif function == "rate_of":
            interval = rate_interval(self.model, self.expression, arguments[0])
            parts.append(make.constant(interval))
        elif function in ("every", "at"):
            if function == "every" and parts[1].constant and not parts[1].value > 0:
                raise self._fault(f"every {parts[1].value:g} is never", "give a number above 0")
            steps_of_cycles = isinstance(arguments[0], Name) and arguments[0].name == "cycle"
            parts.append(make.constant(1.0 if steps_of_cycles else cycle))
        return make.apply(function, *parts)

    # -- curves

    def _curve_value(self, function: str, arguments: tuple[Expr, ...]) -> Residual:
        make = self.make
        curve, time = self._curve(arguments[0]), self.of(arguments[1])
        if function == "hazard":
            if curve.operation == "hazard_curve" and curve.arguments[0].constant:
                return make.constant(float(curve.arguments[0].value))
            rate = self._exponential_rate(curve)
            if rate is not None:
                return rate
        axes = (curve.axes - {make.time.operation}) | time.axes
        return make.node(function, curve, time, axes=axes)

    def _exponential_rate(self, curve: Residual) -> Residual | None:
        """The hazard of an exponential is its rate: no axis of time at all."""
        if curve.operation != "family":
            return None
        name, labels = curve.arguments
        parameter = self.model.parameters[name]
        if parameter.curve != "exponential":
            return None
        path = (*labels, "rate")
        if self.outer.drawn(parameter, path):
            return self.make.node("exponential_rate", name, labels, axes=frozenset({DRAW}))
        return self.make.constant(parameter.values[path] / parameter.curve_unit)

    def _curve(self, tree: Expr) -> Residual:
        model = self.model
        match tree:
            case Name(name) if name in model.curves:
                curve = model.curves[name]
                place = {**self.place, "time": self.make.time}
                inner = self.outer.value(curve.expression, place)
                return self.make.node(f"{curve.form}_curve", inner, name, curve.expression.where)
            case Name(name) if name in model.parameters:
                return self._family(model.parameters[name], ())
            case Name(name) if name in model.define:
                return self._curve(model.define[name].tree)
            case Column(table, column):
                cell = self._cell(table, column)
                return _Evaluation(self.outer, cell, self.place)._curve(cell.tree)
            case Index(name, indices):
                return self._index(name, tuple(map(self.of, indices)))
        raise self._fault("this is not a curve", "name a curve")

    def _family(self, parameter: Parameter, labels: tuple[Any, ...]) -> Residual:
        paths = [path for path in parameter.values if path[: len(labels)] == labels]
        if not paths and not any(p[: len(labels)] == labels for p in parameter.design):
            raise self._fault(
                f"'{parameter.name}' has no curve {show_path(labels)}",
                nearest(show_path(labels), {show_path(path[:-1]) for path in parameter.values}),
            )
        drawn = any(self.outer.drawn(parameter, path) for path in paths)
        axes = frozenset({DRAW}) if drawn else frozenset()
        return self.make.node("family", parameter.name, labels, axes=axes)

    def _fault(self, what: str, mend: str) -> ModelError:
        named = (
            f"{key} {self.place[key]}"
            for key in ("strategy", "state", "treatment", "to")
            if isinstance(self.place.get(key), str)
        )
        where = "; ".join([self.expression.shown, *named])
        return ModelError(what, where=where, mend=mend)

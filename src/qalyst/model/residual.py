"""Residual expressions: what is left of an expression when its place is known.

In a place (strategy, profile, state, line, history) labels, columns, counts and most
conditions are numbers. What is left is a tree over drawn parameters and running clocks. Equal
trees are one object, so that equal tables, compartments and programs are found by identity.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from qalyst.axes import CYCLE, DRAW, RESIDENCE
from qalyst.model.vocabulary import (
    COMPARISONS,
    TIME_COMPARISONS,
    at,
    every,
    probability_of,
    rate_of,
    with_odds_ratio,
)

TIME = "time"
NUMERIC: dict[str, Callable[..., Any]] = {
    "+": np.add,
    "-": np.subtract,
    "*": np.multiply,
    "/": np.divide,
    "**": np.power,
    "min": np.minimum,
    "max": np.maximum,
    "exp": np.exp,
    "log": np.log,
    "not": np.logical_not,
    "and": np.logical_and,
    "or": np.logical_or,
    "where": np.where,
    "probability_of": probability_of,
    "rate_of": rate_of,
    "with_odds_ratio": with_odds_ratio,
    "every": lambda clock, k, step: every(clock, k, step),
    "at": lambda clock, *moments: at(clock, *moments[:-1], step=moments[-1]),
    **COMPARISONS,
    **{f"time {word}": compare for word, compare in TIME_COMPARISONS.items()},
}


@dataclass(frozen=True, eq=False)
class Residual:
    """A node of a residual tree.

    Attributes
    ----------
    operation : a word of `NUMERIC`, or constant, parameter, quantile, years, cycle, residence,
        time, step, family, survival_curve, hazard_curve, survival, hazard.
    arguments : other nodes, and what the operation needs besides.
    axes : the axes along which its value differs.
    index : its number among the nodes of a model; equal trees have the same.
    """

    operation: str
    arguments: tuple[Any, ...]
    axes: frozenset[str]
    index: int

    @property
    def constant(self) -> bool:
        """Whether it is a number, a truth value or a label."""
        return self.operation == "constant"

    @property
    def value(self) -> Any:
        """The value of a constant."""
        return self.arguments[0]

    def is_number(self, number: float) -> bool:
        """Whether it is this number."""
        return self.constant and not isinstance(self.value, str) and self.value == number

    @property
    def parts(self) -> tuple[Residual, ...]:
        """The nodes among its arguments."""
        return tuple(item for item in self.arguments if isinstance(item, Residual))

    def __str__(self) -> str:
        return _text(self)


@dataclass
class Residuals:
    """Makes nodes, and keeps each once."""

    _nodes: dict[tuple[Any, ...], Residual] = field(default_factory=dict)
    factored: dict[int, Factors] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.zero = self.constant(0.0)
        self.one = self.constant(1.0)
        self.years = self.node("years", axes=frozenset({CYCLE}))
        self.cycle = self.node("cycle", axes=frozenset({CYCLE}))
        self.residence = self.node("residence", axes=frozenset({RESIDENCE}))
        self.time = self.node("time", axes=frozenset({TIME}))

    def node(self, operation: str, *arguments: Any, axes: frozenset[str] | None = None) -> Residual:
        """The node of an operation on arguments."""
        key = (operation, *map(_key, arguments))
        found = self._nodes.get(key)
        if found is None:
            if axes is None:
                parts = [item.axes for item in arguments if isinstance(item, Residual)]
                axes = frozenset().union(*parts)
            found = Residual(operation, arguments, axes, len(self._nodes))
            self._nodes[key] = found
        return found

    def constant(self, value: Any) -> Residual:
        """A number, truth value or label."""
        if isinstance(value, np.generic):
            value = value.item()
        if isinstance(value, int) and not isinstance(value, bool):
            value = float(value)
        return self.node("constant", value)

    def parameter(self, name: str, path: tuple[Any, ...]) -> Residual:
        """A drawn cell of a parameter."""
        return self.node("parameter", name, path, axes=frozenset({DRAW}))

    # -- operations, simplified where a part is known

    def apply(self, operation: str, *parts: Residual) -> Residual:
        """An operation; a number if all its parts are."""
        match operation:
            case "*":
                return self.times(*parts)
            case "+":
                return self.plus(*parts)
            case "-":
                return self.minus(*parts)
            case "/":
                return self.over(*parts)
            case "**":
                return self.power(*parts)
        if all(part.constant for part in parts):
            return self._known(operation, parts)
        return self.node(operation, *parts)

    def _known(self, operation: str, parts: tuple[Residual, ...]) -> Residual:
        with np.errstate(all="ignore"):
            value = NUMERIC[operation](*(part.value for part in parts))
        return self.constant(value if np.ndim(value) else np.asarray(value).item())

    def times(self, first: Residual, second: Residual) -> Residual:
        """Product; zero times anything is zero, so that what cannot happen vanishes."""
        if first.constant and second.constant:
            return self.constant(float(first.value) * float(second.value))
        if first.is_number(0) or second.is_number(0):
            return self.zero
        if first.is_number(1):
            return second
        if second.is_number(1):
            return first
        return self.node("*", *sorted((first, second), key=lambda node: node.index))

    def plus(self, first: Residual, second: Residual) -> Residual:
        """Sum."""
        if first.constant and second.constant:
            return self.constant(float(first.value) + float(second.value))
        if first.is_number(0):
            return second
        if second.is_number(0):
            return first
        return self.node("+", *sorted((first, second), key=lambda node: node.index))

    def minus(self, first: Residual, second: Residual) -> Residual:
        """Difference."""
        if first.constant and second.constant:
            return self.constant(float(first.value) - float(second.value))
        if second.is_number(0):
            return first
        return self.zero if first is second else self.node("-", first, second)

    def over(self, first: Residual, second: Residual) -> Residual:
        """Quotient."""
        if first.constant and second.constant:
            return self._known("/", (first, second))
        if second.is_number(1):
            return first
        return self.zero if first.is_number(0) else self.node("/", first, second)

    def power(self, base: Residual, exponent: Residual) -> Residual:
        """Power."""
        if base.constant and exponent.constant:
            return self._known("**", (base, exponent))
        if exponent.is_number(0):
            return self.one
        return base if exponent.is_number(1) else self.node("**", base, exponent)

    def negative(self, part: Residual) -> Residual:
        """Minus a part."""
        return self.times(self.constant(-1.0), part)

    def where(self, condition: Residual, first: Residual, second: Residual) -> Residual:
        """One of two, by a condition."""
        if condition.constant:
            return first if condition.value else second
        return first if first is second else self.node("where", condition, first, second)

    def logic(self, operator: str, parts: list[Residual]) -> Residual:
        """`and` or `or`; what is known is left out."""
        decides = operator == "or"
        if any(part.constant and bool(part.value) == decides for part in parts):
            return self.constant(decides)
        open_parts = [part for part in parts if not part.constant]
        if not open_parts:
            return self.constant(not decides)
        joined = open_parts[0]
        for part in open_parts[1:]:
            joined = self.node(operator, joined, part)
        return joined


def _key(argument: Any) -> tuple[Any, ...]:
    if isinstance(argument, Residual):
        return ("node", argument.index)
    return (type(argument).__name__, argument)


@dataclass(frozen=True)
class Factors:
    """A product taken apart by the axes of its factors.

    Attributes
    ----------
    series : no draw and no residence: [cycle].
    lanes : draw, no residence: [cycle, draw].
    cells : residence: [cycle, residence, draw].
    """

    series: Residual
    lanes: Residual
    cells: Residual


def factors(residuals: Residuals, node: Residual) -> Factors:
    """Group the top-level factors of a product; a sum or a `where` is one factor."""
    found = residuals.factored.get(node.index)
    if found is None:
        found = residuals.factored[node.index] = _factors(residuals, node)
    return found


def _factors(residuals: Residuals, node: Residual) -> Factors:
    series = lanes = cells = residuals.one
    for factor in _top_factors(residuals, node, 1):
        if RESIDENCE in factor.axes:
            cells = residuals.times(cells, factor)
        elif DRAW in factor.axes:
            lanes = residuals.times(lanes, factor)
        else:
            series = residuals.times(series, factor)
    return Factors(series, lanes, cells)


def _top_factors(residuals: Residuals, node: Residual, power: int) -> list[Residual]:
    if node.operation in ("*", "/"):
        first, second = node.arguments
        other = power if node.operation == "*" else -power
        return [
            *_top_factors(residuals, first, power),
            *_top_factors(residuals, second, other),
        ]
    return [node if power == 1 else residuals.over(residuals.one, node)]


def _text(node: Residual) -> str:
    match node.operation:
        case "constant":
            value = node.value
            return f"{value:g}" if isinstance(value, float) else str(value)
        case "parameter":
            name, path = node.arguments
            return str(name) + (f"[{', '.join(map(str, path))}]" if path else "")
        case "years" | "cycle" | "time":
            return node.operation
        case "residence":
            return "years_in_state"
        case "+" | "-" | "*" | "/" | "**":
            first, second = (f"({p})" if _is_sum(p) else str(p) for p in node.parts)
            return f"{first} {node.operation} {second}"
        case "quantile":
            family, u, _, *arguments = node.arguments
            return f"{family}({', '.join(map(str, arguments))}) at {u:.3g}"
        case "step":
            return f"{node.arguments[0]}[...]"
        case "family":
            return str(node.arguments[0])
        case _:
            return f"{node.operation}({', '.join(map(str, node.parts))})"


def _is_sum(node: Residual) -> bool:
    return node.operation in ("+", "-")


def parameters_of(node: Residual) -> set[str]:
    """Names of the drawn parameters that a residual reads."""
    names: set[str] = set()
    seen: set[int] = set()
    todo = [node]
    while todo:
        here = todo.pop()
        if here.index in seen:
            continue
        seen.add(here.index)
        if here.operation in ("parameter", "family"):
            names.add(here.arguments[0])
        todo += here.parts
    return names

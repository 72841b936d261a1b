"""The expression language: text to a closed tree, by Python's own parser and a whitelist.

User text never reaches ``eval``, ``exec`` or ``compile``; what `ast.parse` returns is
walked once and rebuilt from the nodes below. Everything else is an error that names the piece.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import TypeAlias

from qalyst.errors import ModelError, nearest
from qalyst.model.vocabulary import FUNCTIONS

MAX_CHARACTERS = 500
MAX_NODES = 200
LARGEST = sys.float_info.max


@dataclass(frozen=True)
class Number:
    """A number written in the expression."""

    value: float


@dataclass(frozen=True)
class Truth:
    """`true` or `false`."""

    value: bool


@dataclass(frozen=True)
class Name:
    """A parameter, definition, curve, tracker, clock, profile dimension, or a bare label."""

    name: str


@dataclass(frozen=True)
class Column:
    """A cell of a table: ``treatment.pfs``."""

    table: str
    column: str


@dataclass(frozen=True)
class Index:
    """A table parameter with its indices: ``r_death[sex, age]``."""

    name: str
    indices: tuple[Expr, ...]


@dataclass(frozen=True)
class Call:
    """A function of the vocabulary with its arguments."""

    function: str
    arguments: tuple[Expr, ...]


@dataclass(frozen=True)
class Negative:
    """Minus an operand."""

    operand: Expr


@dataclass(frozen=True)
class Binary:
    """``+ - * / **`` between two operands."""

    operator: str
    left: Expr
    right: Expr


@dataclass(frozen=True)
class Comparison:
    """``== != < <= > >=`` between two operands."""

    operator: str
    left: Expr
    right: Expr


@dataclass(frozen=True)
class Among:
    """Whether an axis or a label is one of some labels."""

    operand: Expr
    labels: tuple[Expr, ...]


@dataclass(frozen=True)
class Not:
    """The opposite of a condition."""

    operand: Expr


@dataclass(frozen=True)
class Logic:
    """`and` or `or` of conditions."""

    operator: str
    operands: tuple[Expr, ...]


Expr: TypeAlias = (
    Number
    | Truth
    | Name
    | Column
    | Index
    | Call
    | Negative
    | Binary
    | Comparison
    | Among
    | Not
    | Logic
)

ZERO, ONE = Number(0.0), Number(1.0)
_BINARY = {ast.Add: "+", ast.Sub: "-", ast.Mult: "*", ast.Div: "/", ast.Pow: "**"}
_COMPARE = {
    ast.Eq: "==",
    ast.NotEq: "!=",
    ast.Lt: "<",
    ast.LtE: "<=",
    ast.Gt: ">",
    ast.GtE: ">=",
}


def parse(value: object, where: str) -> Expr:
    """The tree of an expression, or of a number or truth value as YAML gives them.

    >>> parse("hr * r_death[sex, 60 + years]", "here").left
    Name(name='hr')

    Raises
    ------
    ModelError
        A piece that is not part of the language, or too long an expression.
    """
    if isinstance(value, bool):
        return Truth(value)
    if isinstance(value, int | float):
        if not -LARGEST <= value <= LARGEST:  # a whole number may be larger than any float
            raise ModelError("the number is too large", where=where, mend="write a finite number")
        return Number(float(value))
    if not isinstance(value, str):
        raise ModelError(
            f"{value!r} is not an expression", where=where, mend="write a number or an expression"
        )
    return _parse_text(value, where)


@lru_cache(maxsize=20_000)
def _parse_text(text: str, where: str) -> Expr:
    def refuse(piece: str, mend: str) -> ModelError:
        return ModelError(
            f"'{piece}' is not part of the language", where=f'{where}   "{text}"', mend=mend
        )

    if len(text) > MAX_CHARACTERS:
        raise ModelError(
            f"the expression has {len(text)} characters; at most {MAX_CHARACTERS} are read",
            where=where,
            mend="name its parts under `define:`",
        )
    try:
        tree = ast.parse(text.strip(), mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        raise refuse(text, "write it with names, numbers, + - * / **, and functions") from error
    if sum(1 for _ in ast.walk(tree)) > MAX_NODES:
        raise ModelError(
            "the expression is too long", where=where, mend="name its parts under `define:`"
        )
    return _Builder(refuse).build(tree)


class _Builder:
    """Rebuilds a Python tree from the nodes of the language."""

    def __init__(self, refuse: Callable[[str, str], ModelError]) -> None:
        self.refuse = refuse

    def build(self, node: ast.AST) -> Expr:
        method = getattr(self, f"_{type(node).__name__.lower()}", None)
        if method is None:
            raise self.refuse(
                ast.unparse(node), "write it with names, numbers, + - * / **, and functions"
            )
        built: Expr = method(node)
        return built

    def _constant(self, node: ast.Constant) -> Expr:
        if isinstance(node.value, bool):
            raise self.refuse(str(node.value), "write true or false")
        if not isinstance(node.value, int | float):
            raise self.refuse(ast.unparse(node), "labels are written without quotes")
        if not node.value <= LARGEST:
            raise self.refuse(ast.unparse(node), "write a finite number")
        return Number(float(node.value))

    def _name(self, node: ast.Name) -> Expr:
        if node.id in ("true", "false"):
            return Truth(node.id == "true")
        return Name(self._word(node.id))

    def _attribute(self, node: ast.Attribute) -> Expr:
        if not isinstance(node.value, ast.Name):
            raise self.refuse(ast.unparse(node), "a column is written table.column")
        return Column(self._word(node.value.id), self._word(node.attr))

    def _subscript(self, node: ast.Subscript) -> Expr:
        if not isinstance(node.value, ast.Name):
            raise self.refuse(ast.unparse(node), "only a table parameter takes an index")
        indices = node.slice.elts if isinstance(node.slice, ast.Tuple) else [node.slice]
        return Index(self._word(node.value.id), tuple(map(self.build, indices)))

    def _call(self, node: ast.Call) -> Expr:
        word = node.func.id if isinstance(node.func, ast.Name) else ast.unparse(node.func)
        function = FUNCTIONS.get(word)
        if function is None or node.keywords:
            raise self.refuse(ast.unparse(node), f"functions: {nearest(word, FUNCTIONS)}")
        if not function.accepts(len(node.args)):
            raise self.refuse(ast.unparse(node), f"write {function.usage}")
        return Call(word, tuple(map(self.build, node.args)))

    def _unaryop(self, node: ast.UnaryOp) -> Expr:
        operand = self.build(node.operand)
        if isinstance(node.op, ast.Not):
            return Not(operand)
        if isinstance(node.op, ast.USub):
            return Number(-operand.value) if isinstance(operand, Number) else Negative(operand)
        raise self.refuse(ast.unparse(node), "write the operand alone, or minus it")

    def _binop(self, node: ast.BinOp) -> Expr:
        operator = _BINARY.get(type(node.op))
        if operator is None:
            raise self.refuse(ast.unparse(node), "operators are + - * / **")
        return Binary(operator, self.build(node.left), self.build(node.right))

    def _boolop(self, node: ast.BoolOp) -> Expr:
        word = "and" if isinstance(node.op, ast.And) else "or"
        return Logic(word, tuple(map(self.build, node.values)))

    def _compare(self, node: ast.Compare) -> Expr:
        if len(node.ops) > 1:
            raise self.refuse(ast.unparse(node), "join two comparisons by `and`")
        left, right = self.build(node.left), node.comparators[0]
        if isinstance(node.ops[0], ast.In):
            if not isinstance(right, ast.Tuple):
                raise self.refuse(ast.unparse(node), "write: axis in (label, label)")
            return Among(left, tuple(map(self.build, right.elts)))
        operator = _COMPARE.get(type(node.ops[0]))
        if operator is None:
            raise self.refuse(ast.unparse(node), "comparisons are == != < <= > >= in")
        return Comparison(operator, left, self.build(right))

    def _word(self, word: str) -> str:
        if word.startswith("_") or not word.isascii():
            raise self.refuse(word, "names are lower-case words joined by _")
        return word


def children(expr: Expr) -> tuple[Expr, ...]:
    """The operands of an expression."""
    match expr:
        case Index(_, parts) | Call(_, parts) | Logic(_, parts):
            return parts
        case Negative(operand) | Not(operand):
            return (operand,)
        case Binary(_, left, right) | Comparison(_, left, right):
            return (left, right)
        case Among(operand, labels):
            return (operand, *labels)
        case _:
            return ()


_LEVEL = {"+": 1, "-": 1, "*": 2, "/": 2, "**": 4}


def text_of(expr: Expr) -> str:
    """The expression as text that parses to it again.

    >>> text_of(parse("(a + b) * -c[x, 2] / 3", "here"))
    '(a + b) * -c[x, 2] / 3'
    """
    return _text(expr, 0)


def _text(expr: Expr, level: int) -> str:
    match expr:
        case Number(value):
            text = f"{value:.15g}" if float(f"{value:.15g}") == value else repr(value)
            return _wrap(text, value < 0 and level > 3)
        case Truth(value):
            return "true" if value else "false"
        case Name(name):
            return name
        case Column(table, column):
            return f"{table}.{column}"
        case Index(name, indices):
            return f"{name}[{', '.join(_text(index, 0) for index in indices)}]"
        case Call(function, arguments):
            return f"{function}({', '.join(_text(item, 0) for item in arguments)})"
        case Negative(operand):
            return _wrap(f"-{_text(operand, 3)}", level > 3)
        case Binary(operator, left, right):
            own = _LEVEL[operator]
            first, second = (own + 1, own) if operator == "**" else (own, own + 1)
            return _wrap(f"{_text(left, first)} {operator} {_text(right, second)}", own < level)
        case Comparison(operator, left, right):
            return _wrap(f"{_text(left, 1)} {operator} {_text(right, 1)}", level > 0)
        case Among(operand, labels):
            listed = ", ".join(_text(label, 0) for label in labels)
            comma = "," if len(labels) == 1 else ""
            return _wrap(f"{_text(operand, 1)} in ({listed}{comma})", level > 0)
        case Not(operand):
            return _wrap(f"not {_text(operand, 1)}", level > 0)
        case Logic(operator, operands):
            joined = f" {operator} ".join(_text(operand, 1) for operand in operands)
            return _wrap(joined, level > 0)


def _wrap(text: str, needed: bool) -> str:
    return f"({text})" if needed else text

"""Which names an expression may use, and which names a model uses."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from qalyst.errors import Mistakes, nearest
from qalyst.model.expressions import (
    Among,
    Call,
    Column,
    Comparison,
    Expr,
    Index,
    Name,
    children,
)
from qalyst.model.resolved import START, Expression, Label, ResolvedModel
from qalyst.model.vocabulary import FUNCTIONS, HOW_NAMES_ARE, RESERVED, is_name
from qalyst.units import YEARS

CLOCKS = ("years", "cycle", "years_in_state")
MAX_NESTING = 50  # definitions within definitions
_ALWAYS = {*YEARS, "strategy", "true", "false"}


@dataclass(frozen=True)
class Scope:
    """The reserved names that mean something where an expression stands.

    Attributes
    ----------
    what : the place, in words.
    reserved : the names.
    trackers, attributes : whether these may be named.
    """

    what: str
    reserved: frozenset[str]
    trackers: bool = True
    attributes: bool = True

    def in_curve(self) -> Scope:
        """What a curve may name that is read here: its own time, no clock of the model."""
        reserved = self.reserved - {*CLOCKS} | {"time"}
        return Scope("a curve", reserved, self.trackers, self.attributes)


def _scope(what: str, *reserved: str, trackers: bool = True, attributes: bool = True) -> Scope:
    return Scope(what, frozenset({*_ALWAYS, *reserved}), trackers, attributes)


IN_STATE = ("state", "years", "cycle", "line", "treatment")
TRANSITION = _scope("a transition", *IN_STATE, "years_in_state", "to")
TRANSITION_IN_CONTINUOUS_TIME = _scope("a transition in continuous time", *IN_STATE, "to")
CHANCE = _scope("a chance", *IN_STATE, "to")
PAYOFF = _scope("a payoff", *IN_STATE, "years_in_state")
PAYOFF_IN_CONTINUOUS_TIME = _scope("a payoff in continuous time", *IN_STATE)
PAYOFF_OF_SHARES = _scope(
    "a payoff of a partitioned survival model", "state", "years", "cycle", trackers=False
)
PRICE = _scope("a price", "state", "line", "treatment", trackers=False, attributes=False)
DISCOUNT = _scope("a discount rate", "years", trackers=False, attributes=False)
WEIGHT = _scope("a weight", trackers=False, attributes=False)
ARGUMENT = Scope(
    "an argument of an attribute",
    frozenset(_ALWAYS - {"strategy"}),
    trackers=False,
    attributes=False,
)
AMOUNT = _scope("an amount", *IN_STATE)
OCCUPANCY = _scope("an occupancy", "years", "cycle", "state", trackers=False)
UNUSED = Scope("a definition", frozenset(RESERVED) - {"time"})


_ATTRIBUTE_ADVICE = {
    PRICE.what: "put it into `quantity`: quantities are kept, and priced afterwards",
    ARGUMENT.what: "attributes depend on one another by `correlation:`",
}


def check_names(model: ResolvedModel, mistakes: Mistakes) -> None:
    """Note every name that means nothing where it stands."""
    _check_namespace(model, mistakes)
    for expression, scope in expressions(model):
        _Checker(model, scope, mistakes).check(expression)
    unused = _Checker(model, UNUSED, mistakes)
    used, _ = used_names(model)
    for name in model.define.keys() - used:
        unused.check(Expression(Name(name), model.define[name].where))
    for name in model.curves.keys() - used:
        where = model.curves[name].expression.where
        unused.check(Expression(Call("survival", (Name(name), Name("years"))), where))


def expressions(model: ResolvedModel) -> Iterator[tuple[Expression, Scope]]:
    """The expressions that a run reads, with what they may name."""
    continuous = model.timing.events_per_cycle == "any"
    for row in model.transitions:
        chance = row.source == "start" or model.states[row.source].instant
        moving = TRANSITION_IN_CONTINUOUS_TIME if continuous else TRANSITION
        for expression in (row.value, row.when):
            if expression is not None:
                yield expression, CHANCE if chance else moving
    payoffs = (
        PAYOFF_OF_SHARES if model.occupancy else PAYOFF_IN_CONTINUOUS_TIME if continuous else PAYOFF
    )
    for payoff in model.payoffs:
        yield payoff.quantity, payoffs
        yield payoff.price, PRICE
        if payoff.when is not None:
            yield payoff.when, payoffs
    for outcome in model.outcomes.values():
        yield outcome.discount, DISCOUNT
    for dimension in model.dimensions.values():
        for weight in dimension.weights.values():
            yield weight, WEIGHT
    for attribute in model.attributes.values():
        for argument in attribute.arguments.values():
            yield argument, ARGUMENT
    for tracker in model.trackers.values():
        if tracker.amount is not None:
            yield tracker.amount, AMOUNT
    for share in model.occupancy.values():
        yield share, OCCUPANCY


def used_names(model: ResolvedModel) -> tuple[set[str], set[tuple[str, str]]]:
    """Names and columns that a run reads, through definitions, curves and cells."""
    names: set[str] = set()
    columns: set[tuple[str, str]] = set()
    for expression, _ in expressions(model):
        _follow(model, expression.tree, names, columns)
    return names, columns


def names_below(model: ResolvedModel, expression: Expression) -> set[str]:
    """Names that one expression reads, through definitions, curves and cells."""
    names: set[str] = set()
    _follow(model, expression.tree, names, set())
    return names


def _follow(
    model: ResolvedModel, tree: Expr, names: set[str], columns: set[tuple[str, str]]
) -> None:
    match tree:
        case Name(name) | Index(name):
            if name not in names:
                names.add(name)
                if name in model.define:
                    _follow(model, model.define[name].tree, names, columns)
                if name in model.curves:
                    _follow(model, model.curves[name].expression.tree, names, columns)
        case Column(table, column) if (table, column) not in columns:
            columns.add((table, column))
            names.add(table)
            for cells in (model.columns(table) or {}).values():
                if column in cells:
                    _follow(model, cells[column].tree, names, columns)
    for child in children(tree):
        _follow(model, child, names, columns)


def _check_namespace(model: ResolvedModel, mistakes: Mistakes) -> None:
    owners: dict[str, str] = dict.fromkeys(RESERVED, "a reserved name of the language")
    owners |= dict.fromkeys(FUNCTIONS, "a function of the language")
    kinds: tuple[tuple[str, dict[str, str]], ...] = (
        ("profiles", {name: f"{model.file}" for name in model.dimensions}),
        ("attributes", {name: item.where for name, item in model.attributes.items()}),
        ("track", {name: tracker.where for name, tracker in model.trackers.items()}),
        ("define", {name: item.where for name, item in model.define.items()}),
        ("curves", {name: item.expression.where for name, item in model.curves.items()}),
        ("parameters", {name: str(item.mark) for name, item in model.parameters.items()}),
    )
    for section, names in kinds:
        for name, where in names.items():
            if name in owners:
                mistakes.add(
                    f"'{name}' is defined twice",
                    where=f"{where} and {owners[name]}",
                    mend="rename one of the two: nothing shadows",
                )
            if not is_name(name):
                mistakes.add(
                    f"'{name}' is not a name",
                    where=where,
                    mend=HOW_NAMES_ARE,
                )
            owners.setdefault(name, f"{section}: {where}")


class _Checker:
    """Walks one expression, and what it names, in one scope."""

    def __init__(self, model: ResolvedModel, scope: Scope, mistakes: Mistakes) -> None:
        self.model, self.scope, self.mistakes = model, scope, mistakes
        self.open: list[str] = []
        self.seen: set[tuple[str, Scope]] = set()

    def check(self, expression: Expression) -> None:
        """Note what is wrong with an expression; a bare label by itself is a cell of labels."""
        if self._bare_label(expression.tree) is None:
            self._walk(expression.tree, expression, self.scope)

    def _bare_label(self, tree: Expr) -> str | None:
        """The label that a word stands for, if it is no other name."""
        model = self.model
        if not isinstance(tree, Name) or tree.name not in model.labels:
            return None
        named = {*model.parameters, *model.define, *model.curves, *model.trackers}
        named |= {*model.dimensions, *model.attributes, *RESERVED}
        return None if tree.name in named else tree.name

    def _walk(self, tree: Expr, where: Expression, scope: Scope) -> None:
        match tree:
            case Name(name):
                self._name(name, where, scope)
            case Column(table, column):
                self._column(table, column, where, scope)
            case Index(name, indices):
                self._index(name, indices, where, scope)
            case Comparison(_, left, right):
                self._operands((left, right), where, scope)
                self._labels_of(left, (right,), where)
                self._labels_of(right, (left,), where)
            case Among(operand, labels):
                self._operands((operand, *labels), where, scope)
                self._labels_of(operand, labels, where)
            case Call("hazard" | "survival", (curve, argument)):
                self._curve(curve, where, scope)
                self._walk(argument, where, scope)
            case _:
                for child in children(tree):
                    self._walk(child, where, scope)

    def _operands(self, operands: tuple[Expr, ...], where: Expression, scope: Scope) -> None:
        """Operands in which a bare label may stand."""
        for operand in operands:
            if self._bare_label(operand) is None:
                self._walk(operand, where, scope)

    def _labels_of(self, axis: Expr, labels: tuple[Expr, ...], where: Expression) -> None:
        """Bare labels must be labels of the axis that they are compared with."""
        model = self.model
        if not isinstance(axis, Name):
            return
        axes: dict[str, tuple[Label, ...]] = {
            "strategy": tuple(model.strategies),
            "treatment": tuple(model.treatments),
            "state": (*model.states, START),
            "to": tuple(model.states),
            **{name: dimension.labels for name, dimension in model.dimensions.items()},
        }
        known = axes.get(axis.name)
        for label in map(self._bare_label, labels):
            if known is None or label is None:
                continue
            if label not in known and label not in model.labels_left_out:
                what = f"'{label}' is no label of {axis.name}"
                self._fault(what, where, nearest(label, map(str, known)))

    def _name(self, name: str, where: Expression, scope: Scope) -> None:
        model = self.model
        if name in RESERVED:
            if name not in scope.reserved:
                self._fault(
                    f"'{name}' means nothing in {scope.what}",
                    where,
                    self._advice(name, scope),
                )
        elif name in model.trackers:
            if not scope.trackers:
                self._fault(
                    f"'{name}' means nothing in {scope.what}", where, self._advice(name, scope)
                )
        elif name in model.attributes:
            if not scope.attributes:
                what = f"the attribute '{name}' means nothing in {scope.what}"
                self._fault(what, where, _ATTRIBUTE_ADVICE.get(scope.what, "name a parameter"))
        elif name in model.parameters:
            parameter = model.parameters[name]
            if parameter.curve is not None:
                self._fault(
                    f"'{name}' is a survival curve", where, f"write survival({name}, years)"
                )
            elif parameter.by:
                axes = ", ".join(parameter.by)
                self._fault(f"'{name}' is a table by {axes}", where, f"write {name}[{axes}]")
        elif name in model.define:
            self._inner(f"define.{name}", model.define[name], scope)
        elif name in model.curves:
            self._fault(f"'{name}' is a survival curve", where, f"write hazard({name}, years)")
        elif name not in model.dimensions:
            known = [*model.parameters, *model.define, *model.dimensions, *model.trackers]
            known += model.attributes
            reserved = sorted(scope.reserved - {"true", "false"})
            known += [*model.labels, *reserved]
            self._fault(f"unknown name '{name}'", where, nearest(name, known))

    def _advice(self, name: str, scope: Scope) -> str:
        if scope is PRICE:
            return "put what runs into `quantity`, a second price into a second row"
        if name == "time":
            return "in a transition or payoff, model time is `years`"
        if scope.what == "a curve" and name in CLOCKS:
            return "the variable of a curve is `time`: read it as hazard(curve, years)"
        if name == "years_in_state" and self.model.timing.events_per_cycle == "any":
            return "`events_per_cycle: any` knows no time in the state: use `two` or `one`"
        return "name something that exists there"

    def _inner(self, key: str, expression: Expression, scope: Scope) -> None:
        if key in self.open:
            loop = " -> ".join([*self.open[self.open.index(key) :], key])
            self._fault(f"a definition uses itself: {loop}", expression, "break the loop")
            return
        if (key, scope) in self.seen:
            return
        if len(self.open) >= MAX_NESTING:
            self._fault(
                f"definitions nest more than {MAX_NESTING} deep", expression, "write fewer steps"
            )
            return
        self.seen.add((key, scope))
        self.open.append(key)
        self._walk(expression.tree, expression, scope)
        self.open.pop()

    def _column(self, table: str, column: str, where: Expression, scope: Scope) -> None:
        rows = self.model.columns(table)
        if rows is None:
            tables = ["strategy", "treatment", "state", *self.model.dimensions]
            self._fault(f"'{table}' has no columns", where, nearest(table, tables))
            return
        if table in RESERVED and table not in scope.reserved:
            self._fault(
                f"'{table}' means nothing in {scope.what}", where, self._advice(table, scope)
            )
        if not any(column in cells for cells in rows.values()):
            known = sorted({name for cells in rows.values() for name in cells})
            plural = {"strategy": "strategies", "treatment": "treatments", "state": "states"}
            self._fault(
                f"no column '{column}' in {plural.get(table, table)}",
                where,
                nearest(f"{table}.{column}", [f"{table}.{name}" for name in known]),
            )
        for label, cells in rows.items():
            if column in cells and not self._is_label_or_curve(cells[column].tree):
                self._inner(f"{table}.{label}.{column}", cells[column], scope)

    def _is_label_or_curve(self, tree: Expr) -> bool:
        if isinstance(tree, Index):
            parameter = self.model.parameters.get(tree.name)
            return parameter is not None and parameter.curve is not None
        if not isinstance(tree, Name):
            return False
        parameter = self.model.parameters.get(tree.name)
        if tree.name in self.model.curves or (parameter is not None and parameter.curve):
            return True
        return self._bare_label(tree) is not None

    def _index(self, name: str, indices: tuple[Expr, ...], where: Expression, scope: Scope) -> None:
        parameter = self.model.parameters.get(name)
        if parameter is None:
            tables = [key for key, item in self.model.parameters.items() if item.by]
            self._fault(f"unknown table '{name}'", where, nearest(name, tables))
        elif not parameter.by:
            self._fault(f"'{name}' is not a table", where, f"write {name}")
        elif len(parameter.by) != len(indices):
            axes = ", ".join(parameter.by)
            self._fault(f"'{name}' is a table by {axes}", where, f"write {name}[{axes}]")
        self._operands(indices, where, scope)

    def _curve(self, tree: Expr, where: Expression, scope: Scope) -> None:
        model = self.model
        match tree:
            case Name(name) if name in model.curves:
                curve = model.curves[name]
                self._inner(f"curves.{name}", curve.expression, scope.in_curve())
            case Name(name) if name in model.parameters:
                parameter = model.parameters[name]
                if parameter.curve is None:
                    self._fault(f"'{name}' is not a survival curve", where, "name a curve")
                elif parameter.by:
                    axes = ", ".join(parameter.by)
                    self._fault(f"'{name}' is a curve by {axes}", where, f"write {name}[{axes}]")
            case Index(name, indices):
                self._index(name, indices, where, scope)
                if name in model.parameters and model.parameters[name].curve is None:
                    self._fault(f"'{name}' is not a survival curve", where, "name a curve")
            case Column(table, column):
                self._column(table, column, where, scope)
                for cells in (model.columns(table) or {}).values():
                    if column in cells:
                        self._curve(cells[column].tree, cells[column], scope)
            case Name(name) if name in model.define:
                self._curve(model.define[name].tree, model.define[name], scope)
            case Name(name):
                curves = [key for key, item in model.parameters.items() if item.curve]
                self._fault(
                    f"unknown curve '{name}'", where, nearest(name, [*model.curves, *curves])
                )
            case _:
                self._fault("this is not a curve", where, "name a curve, a record or a column")

    def _fault(self, what: str, where: Expression, mend: str) -> None:
        self.mistakes.add(what, where=where.shown, mend=mend)

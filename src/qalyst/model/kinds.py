"""Units of every expression: dimensions that add up, and kinds of pure numbers that may mix.

The rules are those of docs/language.md, section 4.
"""

from __future__ import annotations

from qalyst.errors import Mistakes, ModelError
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
from qalyst.model.resolved import START, Attribute, Expression, Payoff, ResolvedModel, Transition
from qalyst.units import (
    A_PROBABILITY,
    BARE,
    BARE_NUMBER,
    CONDITION,
    HAZARD_RATIO,
    LABEL,
    LABELS,
    ODDS_RATIO,
    ONE,
    PER_YEAR,
    PROBABILITY,
    RATIOS,
    RELATIVE_RISK,
    YEAR,
    YEARS,
    Unit,
    nouns,
    same_interval,
    without_nouns,
)


def check_units(model: ResolvedModel, mistakes: Mistakes) -> None:
    """Note every expression whose units do not fit."""
    for row in model.transitions:
        with mistakes.caught():
            _check_transition(model, row)
    for payoff in model.payoffs:
        with mistakes.caught():
            _check_payoff(model, payoff)
    for outcome in model.outcomes.values():
        with mistakes.caught():
            _wants_pure(model, outcome.discount, "a discount rate")
    for dimension in model.dimensions.values():
        for weight in dimension.weights.values():
            with mistakes.caught():
                _wants_pure(model, weight, "a weight")
    for attribute in model.attributes.values():
        for key, expression in attribute.arguments.items():
            with mistakes.caught():
                _check_argument(model, attribute, key, expression)
    for share in model.occupancy.values():
        with mistakes.caught():
            _wants_pure(model, share, "a share")
    for curve in model.curves.values():
        with mistakes.caught():
            units = _Units(model, curve.expression)
            found = units.number(curve.expression.tree)
            fits = _is_rate(found) if curve.form == "hazard" else found.pure
            if not fits and not units.is_zero(curve.expression.tree):
                wanted = "1/year" if curve.form == "hazard" else "a probability"
                raise _mismatch(
                    f"the {curve.form} of '{curve.name}' is in {found}, not {wanted}",
                    curve.expression,
                )


def _check_transition(model: ResolvedModel, row: Transition) -> None:
    if row.when is not None:
        found = _Units(model, row.when).of(row.when.tree)
        if found.kind != CONDITION.kind:
            raise _mismatch(f"`when` of '{row.name}' is not a condition", row.when)
    if row.value is None:
        return
    units = _Units(model, row.value)
    found = units.number(row.value.tree)
    if row.kind == "rate":
        if not _is_rate(found) and not units.is_zero(row.value.tree):
            help_ = (
                "cross by rate_of(p) if it is a probability per interval"
                if found.kind == PROBABILITY
                else "write a rate, 1/year"
            )
            raise _mismatch(f"the rate of '{row.name}' is in {found}, not 1/year", row.value, help_)
        return
    branch = row.source == START or model.states[row.source].instant or row.when is not None
    wanted = None if branch else model.timing.cycle
    if found.kind == BARE:
        return
    if found.kind != PROBABILITY or not same_interval(found.interval, wanted):
        target = Unit(ONE.dimension, PROBABILITY, wanted)
        help_ = (
            "cross by probability_of(rate)"
            if _is_rate(found)
            else "write probability_of(rate_of(p)) to carry it to another interval"
            if found.kind == PROBABILITY
            else f"write a {target}"
        )
        raise _mismatch(
            f"the probability of '{row.name}' is in {found}, not {target}", row.value, help_
        )


def _check_argument(
    model: ResolvedModel, attribute: Attribute, key: str, expression: Expression
) -> None:
    units = _Units(model, expression)
    found = units.number(expression.tree)
    fits = found.kind == BARE or found.like(attribute.unit) or units.is_zero(expression.tree)
    if not fits:
        raise _mismatch(
            f"`{key}` of the attribute '{attribute.name}' is in {found}, not {attribute.unit}",
            expression,
        )


def _check_payoff(model: ResolvedModel, payoff: Payoff) -> None:
    if payoff.when is not None:
        condition = _Units(model, payoff.when).of(payoff.when.tree)
        if condition.kind != CONDITION.kind:
            raise _mismatch(f"`when` of '{payoff.name}' is not a condition", payoff.when)
    quantities, prices = _Units(model, payoff.quantity), _Units(model, payoff.price)
    quantity = quantities.number(payoff.quantity.tree)
    price = prices.number(payoff.price.tree)
    if prices.is_zero(payoff.price.tree) or quantities.is_zero(payoff.quantity.tree):
        return
    amount = quantity.times(price)
    if payoff.counts_time:
        amount = amount.times(YEAR)
    shown, wanted = amount, model.outcomes[payoff.outcome].unit
    if not nouns(quantity):  # a number without a noun counts whatever the price is per
        amount, wanted = without_nouns(amount), without_nouns(wanted)
    if amount.dimension != wanted.dimension:
        counted = "a year in the state" if payoff.counts_time else "one event"
        raise ModelError(
            f"'{payoff.name}' comes out in {Unit(shown.dimension)}, "
            f"the outcome '{payoff.outcome}' is in {model.outcomes[payoff.outcome].unit}",
            where=f"{payoff.where}   quantity {payoff.quantity.text}, price {payoff.price.text}",
            mend=f"the amount is for {counted}: give quantity x price a unit that fits",
        )


def _wants_pure(model: ResolvedModel, expression: Expression, what: str) -> None:
    found = _Units(model, expression).number(expression.tree)
    if not found.pure or found.kind in RATIOS:
        raise _mismatch(f"{what} is in {found}, not a pure number", expression)


def _mismatch(what: str, expression: Expression, mend: str = "make the units agree") -> ModelError:
    return ModelError(what, where=expression.shown, mend=mend)


def _is_rate(unit: Unit) -> bool:
    return bool(unit.dimension == PER_YEAR.dimension)


def _is_time(unit: Unit) -> bool:
    return bool(unit.dimension == YEAR.dimension)


class _Units:
    """Units of one expression in a model."""

    def __init__(self, model: ResolvedModel, expression: Expression) -> None:
        self.model, self.expression = model, expression

    def of(self, tree: Expr) -> Unit:
        match tree:
            case Number():
                return BARE_NUMBER
            case Truth():
                return CONDITION
            case Name(name):
                return self._name(name)
            case Column(table, column):
                return self._column(table, column)
            case Index(name, indices):
                return self._index(name, indices)
            case Negative(operand):
                return self.number(operand)
            case Comparison(operator, left, right):
                self._compared(tree, operator, left, right)
                return CONDITION
            case Among(operand, labels):
                for label in labels:
                    self._compared(tree, "==", operand, label)
                return CONDITION
            case Not() | Logic():
                for child in children(tree):
                    self._condition(child)
                return CONDITION
            case Binary(operator, left, right):
                return self._binary(tree, operator, left, right)
            case Call(function, arguments):
                return self._call(tree, function, arguments)

    def number(self, tree: Expr) -> Unit:
        """The unit of something that must be a number.

        Raises
        ------
        ModelError
            It is a label or a condition.
        """
        unit = self.of(tree)
        if unit.kind in (CONDITION.kind, LABELS.kind):
            raise self.fault(tree, f"a {unit.kind} is not a number", "use where(condition, 1, 0)")
        return unit

    def is_zero(self, tree: Expr) -> bool:
        """Whether it can be nothing but 0, which every unit takes."""
        match tree:
            case Number(value):
                return value == 0
            case Negative(operand):
                return self.is_zero(operand)
            case Call("where", (_, a, b)) | Call("min" | "max", (a, b)):
                return self.is_zero(a) and self.is_zero(b)
            case Binary("*", a, b):
                return self.is_zero(a) or self.is_zero(b)
            case Name(name) if name in self.model.define:
                return self.is_zero(self.model.define[name].tree)
            case Column(table, column):
                rows = (self.model.columns(table) or {}).values()
                return all(self.is_zero(row[column].tree) for row in rows if column in row)
        return False

    def _name(self, name: str) -> Unit:
        model = self.model
        if name in ("years", "years_in_state", "time") or name in YEARS:
            return YEAR
        if name in ("cycle", "line"):
            return ONE
        if name in ("strategy", "treatment", "state", "to"):
            return LABELS
        if name in model.parameters:
            return model.parameters[name].unit
        if name in model.define:
            return _Units(model, model.define[name]).of(model.define[name].tree)
        if name in model.dimensions:
            return BARE_NUMBER if model.dimensions[name].numeric else LABELS
        if name in model.attributes:
            return model.attributes[name].unit
        if name in model.trackers:
            return ONE if model.trackers[name].kind == "count" else YEAR
        return LABELS

    def _column(self, table: str, column: str) -> Unit:
        """The unit that all cells of a column share; 0 fits all, a bare number a pure one."""
        found: Unit | None = None
        bare = False
        for cells in (self.model.columns(table) or {}).values():
            if column not in cells:
                continue
            cell = cells[column]
            inner = _Units(self.model, cell)
            unit = inner.of(cell.tree)
            if inner.is_zero(cell.tree):
                continue
            if unit.kind == BARE:
                bare = True
            elif found is None:
                found = unit
            elif not unit.like(found):
                raise _mismatch(
                    f"the column '{column}' of {table} holds {found} and {unit}",
                    cell,
                    "give all its cells the same unit",
                )
        if found is None:
            return BARE_NUMBER
        if bare and (found.kind == LABEL or not (found.pure or _is_time(found))):
            raise self.fault(
                Column(table, column),
                f"the column '{column}' of {table} holds {found} and bare numbers",
                "give all its cells the same unit",
            )
        return found

    def _index(self, name: str, indices: tuple[Expr, ...]) -> Unit:
        parameter = self.model.parameters[name]
        for position, (axis, index) in enumerate(zip(parameter.by, indices, strict=True)):
            unit = self.of(index)
            labelled = any(isinstance(path[position], str) for path in parameter.values)
            if labelled and unit.kind != LABEL:
                raise self.fault(
                    index, f"the axis {axis} of '{name}' has labels, not {unit}", "name a label"
                )
            if not labelled and (
                unit.kind in (LABEL, CONDITION.kind) or not (unit.pure or _is_time(unit))
            ):
                raise self.fault(
                    index, f"the axis {axis} of '{name}' has numbers, not {unit}", "give a number"
                )
        return ONE if parameter.curve is not None else parameter.unit

    def _condition(self, tree: Expr) -> None:
        if self.of(tree).kind != CONDITION.kind:
            raise self.fault(tree, "it is not a condition", "compare it, say x == 1")

    def _compared(self, tree: Expr, operator: str, left: Expr, right: Expr) -> None:
        """Labels compare with labels by == and !=; numbers with numbers of their unit."""
        a, b = self.of(left).kind, self.of(right).kind
        if LABEL not in (a, b):
            self.same(tree, left, right)
        elif a != b:
            raise self.fault(
                tree, "a label is compared with a number", "compare labels with labels"
            )
        elif operator not in ("==", "!="):
            raise self.fault(tree, "labels have no order", "use == or !=")

    def same(self, tree: Expr, left: Expr, right: Expr) -> Unit:
        """The unit of two numbers that stand beside each other."""
        a, b = self.number(left), self.number(right)
        if self.is_zero(left):
            return b
        if self.is_zero(right):
            return a
        if a.kind == BARE or b.kind == BARE:
            unit = b if a.kind == BARE else a
            if unit.pure or _is_time(unit):
                return unit
            raise self.fault(
                tree, f"a bare number and {unit} do not add or compare", "give the number a unit"
            )
        if not a.like(b):
            raise self.fault(tree, f"{a} and {b} do not add or compare", "make their units agree")
        return a

    def _either(self, tree: Expr, left: Expr, right: Expr) -> Unit:
        """The unit of one of two: numbers of one unit, or two conditions."""
        if self.of(left).kind == self.of(right).kind == CONDITION.kind:
            return CONDITION
        return self.same(tree, left, right)

    def _binary(self, tree: Expr, operator: str, left: Expr, right: Expr) -> Unit:
        if operator in "+-":
            return self.same(tree, left, right)
        a, b = self.number(left), self.number(right)
        if operator == "**":
            return self._power(tree, a, b)
        return self._product(tree, a, b) if operator == "*" else self._quotient(tree, a, b)

    def _power(self, tree: Expr, base: Unit, exponent: Unit) -> Unit:
        if not exponent.pure or exponent.kind not in ("", BARE):
            raise self.fault(tree, f"an exponent in {exponent}", "use a pure number")
        if not base.pure:
            raise self.fault(tree, f"a power of {base}", "divide by its unit first, as time / year")
        if base.kind == PROBABILITY and base.interval is not None:
            raise self.fault(
                tree,
                f"a power of a {base}",
                "write probability_of(rate_of(p)), or exp(-rate_of(p) * time)",
            )
        return base

    def _product(self, tree: Expr, a: Unit, b: Unit) -> Unit:
        product = a.times(b)
        neutral = ("", BARE)
        if a.kind in neutral and b.kind in neutral:
            bare = a.kind == b.kind == BARE
            return BARE_NUMBER if bare else product
        if a.kind in neutral or b.kind in neutral:
            special, plain = (b, a) if a.kind in neutral else (a, b)
            return self._with_plain(tree, product, special, plain)
        if ODDS_RATIO in (a.kind, b.kind):
            raise self.fault(tree, f"{a} times {b}", "use with_odds_ratio(p, odds_ratio)")
        if a.kind == b.kind == PROBABILITY:
            intervals = [unit.interval for unit in (a, b) if unit.interval is not None]
            if len(intervals) == 2 and not same_interval(*intervals):
                raise self.fault(tree, f"{a} times {b}", "carry both to the same interval")
            return Unit(ONE.dimension, PROBABILITY, intervals[0] if intervals else None)
        kinds = {a.kind, b.kind}
        if kinds == {PROBABILITY, RELATIVE_RISK}:
            return a if a.kind == PROBABILITY else b
        if len(kinds) == 1:
            return a
        if kinds == {PROBABILITY, HAZARD_RATIO}:
            share = a if a.kind == PROBABILITY else b
            if share.interval is None:  # the share of patients who have the ratio
                return Unit(ONE.dimension, HAZARD_RATIO)
        advice = (
            "apply it to a rate: probability_of(hr * rate_of(p))"
            if kinds == {PROBABILITY, HAZARD_RATIO}
            else "never mix kinds of ratios"
        )
        raise self.fault(tree, f"{a} times {b}", advice)

    def _with_plain(self, tree: Expr, product: Unit, special: Unit, plain: Unit) -> Unit:
        """A probability or ratio times something without a kind."""
        if special.kind == ODDS_RATIO and plain.kind != BARE:
            raise self.fault(tree, f"{special} times {plain}", "use with_odds_ratio(p, odds_ratio)")
        if plain.pure:
            return special
        if _is_rate(plain) and special.kind == RELATIVE_RISK:
            raise self.fault(
                tree, f"{special} times a rate: a rate takes a hazard ratio", "mend the kind"
            )
        if _is_rate(plain) and special.kind == PROBABILITY and special.interval is not None:
            raise self.fault(tree, f"a rate times a {special}", "use rate_of(p)")
        return product

    def _quotient(self, tree: Expr, a: Unit, b: Unit) -> Unit:
        quotient = a.times(b, -1)
        if b.kind in ("", BARE):
            return quotient.of_kind(a.kind, a.interval) if b.pure else quotient
        if a.kind == b.kind and same_interval(a.interval, b.interval):
            return a if a.kind in RATIOS else ONE
        if a.kind in ("", BARE) and a.pure and b.kind in RATIOS and b.kind != ODDS_RATIO:
            return b
        if b.kind == HAZARD_RATIO and _is_rate(a):
            return a
        if b.kind == PROBABILITY and b.interval is None:
            return quotient
        raise self.fault(tree, f"{a} / {b}", "make the kinds agree")

    def _call(self, tree: Expr, function: str, arguments: tuple[Expr, ...]) -> Unit:
        match function:
            case "survival" | "hazard":
                time = self.number(arguments[1])
                if time.kind != BARE and not _is_time(time):
                    raise self.fault(tree, f"the time of the curve is in {time}", "give years")
                return A_PROBABILITY if function == "survival" else PER_YEAR
            case "where":
                self._condition(arguments[0])
                return self._either(tree, arguments[1], arguments[2])
            case "min" | "max":
                return self.same(tree, arguments[0], arguments[1])
            case "exp" | "log":
                unit = self.number(arguments[0])
                kinds = ("", BARE, HAZARD_RATIO, RELATIVE_RISK, ODDS_RATIO)
                allowed = kinds if function == "log" else kinds[:2]
                if not unit.pure or unit.kind not in allowed:
                    raise self.fault(tree, f"{function} of {unit}", "give a pure number")
                return ONE
            case "probability_of":
                unit = self.number(arguments[0])
                if not _is_rate(unit) and not self.is_zero(arguments[0]):
                    raise self.fault(tree, f"probability_of wants a rate, not {unit}", "1/year")
                return Unit(ONE.dimension, PROBABILITY, self.model.timing.cycle)
            case "rate_of":
                unit = self.number(arguments[0])
                if unit.kind != PROBABILITY or unit.interval is None:
                    raise self.fault(
                        tree,
                        f"rate_of wants a probability per interval, not {unit}",
                        "say in the record's unit over which time: probability per year",
                    )
                return PER_YEAR
            case "with_odds_ratio":
                p, ratio = self.number(arguments[0]), self.number(arguments[1])
                if p.kind != PROBABILITY or ratio.kind not in (ODDS_RATIO, BARE):
                    raise self.fault(
                        tree,
                        f"with_odds_ratio wants a probability and an odds ratio, not {p} and "
                        f"{ratio}",
                        "mend the order or the units",
                    )
                return p
            case _:  # every, at
                for moment in arguments[1:]:
                    self.same(tree, arguments[0], moment)
                return CONDITION

    def fault(self, tree: Expr, what: str, mend: str) -> ModelError:
        return ModelError(f"{what}: {text_of(tree)}", where=self.expression.shown, mend=mend)


def rate_interval(model: ResolvedModel, expression: Expression, tree: Expr) -> float:
    """Years over which the argument of a `rate_of` is a probability."""
    unit = _Units(model, expression).of(tree)
    assert unit.interval is not None
    return unit.interval


def scale_of_argument(model: ResolvedModel, attribute: Attribute, expression: Expression) -> float:
    """What a bare number counts in years: an argument without a unit is in the attribute's."""
    bare = _Units(model, expression).of(expression.tree).kind == BARE
    return attribute.unit.factor if bare else 1.0


def compares_times(model: ResolvedModel, expression: Expression, *sides: Expr) -> bool:
    """Whether a comparison in an expression is one of times, such as clocks."""
    units = _Units(model, expression)
    return any(_is_time(units.of(side)) for side in sides)


def outcome_scale(model: ResolvedModel, outcome: str) -> float:
    """What turns years into the outcome's own unit of time (1 for money and QALYs)."""
    unit = model.outcomes[outcome].unit
    return unit.factor if unit.dimension == YEAR.dimension else 1.0

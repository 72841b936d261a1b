"""The space of treatment sequences of a model: all orders that its rules allow."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from qalyst.errors import Mistakes, ModelError, nearest
from qalyst.model.eligibility import check_rules, treatments_of
from qalyst.model.expressions import Expr, Name, children
from qalyst.model.resolved import (
    Expression,
    ResolvedModel,
    SequenceRule,
    SequenceRules,
    Strategy,
)

MOST_SEQUENCES = 5_000
ARROW = " → "


def rules_of(
    model: ResolvedModel,
    *,
    lines: int | None = None,
    last: str | None = None,
    first: Sequence[str] = (),
    exclude: Sequence[str] = (),
) -> SequenceRules:
    """The rules of a model file, with what is asked for in their place.

    Without a section `sequences:` these are all orders of the treatments of the strategies, as
    many lines as the longest has, each treatment at most once, ended as all strategies end.

    Parameters
    ----------
    model : the resolved model.
    lines : of every sequence.
    last : treatment of the last line, and of no other.
    first : treatments allowed on the first line; all if empty.
    exclude : treatments left out.

    Raises
    ------
    ModelError
        A model without sequences, or rules that name no treatment or contradict each other.
    """
    strategies = list(model.strategies.values())
    if not treatments_of(strategies):
        raise ModelError(
            f"the strategies of '{model.name}' are no sequences of treatments",
            where=model.file,
            mend="give them a `sequence:`, and states that are one `per: line`",
        )
    rules = model.sequences or _all_orders(model)
    command = "command line  --lines, --last, --first, --exclude"
    if lines is not None or last is not None:
        rules = _shortened(replace(rules, last=last or rules.last, where=command), lines)
    mistakes = Mistakes()
    for name in (*first, *exclude):
        if name not in rules.treatments:
            mistakes.add(
                f"'{name}' is not among the treatments of the sequences",
                where=command,
                mend=nearest(name, rules.treatments),
            )
    mistakes.raise_if_any()
    if exclude:
        kept = tuple(name for name in rules.treatments if name not in exclude)
        rules = replace(
            rules,
            treatments=kept,
            rules=tuple(rule for rule in rules.rules if rule.treatment in kept),
        )
        if rules.last in exclude:
            raise ModelError(
                f"'{rules.last}' is the last line of every sequence and is excluded",
                where=command,
                mend="name another last line: --last",
            )
    if first:
        later = tuple(range(2, rules.lines + 1))
        barred = (name for name in rules.treatments if name not in (*first, rules.last))
        own = tuple(SequenceRule(name, later, where=command) for name in barred)
        rules = replace(rules, rules=(*rules.rules, *(rule for rule in own if later)))
    check_rules(rules, model, mistakes)
    mistakes.raise_if_any()
    return rules


def _shortened(rules: SequenceRules, lines: int | None) -> SequenceRules:
    """The rules for so many lines; those that name later lines keep the others."""
    if lines is None:
        return rules
    kept = (
        replace(rule, lines=tuple(n for n in rule.lines if n <= lines) or rule.lines)
        for rule in rules.rules
    )
    return replace(rules, lines=lines, rules=tuple(kept))


def _all_orders(model: ResolvedModel) -> SequenceRules:
    sequences = [row.sequence for row in model.strategies.values()]
    ends = {sequence[-1] for sequence in sequences if sequence}
    inside = {name for sequence in sequences for name in sequence[:-1]}
    last = next(iter(ends)) if len(ends) == 1 and not ends & inside else None
    return SequenceRules(
        lines=max(map(len, sequences)),
        last=last,
        at_most_once=True,
        treatments=treatments_of(list(model.strategies.values())),
        where=f"{model.file}  strategies",
    )


def sequences_of(rules: SequenceRules) -> list[tuple[str, ...]]:
    """All sequences that the rules allow, in the order of the treatments.

    Raises
    ------
    ModelError
        None at all, or more than can be run.

    Examples
    --------
    >>> rules = SequenceRules(3, "care", True, ("surgery", "drug", "care"))
    >>> sequences_of(rules)
    [('surgery', 'drug', 'care'), ('drug', 'surgery', 'care')]
    """
    found: list[tuple[str, ...]] = []
    for sequence in _extended((), rules):
        found.append(sequence)
        if len(found) > MOST_SEQUENCES:
            raise ModelError(
                f"the rules allow more than {MOST_SEQUENCES:,} sequences",
                where=rules.where,
                mend="fewer lines or treatments: --lines, --first, --exclude",
            )
    if not found:
        raise ModelError(
            f"no sequence of {rules.lines} lines keeps the rules",
            where=rules.where,
            mend="fewer lines, more treatments, or fewer rules",
        )
    return found


def _extended(begun: tuple[str, ...], rules: SequenceRules) -> Iterator[tuple[str, ...]]:
    if len(begun) == rules.lines:
        yield begun
        return
    for treatment in rules.treatments if rules.last is None else _but_last(rules, begun):
        if allowed(begun, treatment, rules):
            yield from _extended((*begun, treatment), rules)


def _but_last(rules: SequenceRules, begun: tuple[str, ...]) -> tuple[str, ...]:
    assert rules.last is not None
    if len(begun) == rules.lines - 1:
        return (rules.last,)
    return tuple(name for name in rules.treatments if name != rules.last)


def allowed(begun: tuple[str, ...], treatment: str, rules: SequenceRules) -> bool:
    """Whether a treatment may follow the beginning of a sequence."""
    if rules.at_most_once and treatment in begun:
        return False
    line = len(begun) + 1
    return all(
        (not rule.lines or line in rule.lines)
        and (not rule.after or any(name in begun for name in rule.after))
        and not any(name in begun for name in rule.not_after)
        for rule in rules.rules
        if rule.treatment == treatment
    )


def model_of_sequences(model: ResolvedModel, sequences: Sequence[tuple[str, ...]]) -> ResolvedModel:
    """The model with sequences in place of its strategies; its own keep their names.

    Raises
    ------
    ModelError
        The model says things of its strategies that a new sequence would not have.
    """
    columns = _columns(model)
    _refuse_named_strategies(model)
    own = {row.sequence: row.name for row in model.strategies.values()}
    strategies = {}
    for sequence in sequences:
        name = own.get(sequence, "-".join(sequence))
        strategies[name] = Strategy(name, label_of(model, sequence), sequence, columns, model.file)
    return replace(model, strategies=strategies)


def label_of(model: ResolvedModel, sequence: Sequence[str]) -> str:
    """A sequence in words: its treatments in their order."""
    treatments = (model.treatments[name] for name in sequence)
    return ARROW.join(
        each.label if each.label != each.name else each.name.replace("_", " ")
        for each in treatments
    )


def _columns(model: ResolvedModel) -> dict[str, Expression]:
    """The columns of the strategies, if all have the same."""
    first, *others = model.strategies.values()
    for other in others:
        for column, cell in first.columns.items():
            if column not in other.columns or other.columns[column].tree != cell.tree:
                raise ModelError(
                    f"the strategies differ in '{column}', so a new sequence has no value of it",
                    where=other.where,
                    mend="make it a column of the treatments",
                )
    return dict(first.columns)


def _refuse_named_strategies(model: ResolvedModel) -> None:
    found = [*model.define.values(), *(curve.expression for curve in model.curves.values())]
    for row in model.transitions:
        found += [each for each in (row.value, row.when) if each is not None]
    for payoff in model.payoffs:
        found += [each for each in (payoff.quantity, payoff.price, payoff.when) if each is not None]
    found += [each.amount for each in model.trackers.values() if each.amount is not None]
    for table in ("treatment", "state", *model.dimensions):
        found += [cell for row in (model.columns(table) or {}).values() for cell in row.values()]
    for expression in found:
        if _names_strategy(expression.tree):
            raise ModelError(
                "the expression asks for the strategy, and a new sequence is none of them",
                where=expression.shown,
                mend="ask for the treatment or the line, or count what was had with `track:`",
            )


def _names_strategy(tree: Expr) -> bool:
    if isinstance(tree, Name) and tree.name == "strategy":
        return True
    return any(map(_names_strategy, children(tree)))

"""The one sentence for the committee: which strategy, at which threshold, how sure, what cost."""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING

from qalyst.axes import DRAW, STRATEGY, WTP
from qalyst.report.labels import currency, effect_nouns, outcome_label, strategy_label
from qalyst.report.numbers import money, percent, short

if TYPE_CHECKING:
    from qalyst.analysis import Analysis, Decided
    from qalyst.decision.cea import IncrementalAnalysis, Row


@dataclass(frozen=True)
class Choice:
    """The strategies (one, or equals) that are best value at a threshold.

    `probability` that one of them is cost-effective, and its Monte Carlo standard error; None
    without draws, or if no parameter is uncertain.
    """

    wtp: float
    strategies: tuple[str, ...]
    probability: float | None
    mcse: float | None


def committee_sentence(analysis: Analysis) -> str:
    """What the analysis says, in one sentence of plain text.

    Which strategy is best value, at which willingness to pay, how probable that is (with its
    Monte Carlo standard error), and what it costs and yields against the strategy before it on
    the efficiency frontier.
    """
    return decision_sentence(analysis) if analysis.compares else _nothing_to_compare(analysis)


def decision_sentence(analysis: Decided) -> str:
    """The sentence of an analysis that compares strategies by cost and effect."""
    table = headline(analysis)
    if analysis.model.decision.thresholds:
        return f"{_at_thresholds(analysis, table)}{_how_sure(analysis)}."
    open_end = "; the model names no threshold to judge that by" if len(table.frontier) > 1 else ""
    return f"{_frontier(analysis, table)}{_how_sure(analysis)}{open_end}."


def headline(analysis: Decided) -> IncrementalAnalysis:
    """The table that counts: of the means over draws, or of the base case without draws."""
    assert analysis.headline is not None, "asked only if strategies are compared"
    return analysis.headline


def choices(analysis: Decided) -> list[Choice]:
    """The best value at each of the model's thresholds, by mean net benefit; ties together."""
    from qalyst.decision.cea import optimal

    table, thresholds = headline(analysis), list(analysis.model.decision.thresholds)
    if not thresholds:
        return []
    best = optimal(
        {row.strategy: row.cost for row in table.rows},
        {row.strategy: row.effect for row in table.rows},
        thresholds,
    )
    found = []
    for wtp in thresholds:
        is_best = best.is_optimal.sel({WTP: wtp})
        known = {str(name) for name in is_best[STRATEGY].values[is_best.values]}
        names = tuple(name for name in analysis.model.strategies if name in known)
        found.append(Choice(wtp, names, *_probability(analysis, wtp, names)))
    return found


def _probability(
    analysis: Decided, wtp: float, names: tuple[str, ...]
) -> tuple[float | None, float | None]:
    if analysis.at_thresholds is None or analysis.psa is None or not analysis.varies:
        return None, None
    shares = analysis.at_thresholds.ceac.sel({WTP: wtp, STRATEGY: list(names)})
    share = min(float(shares.sum()), 1.0)
    return share, math.sqrt(share * (1 - share) / analysis.psa.draws)


def _nothing_to_compare(analysis: Analysis) -> str:
    model = analysis.model
    if len(model.strategies) > 1:
        return (
            f"{model.title}: the model names no cost and effect to compare, so there is no "
            "decision, only the outcomes of each strategy."
        )
    (name,) = model.strategies
    outcomes = analysis.base if analysis.psa is None else analysis.psa
    parts = []
    for outcome in model.outcomes:
        mean = float(outcomes.total(outcome).mean(DRAW).sel({STRATEGY: name}))
        parts.append(f"{outcome_label(model, outcome)} {short(mean)}")
    return (
        f"{_named(analysis, name)} is the only strategy, so there is nothing to compare; "
        f"per person: {', '.join(parts)}."
    )


def _at_thresholds(analysis: Decided, table: IncrementalAnalysis) -> str:
    """Runs of thresholds with the same choice, each with its probability."""
    parts = []
    for names, run in groupby(choices(analysis), key=lambda choice: choice.strategies):
        known = list(run)
        who = _listed(analysis, names)
        best = f"the best value is {who}" if len(names) == 1 else f"{who} are equally good value"
        price = _price(analysis, table, names[0])
        if len(names) > 1:
            costs = [_cost(analysis, table[name].cost) for name in names]
            price = f"they cost {' and '.join(dict.fromkeys(costs))} per person"
        parts.append(
            f"at {_thresholds(analysis, [choice.wtp for choice in known])} {best}"
            f"{_sureness(known)}: {price}"
        )
    words = "; ".join(parts)
    return words[:1].upper() + words[1:]


def _thresholds(analysis: Decided, values: list[float]) -> str:
    code = currency(analysis.model, analysis.cost)
    one = effect_nouns(analysis.model, analysis.effect)[0]
    if len(values) > 2:
        return (
            f"each threshold from {money(min(values), code, significant=9)} to "
            f"{money(max(values), code, significant=9)} per {one}"
        )
    return f"{' and '.join(money(value, code, significant=9) for value in values)} per {one}"


def _sureness(known: list[Choice]) -> str:
    """In brackets: the probability or its range, with the largest standard error."""
    found = [
        (choice.probability, choice.mcse)
        for choice in known
        if choice.probability is not None and choice.mcse is not None
    ]
    if not found:
        return ""
    low, high = min(found)[0], max(found)[0]
    error = f"Monte Carlo standard error {100 * max(found, key=lambda each: each[1])[1]:.1f} points"
    if low == 1:
        return " (in every draw)"
    if percent(low) == percent(high):
        return f" (probability {percent(low)}, {error})"
    return f" (probability {percent(low)} to {percent(high)}, {error} at most)"


def _price(analysis: Decided, table: IncrementalAnalysis, name: str) -> str:
    """What a choice costs and yields, against its neighbour on the frontier."""
    model, row = analysis.model, table[name]
    if row.compared_with is not None:
        return f"it {_more(analysis, row)}"
    after = next((each for each in table.rows if each.compared_with == row.strategy), None)
    if after is not None:
        return (
            f"it costs {_cost(analysis, row.cost)}, and the next on the frontier, "
            f"{_named(analysis, after.strategy)}, {_more(analysis, after, named=False)}"
        )
    others = [each for each in table.rows if each.status.startswith("dominated")]
    if not others:
        return f"it costs {_cost(analysis, row.cost)} per person"
    who = (
        _named(analysis, others[0].strategy)
        if len(others) == 1
        else ("both others" if len(others) == 2 else f"all {len(others)} others")
    )
    nouns = effect_nouns(model, analysis.effect)[1]
    return (
        f"it dominates {who}, costing no more and giving no fewer {nouns}, "
        f"at {_cost(analysis, row.cost)} per person"
    )


def _more(analysis: Decided, row: Row, *, named: bool = True) -> str:
    """Increments and the ICER of a strategy on the frontier against the one before it."""
    model = analysis.model
    assert row.incremental_cost is not None
    assert row.incremental_effect is not None
    assert row.compared_with is not None
    one, several = effect_nouns(model, analysis.effect)
    than = f" than {_named(analysis, row.compared_with)}" if named else ""
    return (
        f"costs {_cost(analysis, row.incremental_cost)} more{than} for "
        f"{short(row.incremental_effect, significant=3)} more {several}, "
        f"{_cost(analysis, row.icer)} per {one}{_icer_error(analysis, row)}"
    )


def _icer_error(analysis: Decided, row: Row) -> str:
    if not analysis.varies:
        return ""
    for found in analysis.icers:
        if (found.strategy, found.comparator) == (row.strategy, row.compared_with) and found.mcse:
            return f" (standard error {_cost(analysis, found.mcse, significant=2)})"
    return ""


def _frontier(analysis: Decided, table: IncrementalAnalysis) -> str:
    """Without thresholds: from which willingness to pay each strategy is best value."""
    equals = [row for row in table.rows if row.status.startswith("equal to ")]
    if len(table.frontier) == 1:
        name = table.frontier[0]
        if len(equals) + 1 == len(table.rows):
            names = tuple(analysis.model.strategies)
            return f"{_listed(analysis, names)} are equal in cost and effect"
        best = f"{_named(analysis, name)} is the best value at any willingness to pay"
        return f"{best}: {_price(analysis, table, name)}"
    steps = [row for row in table.rows if row.compared_with is not None]
    if len(steps) == 1:
        return f"{_named(analysis, steps[0].strategy)} {_more(analysis, steps[0])}"
    one = effect_nouns(analysis.model, analysis.effect)[0]
    parts = [
        f"{_named(analysis, row.strategy)} from "
        f"{_cost(analysis, row.icer)}{_icer_error(analysis, row)}"
        for row in steps
    ]
    first = _named(analysis, table.frontier[0])
    return (
        f"With rising willingness to pay per {one} the best value is first {first}, then "
        f"{', then '.join(parts)}"
    )


def _how_sure(analysis: Decided) -> str:
    if analysis.psa is None or analysis.psa.draws < 2:
        return " (base case only: the uncertainty was not analysed)"
    if not analysis.varies:
        return " (no parameter of the model is uncertain, so no probability is given)"
    return f", from {analysis.psa.draws:,} draws"


def _cost(analysis: Decided, value: float | None, *, significant: int = 4) -> str:
    code = currency(analysis.model, analysis.cost)
    return money(value, code, significant=significant)


def _listed(analysis: Decided, names: tuple[str, ...]) -> str:
    labels = [_named(analysis, name) for name in names]
    return labels[0] if len(labels) == 1 else f"{', '.join(labels[:-1])} and {labels[-1]}"


def _named(analysis: Decided, name: str) -> str:
    """A strategy by its label, or its name in quotes so that it reads as a name."""
    label = analysis.model.strategies[name].label
    return label if label != name else f"'{strategy_label(analysis.model, name)}'"

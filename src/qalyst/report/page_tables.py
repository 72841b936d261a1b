"""The tables of the page: the same numbers as the CSV files, written for a person."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from qalyst.axes import STRATEGY, WTP
from qalyst.outcomes import DISCOUNTED
from qalyst.report.labels import (
    currency,
    effect_nouns,
    outcome_label,
    ratio_unit,
    sentence_case,
    state_label,
    strategy_label,
)
from qalyst.report.numbers import NONE, decimals_for, money, number, percent, short
from qalyst.report.tables import amounts, icer_mcse, increment_mcse, summary_table
from qalyst.report.words import choices

if TYPE_CHECKING:
    from qalyst.analysis import Analysis, Decided, Question
    from qalyst.decision.cea import IncrementalAnalysis
    from qalyst.decision.variance import VarianceSplit
    from qalyst.model.resolved import ResolvedModel
    from qalyst.published import Published

WIDE = 6  # strategies beyond which they stand in rows
_NAMED = re.compile(
    r"(dominated \(by |extendedly dominated \(by |equal to )(\w+)( and )?(\w+)?(.*)"
)


@dataclass(frozen=True)
class Table:
    """A table as text.

    Attributes
    ----------
    groups : headings over several columns, with how many; empty for none.
    rows : cells; a row of one cell is a heading inside the table.
    last_is_text : whether the last column holds words, as the first always does.
    total : whether the last row is a total.
    strong : (row, column) of cells to stress.
    """

    caption: str
    columns: Sequence[str]
    rows: Sequence[Sequence[str]]
    groups: Sequence[tuple[str, int]] = ()
    last_is_text: bool = False
    total: bool = False
    strong: frozenset[tuple[int, int]] = frozenset()
    note: str = ""


def results(analysis: Analysis) -> Table:
    """Means over draws with their error and interval, beside the base case."""
    table, model = summary_table(analysis), analysis.model
    drawn = analysis.varies
    rows: list[list[str]] = []
    for outcome in model.outcomes:
        rows.append([f"{outcome_label(model, outcome)} per person"])
        own = table[table["outcome"] == outcome]
        places = decimals_for([*own["base_case"], *own["mean"]])
        of = {
            key: row
            for key, row in zip(
                zip(own["strategy"], own["discounting"], strict=True),
                own.to_dict("records"),
                strict=True,
            )
        }
        for strategy in model.strategies:
            main, bare = of[strategy, DISCOUNTED], of[strategy, "undiscounted"]
            base = number(main["base_case"], places)
            undiscounted = number(bare["mean" if drawn else "base_case"], places)
            label = strategy_label(model, strategy)
            if not drawn:
                rows.append([label, base, undiscounted])
                continue
            interval = NONE
            if not math.isnan(main["lower"]):
                interval = f"{number(main['lower'], places)} to {number(main['upper'], places)}"
            error = _error(main["mcse"])
            rows.append([label, number(main["mean"], places), error, interval, base, undiscounted])
    if not drawn:
        return Table("Base case", ("Strategy", "Base case", "Undiscounted"), rows)
    return Table(
        "Probabilistic results, and the base case beside them",
        ("Strategy", "Mean", "MCSE", "95 % interval", "Base case", "Mean, undiscounted"),
        rows,
        note="MCSE: Monte Carlo standard error of the mean. The interval holds 95 % of the draws.",
    )


def spread(analysis: Analysis) -> Table | None:
    """Where the spread of each result comes from, as standard deviations; None for a cohort."""
    if not analysis.variance:
        return None
    model = analysis.model
    groups: dict[str, list[VarianceSplit]] = {}
    for split in analysis.variance:
        groups.setdefault(_spread_of(analysis, split), []).append(split)
    rows: list[list[str]] = []
    for heading, splits in groups.items():
        rows.append([heading])
        columns: list[list[float | None]] = [
            [split.mean for split in splits],
            [None if split.parameters is None else split.parameters**0.5 for split in splits],
            [split.patients**0.5 for split in splits],
            [split.noise**0.5 for split in splits],
        ]
        shown = [[number(value, decimals_for(each)) for value in each] for each in columns]
        for split, *cells in zip(splits, *shown, strict=True):
            label = strategy_label(model, split.strategy)
            if split.comparator:
                label += f" against {strategy_label(model, split.comparator)}"
            rows.append([label, *cells, NONE if split.common is None else percent(split.common)])
    return Table(
        "Where the spread comes from: standard deviations",
        ("Result", "Mean", "Parameters", "Between patients", "Noise of a draw", "Common luck"),
        rows,
        note="Parameters: between draws, without the luck of their patients. Noise of a draw: what "
        "that luck adds. Common luck: the variance between patients of a difference, as a share "
        "of that with independent luck.",
    )


def _spread_of(analysis: Analysis, split: VarianceSplit) -> str:
    if split.wtp is not None:
        return f"Incremental net benefit at {_threshold(analysis, split.wtp)}"
    return outcome_label(analysis.model, split.result)


def _threshold(analysis: Analysis, wtp: float) -> str:
    code = currency(analysis.model, analysis.cost)
    return (
        f"{money(wtp, code, significant=9)} per {effect_nouns(analysis.model, analysis.effect)[0]}"
    )


def published_survival(analysis: Analysis, published: Published) -> Table:
    """Published points of survival beside the model's, and what does not fit."""
    rows: list[list[str]] = []
    for strategy in dict.fromkeys(point.strategy for point in published.points):
        rows.append([strategy_label(analysis.model, strategy)])
        rows += [
            [
                point.series,
                f"{point.months:g}",
                f"{point.percent:g}",
                NONE if point.low is None else f"{point.low:.0f} to {point.high:.0f}",
                f"{point.model_percent:.1f}",
                "fitted" if point.role == "fit" else "held out",
                point.fits,
            ]
            for point in published.points
            if point.strategy == strategy
        ]
    inside = sum(point.fits == "within" for point in published.points)
    scenarios = f" under {', '.join(published.scenarios)}" if published.scenarios else ""
    left_out = published.beyond
    beyond = f"Beyond the horizon, and not compared: {left_out}. " if left_out else ""
    return Table(
        f"Alive, published and in the base case{scenarios}",
        ("Series", "Month", "Published, %", "Interval", "Model, %", "Role", "Model is"),
        rows,
        last_is_text=True,
        note=f"The model lies within the interval of {inside} of {len(published.points)} points. "
        f"{beyond}Intervals are printed ones, or binomial by the number of patients, which ignores "
        "censoring and is too narrow.",
    )


def incremental(analysis: Decided, table: IncrementalAnalysis, *, drawn: bool) -> Table:
    """The fully incremental analysis of the means over draws, or of the base case."""
    model, outcomes = analysis.model, analysis.psa if drawn else None
    cost, effect = analysis.cost, analysis.effect
    money_places = decimals_for([row.cost for row in table.rows])
    effect_places = decimals_for([row.effect for row in table.rows], significant=4)
    rows = []
    for row in table.rows:
        increments = []
        for name, value, places in (
            (cost, row.incremental_cost, money_places),
            (effect, row.incremental_effect, effect_places),
        ):
            error = increment_mcse(
                analysis,
                outcomes if value is not None else None,
                name,
                row.strategy,
                row.compared_with,
            )
            increments.append(_with_error(number(value, places), error))
        error = icer_mcse(analysis, row) if drawn else math.nan
        rows.append(
            [
                strategy_label(model, row.strategy),
                number(row.cost, money_places),
                number(row.effect, effect_places),
                *increments,
                _with_error(short(row.icer), error),
                status_text(model, row.status),
            ]
        )
    return Table(
        "Fully incremental analysis of the means over draws (MCSE in brackets)"
        if drawn
        else "Fully incremental analysis of the base case",
        (
            "Strategy",
            outcome_label(model, cost),
            outcome_label(model, effect),
            "Incremental costs",
            f"Incremental {effect_nouns(model, effect)[1]}",
            f"ICER ({ratio_unit(model, cost, effect)})",
            "Status",
        ),
        rows,
        last_is_text=True,
        note=labelled_note(model, table.note),
    )


def decision(analysis: Decided) -> Table | None:
    """Probability cost-effective and net benefit of each strategy at the model's thresholds."""
    if analysis.at_thresholds is None or analysis.summary is None:
        return None
    model, curves = analysis.model, analysis.at_thresholds
    code = currency(model, analysis.cost)
    thresholds = list(model.decision.thresholds)
    best = {choice.wtp: choice.strategies for choice in choices(analysis)}
    places = decimals_for(curves.expected_nmb.to_numpy().ravel().tolist(), significant=5)
    rows, strong = [], set()
    for line, name in enumerate(model.strategies):
        cells = [strategy_label(model, name)]
        for wtp in thresholds:
            place = {WTP: wtp, STRATEGY: name}
            share = float(curves.ceac.sel(place))
            error = float(analysis.summary.nmb.sel({**place, "statistic": "mcse"}))
            if name in best[wtp]:
                strong |= {(line, len(cells)), (line, len(cells) + 1)}
            cells += [
                percent(share) if analysis.varies else NONE,
                _with_error(number(float(curves.expected_nmb.sel(place)), places), error),
            ]
        rows.append(cells)
    last = ["EVPI per person"]
    for wtp in thresholds:
        value, error = (float(curves[name].sel({WTP: wtp})) for name in ("evpi", "evpi_mcse"))
        last += ["", _with_error(short(value), error)]
    return Table(
        f"Decision at the thresholds: probability cost-effective, and mean net monetary benefit "
        f"({code or 'money'} per person)",
        ("Strategy", *("Probability", "Net benefit (MCSE)") * len(thresholds)),
        [*rows, last],
        groups=[
            (f"{money(wtp, code, significant=9)} per {effect_nouns(model, analysis.effect)[0]}", 2)
            for wtp in thresholds
        ],
        total=True,
        strong=frozenset(strong),
        note=f"Bold: the best value, by mean net benefit.{_probability_error(analysis)}",
    )


def _probability_error(analysis: Decided) -> str:
    assert analysis.at_thresholds is not None
    error = 100 * float(analysis.at_thresholds.ceac_mcse.max())
    if error == 0:
        return ""
    return f" A probability has a Monte Carlo standard error of at most {error:.1f} points."


def breakdowns(analysis: Analysis) -> list[Table]:
    """What each outcome consists of: by row, and by state if it falls in several."""
    model = analysis.model
    found = amounts(model, analysis.psa or analysis.base)
    tables = []
    for outcome in model.outcomes:
        label = outcome_label(model, outcome)
        own = {(key[1], key[2]): value for key, value in found.items() if key[0] == outcome}
        by_row = _grouped(own, 0)
        by_state = _grouped(own, 1)
        if len(by_row) > 1:
            parts = [(sentence_case(row), part) for row, part in by_row.items()]
            tables.append(_parts(model, f"{label} per person, by category", parts))
        if len(by_state) > 1:
            known = [*model.states]
            order = sorted(by_state, key=lambda s: known.index(s) if s in known else -1)
            parts = [(state_label(model, state), by_state[state]) for state in order]
            tables.append(_parts(model, f"{label} per person, by state", parts))
    return tables


def timing(model: ResolvedModel) -> Table:
    """The timing ledger."""
    from qalyst.model.ledger import timing_ledger

    rows: list[list[str]] = []
    section = ""
    for line in timing_ledger(model):
        if line["section"] != section:
            section = line["section"]
            rows.append([sentence_case(section.replace("payoffs.", "payoffs: "))])
        rows.append([line[key] for key in ("row", "counted", "how_often", "discounted")])
    return Table(
        "When each row counts, how often, and when it is discounted",
        ("Row", "Counted", "How often", "Discounted"),
        rows,
    )


def status_text(model: Question, status: str) -> str:
    """A status of the incremental analysis with the labels of the strategies."""
    match = _NAMED.fullmatch(status)
    if match is None:
        return status
    before, first, joint, second, after = match.groups()
    words = [strategy_label(model, name) for name in (first, second) if name in model.strategies]
    return f"{before}{(joint or '').join(words)}{after}"


def labelled_note(model: Question, note: str) -> str:
    """A note with the labels of the strategies; longer names first."""
    for name in sorted(model.strategies, key=len, reverse=True):
        if len(name) > 2:
            note = re.sub(rf"\b{re.escape(name)}\b", strategy_label(model, name), note)
    return f"{note[:1].upper()}{note[1:]}." if note else ""


def _with_error(text: str, error: float) -> str:
    return f"{text} ({_error(error)})" if text != NONE and error > 0 else text


def _error(error: float) -> str:
    """A standard error with two significant digits."""
    return number(error, decimals_for([error], significant=2))


def _grouped(
    found: dict[tuple[str, str], dict[str, float]], by: int
) -> dict[str, dict[str, float]]:
    parts: dict[str, dict[str, float]] = {}
    for key, amount in found.items():
        part = parts.setdefault(key[by], dict.fromkeys(amount, 0.0))
        for strategy, value in amount.items():
            part[strategy] += value
    return {label: part for label, part in parts.items() if any(part.values())}


def _parts(model: ResolvedModel, caption: str, parts: list[tuple[str, dict[str, float]]]) -> Table:
    """Parts in rows and strategies in columns; the other way round for many strategies."""
    strategies = list(model.strategies)
    totals = {name: sum(part[name] for _, part in parts) for name in strategies}
    places = decimals_for(totals.values())

    def line(label: str, values: Iterable[float]) -> list[str]:
        return [label, *(number(value, places) for value in values)]

    if len(strategies) > WIDE:
        rows = [
            line(strategy_label(model, name), [*(part[name] for _, part in parts), totals[name]])
            for name in strategies
        ]
        return Table(caption, ("Strategy", *(label for label, _ in parts), "Total"), rows)
    rows = [line(label, (part[name] for name in strategies)) for label, part in parts]
    rows.append(line("Total", (totals[name] for name in strategies)))
    labels = [strategy_label(model, name) for name in strategies]
    return Table(caption, ("", *labels), rows, total=True)

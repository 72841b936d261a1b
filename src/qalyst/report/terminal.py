"""Results and models on the terminal: tables by rich, words by `report.words`."""

from __future__ import annotations

from collections.abc import Sequence
from math import isnan
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.text import Text

from qalyst.axes import STRATEGY, WTP
from qalyst.report.consoles import new_table, open_console, print_table
from qalyst.report.convergence_words import stability_line, until_line
from qalyst.report.numbers import decimals_for
from qalyst.report.tables import statistics

if TYPE_CHECKING:
    from qalyst.analysis import Analysis
    from qalyst.model.resolved import ResolvedModel

MOST_ACROSS = 4  # strategies side by side; more stand below each other


def models(rows: list[dict[str, str]]) -> None:
    """The catalogue."""
    table = new_table("Models", "name", "title", text=2)
    for row in rows:
        table.add_row(Text(row["name"]), Text(row["title"]))
    print_table(open_console(), table)


def checked(found: dict[str, Any]) -> None:
    """What `qalyst check` found."""
    console = open_console()
    status = ", ".join(f"{n} {word}" for word, n in found["parameter_status"].items())
    console.print(Text(f"{found['file']}: no mistakes found"))
    console.print(
        Text(
            f"  {len(found['strategies'])} strategies, {len(found['states'])} states, "
            f"{found['transitions']} transitions, {found['payoffs']} payoff rows, "
            f"{found['profiles']} profiles\n  {found['parameters']} parameters: {status}"
        )
    )
    for strategy, size in found["compartments"].items():
        console.print(
            Text(
                f"  {strategy}: {size['reached']} places, {size['merged']} that differ, "
                f"{size['cells']} cells with time in state"
            )
        )
    if found["scenarios_checked"]:
        console.print(Text(f"  scenarios checked: {', '.join(found['scenarios_checked'])}"))
    for note in found["notes"]:
        console.print(Text(f"  note: {note}"))


def shown(model: ResolvedModel, found: dict[str, Any], values: Sequence[str] = ()) -> None:
    """A resolved model."""
    console = open_console()
    console.print(Text(model.title, style="bold"))
    console.print(Text(f"{model.name}  ({model.file}, sha256 {model.sha256[:12]})"))
    if model.source:
        console.print(Text(f"source: {model.source}"))
    if model.scenarios:
        console.print(Text(f"scenarios applied: {', '.join(model.scenarios)}"))
    if values:
        console.print(Text(f"set by --set: {'; '.join(values)}"))
    if model.known_scenarios:
        console.print(Text(f"scenarios: {', '.join(model.known_scenarios)}"))
    if found["time"]:
        console.print(Text("time: " + ", ".join(f"{k} {v}" for k, v in found["time"].items())))
    _tables_of_columns(console, found)
    if found["transitions"]:
        table = new_table("Transitions", "name", "from", "to", "kind", "value", text=5)
        for row in found["transitions"]:
            kind = next(k for k in ("rate", "probability", "rest") if k in row)
            when = f" when {row['when']}" if "when" in row else ""
            cells = (row["name"], row["from"], row["to"], kind, f"{row[kind]}{when}")
            table.add_row(*map(Text, cells))
        print_table(console, table)
    table = new_table("Payoffs", "outcome", "row", "where", "quantity", "price", text=5)
    for row in found["payoffs"]:
        where = "; ".join(
            f"{key} {', '.join(row[key]) if isinstance(row[key], list) else row[key]}"
            for key in ("in", "from", "to", "event", "when")
            if key in row
        )
        table.add_row(
            *map(Text, (row["outcome"], row["name"], where, row["quantity"], row["price"]))
        )
    print_table(console, table)
    _parameter_table(console, found["parameters"])
    table = new_table(
        "Timing ledger", "section", "row", "counted", "how often", "discounted", text=5
    )
    for row in found["timing_ledger"]:
        keys = ("section", "row", "counted", "how_often", "discounted")
        table.add_row(*(Text(row[key]) for key in keys))
    print_table(console, table)
    console.print(Text("Diagram (Mermaid)", style="bold"))
    console.print(Text(found["diagram"]))
    for note in model.notes:
        console.print(Text(f"note: {note}"))


def _tables_of_columns(console: Console, found: dict[str, Any]) -> None:
    for section in ("attributes", "strategies", "treatments", "states"):
        rows = found[section]
        columns = list(dict.fromkeys(key for row in rows.values() for key in row))
        shown = [
            key
            for key in columns
            if any(row.get(key) not in ("", [], {}, None, False) for row in rows.values())
        ]
        if not rows:
            continue
        table = new_table(section.capitalize(), "name", *shown, text=len(shown) + 1)
        for name, row in rows.items():
            table.add_row(Text(name), *(Text(_cell(row.get(key))) for key in shown))
        print_table(console, table)


def _cell(value: Any) -> str:
    if isinstance(value, list):
        return " > ".join(map(str, value))
    if isinstance(value, dict):
        return ", ".join(f"{key} {number:g}" for key, number in value.items())
    if value is True:
        return "yes"
    return "" if value in (None, False) else str(value)


def _parameter_table(console: Console, rows: list[dict[str, Any]]) -> None:
    table = new_table(
        "Parameters", "name", "value", "unit", "uncertainty", "status", "source", text=6
    )
    for row in rows:
        value = row["values"] if row["value"] is None else f"{row['value']:.6g}"
        year = f", prices of {row['price_year']}" if row["price_year"] else ""
        table.add_row(
            *map(
                Text,
                (
                    row["name"] + row["cell"],
                    value,
                    row["unit"] + year,
                    row["uncertainty"],
                    row["status"],
                    row["source"],
                ),
            )
        )
    print_table(console, table)


def run_result(analysis: Analysis, found: dict[str, Any], values: Sequence[str] = ()) -> None:
    """The results of a run: tables, notes, files, and the sentence at the end."""
    console = open_console()
    model = analysis.model
    applied = f", scenarios {', '.join(model.scenarios)}" if model.scenarios else ""
    console.print(Text(f"{model.title}", style="bold"))
    draws = f"{found['draws']:,} draws" if found["draws"] else "no draws"
    if found["patients"]:
        draws += f", {found['patients']:,} patients" + (" in each" if found["draws"] else "")
    draws += f", seed {found['seed']}"
    console.print(Text(f"{model.name} from {model.file}{applied}; {draws}"))
    if values:
        console.print(Text(f"set by --set: {'; '.join(values)}"))
    _outcomes_table(console, analysis)
    if analysis.base_incremental is not None:
        _incremental_table(console, analysis)
    _threshold_table(console, analysis)
    if line := stability_line(analysis):
        console.print(Text(line))
    if found.get("until"):
        console.print(Text(until_line(found["until"], found["draws"])))
    for note in found["notes"]:
        console.print(Text(f"note: {note}"))
    console.print(
        Text(f"results: {found['folder']}/index.html, and {len(found['files']) - 1} files")
    )
    console.print()
    console.print(Text(found["sentence"], style="bold"))


def _label(model: ResolvedModel, strategy: str) -> str:
    return model.strategies[strategy].label


def _outcomes_table(console: Console, analysis: Analysis) -> None:

    model, psa = analysis.model, analysis.psa
    columns = [f"{name} ({outcome.unit_text})" for name, outcome in model.outcomes.items()]
    headline = "mean of draws (Monte Carlo standard error)" if psa else "deterministic base case"
    table = new_table(f"Outcomes: {headline}", "strategy", *columns)
    columns_of_cells = [_outcome_cells(analysis, outcome) for outcome in model.outcomes]
    for strategy, *cells in zip(model.strategies, *columns_of_cells, strict=True):
        table.add_row(Text(_label(model, strategy)), *(Text(mean) for mean, _ in cells))
        if psa is not None:
            base = (Text(deterministic) for _, deterministic in cells)
            table.add_row(Text("  deterministic"), *base, style="dim")
    print_table(console, table)


def _outcome_cells(analysis: Analysis, outcome: str) -> list[tuple[str, str]]:
    """The result of each strategy, and its base case: numbers alike in their decimals."""
    strategies = list(analysis.model.strategies)
    totals = analysis.base.total(outcome)
    base = [float(totals.sel(strategy=strategy)[0]) for strategy in strategies]
    if analysis.psa is None:
        return [(text, text) for text in numbers(base)]
    values = analysis.psa.total(outcome)
    drawn = [statistics(values.sel(strategy=strategy).to_numpy()) for strategy in strategies]
    shown = numbers([*(each["mean"] for each in drawn), *base])
    errors = [None if isnan(each["mcse"]) else each["mcse"] for each in drawn]
    return [
        (f"{mean} ({error or '–'})", deterministic)
        for mean, error, deterministic in zip(
            shown[: len(drawn)], numbers(errors, significant=2), shown[len(drawn) :], strict=True
        )
    ]


def _incremental_table(console: Console, analysis: Analysis) -> None:
    from qalyst.report.page_tables import labelled_note, status_text

    model = analysis.model
    for title, incremental in (
        ("Fully incremental analysis, means of draws", analysis.incremental),
        ("Fully incremental analysis, deterministic base case", analysis.base_incremental),
    ):
        if incremental is None:
            continue
        cost, effect = (
            f"{name} ({model.outcomes[name].unit_text})"
            for name in (analysis.cost, analysis.effect)
        )
        table = new_table(
            title, "strategy", cost, effect, "more cost", "more effect", "ICER", "status"
        )
        table.columns[-1].justify = "left"
        keys = ("cost", "effect", "incremental_cost", "incremental_effect", "icer")
        columns = [numbers([getattr(row, key) for row in incremental.rows]) for key in keys]
        for row, *cells in zip(incremental.rows, *columns, strict=True):
            table.add_row(
                Text(_label(model, row.strategy)),
                *map(Text, cells),
                Text(status_text(model, row.status)),
            )
        print_table(console, table)
        if incremental.note:
            console.print(Text(f"  {labelled_note(model, incremental.note)}"))


def _threshold_table(console: Console, analysis: Analysis) -> None:
    curves, model = analysis.at_thresholds, analysis.model
    if curves is None:
        return
    names = [_label(model, str(name)) for name in curves.strategy.values]
    unit = (
        f"{model.outcomes[analysis.cost].unit_text} per {model.outcomes[analysis.effect].unit_text}"
    )
    title = f"Probability of being best value, and expected value of perfect information ({unit})"
    thresholds = [f"{wtp:,.0f}" for wtp in curves.wtp.values]
    shares = [[f"{share:.3f}" for share in row] for row in curves.ceac.transpose(STRATEGY, WTP)]
    errors = numbers(curves.evpi_mcse.values.tolist(), significant=2)
    evpi = [
        f"{value} ({error})"
        for value, error in zip(numbers(curves.evpi.values.tolist()), errors, strict=True)
    ]
    rows = [("threshold", *thresholds), *zip(names, *zip(*shares, strict=True), strict=True)]
    rows.append(("EVPI per person (error)", *evpi))
    if len(names) <= MOST_ACROSS:
        rows = list(zip(*rows, strict=True))
    table = new_table(title, *rows[0])
    for row in rows[1:]:
        table.add_row(*map(Text, row))
    print_table(console, table)


def numbers(values: Sequence[float | None], *, significant: int = 4) -> list[str]:
    """Numbers of one column, all with the decimals that so many digits of the largest take.

    >>> numbers([6.2, 7.1691, None]), numbers([123456.7, 80.25])
    (['6.200', '7.169', ''], ['123,457', '80'])
    """
    places = decimals_for(values, significant=significant)
    return ["" if value is None else f"{value:,.{places}f}" for value in values]

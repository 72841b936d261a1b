"""Results and models on the terminal: tables by rich, words by `report.words`."""

from __future__ import annotations

from collections.abc import Sequence
from math import isnan
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.text import Text

from qalyst.report.consoles import new_table, open_console, print_table
from qalyst.report.convergence_words import stability_line, until_line
from qalyst.report.labels import strategy_label
from qalyst.report.numbers import column_numbers
from qalyst.report.tables import statistics

if TYPE_CHECKING:
    from qalyst.analysis import Analysis
    from qalyst.model.resolved import ResolvedModel


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
    from qalyst.report.terminal_decision import incremental_table, threshold_table

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
        console.print(
            Text(f"{'asked' if 'asked' in found else 'set by --set'}: {'; '.join(values)}")
        )
    _outcomes_table(console, analysis)
    if analysis.base_incremental is not None:
        incremental_table(console, analysis)
    threshold_table(console, analysis)
    if line := stability_line(analysis):
        console.print(Text(line))
    if found.get("until"):
        console.print(Text(until_line(found["until"], found["draws"])))
    for note in found["notes"]:
        console.print(Text(f"note: {note}"))
    if found["folder"]:
        console.print(
            Text(f"results: {found['folder']}/index.html, and {len(found['files']) - 1} files")
        )
    console.print()
    console.print(Text(found["sentence"], style="bold"))


def _outcomes_table(console: Console, analysis: Analysis) -> None:

    model, psa = analysis.model, analysis.psa
    columns = [f"{name} ({outcome.unit_text})" for name, outcome in model.outcomes.items()]
    headline = "mean of draws (Monte Carlo standard error)" if psa else "deterministic base case"
    table = new_table(f"Outcomes: {headline}", "strategy", *columns)
    columns_of_cells = [_outcome_cells(analysis, outcome) for outcome in model.outcomes]
    for strategy, *cells in zip(model.strategies, *columns_of_cells, strict=True):
        table.add_row(Text(strategy_label(model, strategy)), *(Text(mean) for mean, _ in cells))
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
        return [(text, text) for text in column_numbers(base)]
    values = analysis.psa.total(outcome)
    drawn = [statistics(values.sel(strategy=strategy).to_numpy()) for strategy in strategies]
    shown = column_numbers([*(each["mean"] for each in drawn), *base])
    errors = [None if isnan(each["mcse"]) else each["mcse"] for each in drawn]
    return [
        (f"{mean} ({error or '–'})", deterministic)
        for mean, error, deterministic in zip(
            shown[: len(drawn)],
            column_numbers(errors, significant=2),
            shown[len(drawn) :],
            strict=True,
        )
    ]

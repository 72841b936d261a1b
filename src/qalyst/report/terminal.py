"""Results and models on the terminal: tables by rich, words by `report.words`."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from rich import box
from rich.cells import cell_len
from rich.console import Console
from rich.measure import Measurement
from rich.table import Table
from rich.text import Text

from qalyst.axes import DRAW, STRATEGY, WTP
from qalyst.report.numbers import decimals_for

if TYPE_CHECKING:
    from qalyst.analysis import Analysis
    from qalyst.model.resolved import ResolvedModel

PIPED = 120  # characters of a line that goes to no terminal
MOST_LETTERS = 10_000  # wider than any table
LONGEST_WORD = 10  # letters of text that are kept on one line
MOST_ACROSS = 4  # strategies side by side; more stand below each other


def _console() -> Console:
    console = Console(highlight=False, soft_wrap=False)
    if not console.is_terminal and not os.environ.get("COLUMNS", "").isdigit():
        console.width = PIPED
    return console


def _table(title: str, *columns: str, text: int = 1) -> Table:
    """A table whose first columns are text and whose others are numbers."""
    table = Table(title=title, title_justify="left", box=box.SIMPLE_HEAD, title_style="bold")
    for number, name in enumerate(columns):
        table.add_column(name, justify="left" if number < text else "right", overflow="fold")
    return table


def _print(console: Console, table: Table) -> None:
    """Print a table whose numbers stay whole, even if its lines are then too long."""
    unbound = console.options.update(max_width=MOST_LETTERS)
    tight = Measurement.get(console, unbound, table).maximum > console.width
    for column in table.columns:
        cells = [str(cell) for cell in column.cells]
        if column.justify == "right":
            header = str(column.header).split() if tight else [str(column.header)]
            column.width = max(map(cell_len, [*cells, *header]), default=0)
        else:
            words = [word for cell in cells for word in cell.split()]
            column.min_width = min(max(map(cell_len, words), default=0), LONGEST_WORD)
    console.print(table, crop=False)


def models(rows: list[dict[str, str]]) -> None:
    """The catalogue."""
    table = _table("Models", "name", "title", text=2)
    for row in rows:
        table.add_row(Text(row["name"]), Text(row["title"]))
    _print(_console(), table)


def checked(found: dict[str, Any]) -> None:
    """What `qalyst check` found."""
    console = _console()
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
    console = _console()
    console.print(Text(model.title, style="bold"))
    console.print(Text(f"{model.name}  ({model.file}, sha256 {model.sha256[:12]})"))
    if model.source:
        console.print(Text(f"source: {model.source}"))
    if model.scenarios:
        console.print(Text(f"scenarios applied: {', '.join(model.scenarios)}"))
    if values:
        console.print(Text(f"set by --set: {'; '.join(values)}"))
    if found["scenarios"]:
        console.print(Text(f"scenarios: {', '.join(found['scenarios'])}"))
    if found["time"]:
        console.print(Text("time: " + ", ".join(f"{k} {v}" for k, v in found["time"].items())))
    _tables_of_columns(console, found)
    if found["transitions"]:
        table = _table("Transitions", "name", "from", "to", "kind", "value", text=5)
        for row in found["transitions"]:
            kind = next(k for k in ("rate", "probability", "rest") if k in row)
            when = f" when {row['when']}" if "when" in row else ""
            cells = (row["name"], row["from"], row["to"], kind, f"{row[kind]}{when}")
            table.add_row(*map(Text, cells))
        _print(console, table)
    table = _table("Payoffs", "outcome", "row", "where", "quantity", "price", text=5)
    for row in found["payoffs"]:
        where = "; ".join(
            f"{key} {', '.join(row[key]) if isinstance(row[key], list) else row[key]}"
            for key in ("in", "from", "to", "event", "when")
            if key in row
        )
        table.add_row(
            *map(Text, (row["outcome"], row["name"], where, row["quantity"], row["price"]))
        )
    _print(console, table)
    _parameter_table(console, found["parameters"])
    table = _table("Timing ledger", "section", "row", "counted", "how often", "discounted", text=5)
    for row in found["timing_ledger"]:
        keys = ("section", "row", "counted", "how_often", "discounted")
        table.add_row(*(Text(row[key]) for key in keys))
    _print(console, table)
    console.print(Text("Diagram (Mermaid)", style="bold"))
    console.print(Text(found["diagram"]))
    for note in model.notes:
        console.print(Text(f"note: {note}"))


def _tables_of_columns(console: Console, found: dict[str, Any]) -> None:
    for section in ("strategies", "treatments", "states"):
        rows = found[section]
        columns = list(dict.fromkeys(key for row in rows.values() for key in row))
        shown = [
            key
            for key in columns
            if any(row.get(key) not in ("", [], None, False) for row in rows.values())
        ]
        if not rows:
            continue
        table = _table(section.capitalize(), "name", *shown, text=len(shown) + 1)
        for name, row in rows.items():
            table.add_row(Text(name), *(Text(_cell(row.get(key))) for key in shown))
        _print(console, table)


def _cell(value: Any) -> str:
    if isinstance(value, list):
        return " > ".join(map(str, value))
    if value is True:
        return "yes"
    return "" if value in (None, False) else str(value)


def _parameter_table(console: Console, rows: list[dict[str, Any]]) -> None:
    table = _table("Parameters", "name", "value", "unit", "uncertainty", "status", "source", text=6)
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
    _print(console, table)


def run_result(analysis: Analysis, found: dict[str, Any], values: Sequence[str] = ()) -> None:
    """The results of a run: tables, notes, files, and the sentence at the end."""
    console = _console()
    model = analysis.model
    applied = f", scenarios {', '.join(model.scenarios)}" if model.scenarios else ""
    console.print(Text(f"{model.title}", style="bold"))
    draws = f"{found['draws']:,} draws, seed {found['seed']}" if found["draws"] else "no draws"
    console.print(Text(f"{model.name} from {model.file}{applied}; {draws}"))
    if values:
        console.print(Text(f"set by --set: {'; '.join(values)}"))
    _outcomes_table(console, analysis)
    if analysis.base_incremental is not None:
        _incremental_table(console, analysis)
    _threshold_table(console, analysis)
    for note in model.notes:
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
    table = _table(f"Outcomes: {headline}", "strategy", *columns)
    columns_of_cells = [_outcome_cells(analysis, outcome) for outcome in model.outcomes]
    for strategy, *cells in zip(model.strategies, *columns_of_cells, strict=True):
        table.add_row(Text(_label(model, strategy)), *(Text(mean) for mean, _ in cells))
        if psa is not None:
            base = (Text(deterministic) for _, deterministic in cells)
            table.add_row(Text("  deterministic"), *base, style="dim")
    _print(console, table)


def _outcome_cells(analysis: Analysis, outcome: str) -> list[tuple[str, str]]:
    """The result of each strategy, and its base case: numbers alike in their decimals."""
    strategies = list(analysis.model.strategies)
    totals = analysis.base.total(outcome)
    base = [float(totals.sel(strategy=strategy)[0]) for strategy in strategies]
    if analysis.psa is None:
        return [(text, text) for text in numbers(base)]
    values = analysis.psa.total(outcome)
    count = values.sizes[DRAW]
    means = [float(values.sel(strategy=strategy).mean()) for strategy in strategies]
    errors = [
        float(values.sel(strategy=strategy).std(ddof=1)) / count**0.5 if count > 1 else 0.0
        for strategy in strategies
    ]
    shown = numbers([*means, *base])
    return [
        (f"{mean} ({error})", deterministic)
        for mean, error, deterministic in zip(
            shown[: len(means)], numbers(errors, significant=2), shown[len(means) :], strict=True
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
        table = _table(
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
        _print(console, table)
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
    table = _table(title, *rows[0])
    for row in rows[1:]:
        table.add_row(*map(Text, row))
    _print(console, table)


def numbers(values: Sequence[float | None], *, significant: int = 4) -> list[str]:
    """Numbers of one column, all with the decimals that so many digits of the largest take.

    >>> numbers([6.2, 7.1691, None]), numbers([123456.7, 80.25])
    (['6.200', '7.169', ''], ['123,457', '80'])
    """
    places = decimals_for(values, significant=significant)
    return ["" if value is None else f"{value:,.{places}f}" for value in values]

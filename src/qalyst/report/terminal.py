"""Results and models on the terminal: tables by rich, words by `report.words`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from qalyst.report.numbers import short

if TYPE_CHECKING:
    from qalyst.analysis import Analysis
    from qalyst.model.resolved import ResolvedModel


def _console() -> Console:
    console = Console(highlight=False, soft_wrap=False)
    if not console.is_terminal:
        console.width = max(console.width, 120)
    return console


def _table(title: str, *columns: str, text: int = 1) -> Table:
    """A table whose first columns are text and whose others are numbers."""
    table = Table(title=title, title_justify="left", box=box.SIMPLE_HEAD, title_style="bold")
    for number, name in enumerate(columns):
        table.add_column(name, justify="left" if number < text else "right", overflow="fold")
    return table


def models(rows: list[dict[str, str]]) -> None:
    """The catalogue."""
    table = _table("Models", "name", "title", text=2)
    for row in rows:
        table.add_row(Text(row["name"]), Text(row["title"]))
    _console().print(table)


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


def shown(model: ResolvedModel, found: dict[str, Any]) -> None:
    """A resolved model."""
    console = _console()
    console.print(Text(model.title, style="bold"))
    console.print(Text(f"{model.name}  ({model.file}, sha256 {model.sha256[:12]})"))
    if model.source:
        console.print(Text(f"source: {model.source}"))
    if model.scenarios:
        console.print(Text(f"scenarios applied: {', '.join(model.scenarios)}"))
    if model.known_scenarios:
        console.print(Text(f"scenarios: {', '.join(model.known_scenarios)}"))
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
        console.print(table)
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
    console.print(table)
    _parameter_table(console, found["parameters"])
    table = _table("Timing ledger", "section", "row", "counted", "how often", "discounted", text=5)
    for row in found["timing_ledger"]:
        keys = ("section", "row", "counted", "how_often", "discounted")
        table.add_row(*(Text(row[key]) for key in keys))
    console.print(table)
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
        console.print(table)


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
    console.print(table)


def run_result(analysis: Analysis, found: dict[str, Any]) -> None:
    """The results of a run: tables, notes, files, and the sentence at the end."""
    console = _console()
    model = analysis.model
    applied = f", scenarios {', '.join(model.scenarios)}" if model.scenarios else ""
    console.print(Text(f"{model.title}", style="bold"))
    draws = f"{found['draws']:,} draws, seed {found['seed']}" if found["draws"] else "no draws"
    console.print(Text(f"{model.name} from {model.file}{applied}; {draws}"))
    _outcomes_table(console, analysis)
    if analysis.base_incremental is not None:
        _incremental_table(console, analysis)
    _threshold_table(console, analysis)
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
    from qalyst.report.tables import statistics

    model, psa = analysis.model, analysis.psa
    columns = [f"{name} ({outcome.unit_text})" for name, outcome in model.outcomes.items()]
    headline = "mean of draws (Monte Carlo standard error)" if psa else "deterministic base case"
    table = _table(f"Outcomes: {headline}", "strategy", *columns)
    for strategy in model.strategies:
        base = [
            short(float(analysis.base.total(outcome).sel(strategy=strategy)[0]))
            for outcome in model.outcomes
        ]
        label = Text(_label(model, strategy))
        if psa is None:
            table.add_row(label, *map(Text, base))
            continue
        cells = []
        for outcome in model.outcomes:
            drawn = statistics(psa.total(outcome).sel(strategy=strategy).to_numpy())
            cells.append(f"{short(drawn['mean'])} ({short(drawn['mcse'])})")
        table.add_row(label, *map(Text, cells))
        table.add_row(Text("  deterministic"), *map(Text, base), style="dim")
    console.print(table)


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
        for row in incremental.rows:
            values = (
                row.cost, row.effect, row.incremental_cost, row.incremental_effect, row.icer,
            )  # fmt: skip
            cells = ["" if value is None else short(value) for value in values]
            table.add_row(
                Text(_label(model, row.strategy)),
                *map(Text, cells),
                Text(status_text(model, row.status)),
            )
        console.print(table)
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
    table = _table(
        f"Probability of being best value, and expected value of perfect information ({unit})",
        "threshold", *names, "EVPI per person (error)",
    )  # fmt: skip
    for wtp in curves.wtp.values:
        at = curves.sel(wtp=wtp)
        shares = [f"{float(at.ceac.sel(strategy=s)):.3f}" for s in curves.strategy.values]
        evpi = f"{short(float(at.evpi))} ({short(float(at.evpi_mcse))})"
        table.add_row(Text(f"{wtp:,.0f}"), *map(Text, shares), Text(evpi))
    console.print(table)

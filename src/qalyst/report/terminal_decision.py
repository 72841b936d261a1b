"""The decision on the terminal: the incremental tables, and the thresholds."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.text import Text

from qalyst.axes import STRATEGY, WTP
from qalyst.report.consoles import new_table, open_console, print_table
from qalyst.report.convergence_words import stability_line
from qalyst.report.labels import outcome_label, ratio_unit, strategy_label
from qalyst.report.numbers import column_numbers
from qalyst.report.page_tables import labelled_note, status_text
from qalyst.report.value_words import tell_information

if TYPE_CHECKING:
    from qalyst.analysis import Decided
    from qalyst.information import Information

MOST_ACROSS = 4  # strategies side by side; more stand below each other


def incremental_table(console: Console, analysis: Decided) -> None:
    """The fully incremental tables: of the means of draws, and of a base case if there is one."""
    model = analysis.model
    for title, incremental in (
        ("Fully incremental analysis, means of draws", analysis.incremental),
        (
            "Fully incremental analysis, deterministic base case",
            getattr(analysis, "base_incremental", None),
        ),
    ):
        if incremental is None:
            continue
        cost, effect = (outcome_label(model, name) for name in (analysis.cost, analysis.effect))
        table = new_table(
            title, "strategy", cost, effect, "more cost", "more effect", "ICER", "status"
        )
        table.columns[-1].justify = "left"
        keys = ("cost", "effect", "incremental_cost", "incremental_effect", "icer")
        columns = [column_numbers([getattr(row, key) for row in incremental.rows]) for key in keys]
        for row, *cells in zip(incremental.rows, *columns, strict=True):
            table.add_row(
                Text(strategy_label(model, row.strategy)),
                *map(Text, cells),
                Text(status_text(model, row.status)),
            )
        print_table(console, table)
        if incremental.note:
            console.print(Text(f"  {labelled_note(model, incremental.note)}"))


def threshold_table(console: Console, analysis: Decided) -> None:
    """How probably each strategy is best value, and EVPI, at the thresholds."""
    curves, model = analysis.at_thresholds, analysis.model
    if curves is None:
        return
    names = [strategy_label(model, str(name)) for name in curves.strategy.values]
    unit = ratio_unit(model, analysis.cost, analysis.effect)
    title = f"Probability of being best value, and expected value of perfect information ({unit})"
    thresholds = [f"{wtp:,.0f}" for wtp in curves.wtp.values]
    shares = [[f"{share:.3f}" for share in row] for row in curves.ceac.transpose(STRATEGY, WTP)]
    errors = column_numbers(curves.evpi_mcse.values.tolist(), significant=2)
    evpi = [
        f"{value} ({error})"
        for value, error in zip(column_numbers(curves.evpi.values.tolist()), errors, strict=True)
    ]
    rows = [("threshold", *thresholds), *zip(names, *zip(*shares, strict=True), strict=True)]
    rows.append(("EVPI per person (error)", *evpi))
    if len(names) <= MOST_ACROSS:
        rows = list(zip(*rows, strict=True))
    table = new_table(title, *rows[0])
    for row in rows[1:]:
        table.add_row(*map(Text, row))
    print_table(console, table)


def tell_decided(
    analysis: Decided, informed: tuple[Information, ...], found: dict[str, Any]
) -> None:
    """The decision of outside draws: tables, notes, files, and the sentence at the end."""
    assert analysis.psa is not None
    console = open_console()
    console.print(
        Text(f"{found['costs']} and {found['effects']}: {analysis.psa.draws:,} draws", style="bold")
    )
    incremental_table(console, analysis)
    threshold_table(console, analysis)
    if line := stability_line(analysis):
        console.print(Text(line))
    for each in informed:
        tell_information(console, analysis.model, each)
    for note in found["notes"]:
        console.print(Text(f"note: {note}"))
    if "folder" in found:
        console.print(Text(f"results: {found['folder']}, {len(found['files'])} files"))
    console.print()
    console.print(Text(found["sentence"], style="bold"))

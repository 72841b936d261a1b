"""What `qalyst patients` says on the terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rich.text import Text

from qalyst.report.consoles import new_table, open_console, print_table
from qalyst.report.labels import outcome_label, strategy_label
from qalyst.report.numbers import short
from qalyst.report.stories import laid_out

if TYPE_CHECKING:
    from qalyst.model.resolved import ResolvedModel

HEADINGS = ("strategy", "outcome", "mean", "standard error", "2.5 %", "median", "97.5 %")
COLUMNS = ("mean", "standard_error", "p2_5", "median", "p97_5")


def tell_patients(model: ResolvedModel, found: dict[str, Any], *, told: bool) -> None:
    """Show how outcomes spread between patients, and the stories if they were asked for."""
    console = open_console()
    table = new_table(f"{found['patients']:,} patients, discounted", *HEADINGS, text=2)
    for strategy, outcomes in found["distribution"].items():
        for outcome, spread in outcomes.items():
            numbers = (short(spread[column]) for column in COLUMNS)
            table.add_row(
                Text(strategy_label(model, strategy)), Text(outcome_label(model, outcome)), *numbers
            )
    print_table(console, table)
    for story in found["stories"] if told else ():
        console.print(Text(f"{laid_out(story['text'], console.width)}\n"))
    console.print(Text(f"Written to {found['folder']}"))

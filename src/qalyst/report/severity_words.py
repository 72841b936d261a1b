"""Severity on the terminal."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from rich.text import Text

from qalyst.report.consoles import new_table, open_console, print_table
from qalyst.report.labels import strategy_label
from qalyst.report.numbers import money, percent, short
from qalyst.report.terminal_decision import incremental_table, threshold_table

if TYPE_CHECKING:
    from qalyst.analysis import Analysis


def told(analysis: Analysis, found: Mapping[str, Any]) -> None:
    """The shortfall, what it gives, and the decision with it."""
    console = open_console()
    model = analysis.model
    console.print(Text(model.title, style="bold"))
    table = new_table(f"QALY shortfall by {found['guideline']}", "", "value")
    rate = f"discounted at {100 * found['discount_effects']:g} %"
    who = f"age {found['age']:g}, {percent(found['female'])} women"
    rows = [
        (f"QALYs of the general population, {who}, {rate}", found["qalys_general_population"]),
        (f"QALYs with {strategy_label(model, found['strategy'])}", found["qalys_patients"]),
        ("absolute shortfall, QALYs", found["absolute_shortfall"]),
        ("proportional shortfall", found["proportional_shortfall"]),
    ]
    for name, value in rows:
        table.add_row(Text(name), short(value))
    table.add_row(Text(f"{found['gives']} that this gives"), _value(found, found["value"]))
    print_table(console, table)
    console.print(Text(f"life table {found['life_table']}, norm {found['norm']}"))
    chances = (f"{_value(found, c['value'])} {percent(c['share'])}" for c in found["chances"])
    console.print(Text(f"share of draws: {', '.join(chances)}"))
    for note in found["notes"]:
        console.print(Text(f"note: {note}"))
    for why in found["new_run"]:
        console.print(Text(f"note: the model was run again: {why}"))
    if analysis.compares and found["gives"] == "weight":
        console.print(Text("QALYs below are weighted."))
    incremental_table(console, analysis)
    threshold_table(console, analysis)


def _value(found: Mapping[str, Any], value: float | None) -> str:
    """What a severity gives, in words."""
    if value is None:
        return "none"
    if found["gives"] == "weight":
        return f"x {value:g}"
    return money(value, found["currency"])

"""What the commands of sensitivity analysis say on the terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rich.text import Text

from qalyst.report.consoles import new_table, open_console, print_table
from qalyst.report.numbers import short
from qalyst.report.sensitivity_data import NO_ICER, choice_label, measure_label, pair_label

if TYPE_CHECKING:
    from qalyst.model.resolved import ResolvedModel
    from qalyst.sensitivity.one_way import OneWay
    from qalyst.sensitivity.standing import Reading


def tell_one_way(model: ResolvedModel, found: OneWay, told: dict[str, Any]) -> None:
    """The tornado as a table, the largest swing first."""
    console = open_console()
    pair, measure = pair_label(model, found.standing), found.outcome
    title = f"{pair}: {measure_label(model, found.standing, measure)}"
    console.print(Text(title, style="bold"))
    console.print(
        Text(
            f"base case: {_measure(found.base, found.outcome)}; "
            f"optimal: {choice_label(model, found.base.optimal)}"
        )
    )
    table = new_table("", "input", "low", "high", "at low", "at high", "swing", "optimal", text=1)
    table.columns[-1].justify = "left"
    for bar in found.bars:
        table.add_row(
            Text(bar.input),
            short(bar.low, significant=3),
            short(bar.high, significant=3),
            _measure(bar.at_low, found.outcome),
            _measure(bar.at_high, found.outcome),
            "no ratio" if bar.swing is None else short(bar.swing),
            Text(_choices(model, found.base, bar.at_low, bar.at_high)),
        )
    print_table(console, table)
    changing = sum(bar.changes_decision for bar in found.bars)
    console.print(
        Text(
            f"{changing} of {len(found.bars)} inputs change the optimal strategy within their range"
        )
    )
    console.print(Text(f"Written to {told['folder']}"))


def _measure(found: Reading, outcome: str) -> str:
    """A measure, or why there is none."""
    value = found.value(outcome)
    return NO_ICER[found.pair.quadrant] if value is None else short(value)


def _choices(model: ResolvedModel, base: Reading, low: Reading, high: Reading) -> str:
    """Where another strategy is optimal."""
    words = [
        f"{word}: {choice_label(model, end.optimal)}"
        for word, end in (("low", low), ("high", high))
        if end.optimal != base.optimal
    ]
    return "; ".join(words) or "the same"

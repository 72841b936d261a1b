"""What the commands of sensitivity analysis say on the terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rich.text import Text

from qalyst.report.consoles import new_table, open_console, print_table
from qalyst.report.labels import currency, ratio_unit
from qalyst.report.numbers import percent, short
from qalyst.report.sensitivity_data import NO_ICER, choice_label, measure_label, pair_label

if TYPE_CHECKING:
    from collections.abc import Sequence

    from qalyst.model.resolved import ResolvedModel
    from qalyst.sensitivity.derivatives import Elasticities
    from qalyst.sensitivity.one_way import OneWay
    from qalyst.sensitivity.price import Price
    from qalyst.sensitivity.scenarios import ScenarioTable
    from qalyst.sensitivity.standing import Reading, Standing
    from qalyst.sensitivity.threshold import Switch, Threshold
    from qalyst.sensitivity.two_way import Grid, Points


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


def tell_grid(model: ResolvedModel, found: Grid, told: dict[str, Any]) -> None:
    """How much of the grid each strategy is optimal in."""
    console = open_console()
    cells = [each for row in found.optimal for each in row]
    console.print(Text(f"{len(cells):,} points at {_wtp(model, found.standing)}", style="bold"))
    table = new_table("", "optimal", "points", "share", text=1)
    for name in dict.fromkeys(cells):
        count = cells.count(name)
        table.add_row(Text(choice_label(model, name)), f"{count:,}", percent(count / len(cells)))
    print_table(console, table)
    console.print(Text(f"base case: {choice_label(model, found.base.optimal)}"))
    console.print(Text(f"Written to {told['folder']}"))


def tell_points(model: ResolvedModel, found: Points, told: dict[str, Any]) -> None:
    """The points, one a row."""
    rows = [(each.name, each.found) for each in found.points]
    _tell_rows(model, found.standing, found.base, rows, told)


def tell_scenarios(model: ResolvedModel, found: ScenarioTable, told: dict[str, Any]) -> None:
    """The scenarios, one a row; what could not be run, and what does not go together."""
    rows = [(row.scenario.name, row.found) for row in found.rows if row.found is not None]
    _tell_rows(model, found.standing, found.base, rows, told)
    console = open_console()
    for row in found.rows:
        if row.found is None:
            console.print(Text(f"not run: {row.scenario.name}: {row.problem}"))
    for one, other in found.conflicts:
        console.print(Text(f"not combined: {one} and {other} change the same thing"))


def _tell_rows(
    model: ResolvedModel,
    compared: Standing,
    base: Reading,
    rows: Sequence[tuple[str, Reading]],
    told: dict[str, Any],
) -> None:
    console = open_console()
    title = f"{pair_label(model, compared)} at {_wtp(model, compared)}"
    headings = ("cost", "effect", "ICER", "net benefit", "change", "optimal")
    table = new_table(title, "", *headings, text=1)
    table.columns[-1].justify = "left"
    for name, found in [("base case", base), *rows]:
        table.add_row(
            Text(name),
            short(found.pair.incremental_cost),
            short(found.pair.incremental_effect),
            _measure(found, "icer"),
            short(found.inmb),
            short(found.inmb - base.inmb),
            Text(choice_label(model, found.optimal)),
        )
    print_table(console, table)
    changing = sum(found.optimal != base.optimal for _, found in rows)
    console.print(Text(f"another strategy is optimal in {changing} of {len(rows)} rows"))
    console.print(Text(f"Written to {told['folder']}"))


def threshold_sentence(model: ResolvedModel, found: Threshold) -> str:
    """All switches in one sentence."""
    unit = "" if found.unit == "1" else f" {found.unit}"
    start = f"At {_wtp(model, found.standing)}, with {found.label} ({found.input}) "
    start += f"from {short(found.low)} to {short(found.high)}{unit}, "
    first = choice_label(model, found.optimal_low)
    if not found.switches:
        return f"{start}{first} is optimal throughout; base value {short(found.base)}."
    values = [_with_error(switch) for switch in found.switches]
    parts = [f"{first} is optimal below {values[0]}"]
    for switch, low, high in zip(found.switches, values, [*values[1:], None], strict=True):
        name = choice_label(model, switch.above)
        parts.append(f"{name} above {low}" if high is None else f"{name} from {low} to {high}")
    return f"{start}{', '.join(parts)}; base value {short(found.base)}."


def _with_error(switch: Switch) -> str:
    if switch.mcse is None:
        return short(switch.value, significant=5)
    error = short(switch.mcse, significant=2)
    return f"{short(switch.value, significant=5)} (Monte Carlo standard error {error})"


def tell_threshold(model: ResolvedModel, found: Threshold, told: dict[str, Any]) -> None:
    """The sentence."""
    console = open_console()
    console.print(Text(threshold_sentence(model, found)))
    if found.draws:
        console.print(Text(f"by mean net benefit over {found.draws:,} draws of the other inputs"))
    console.print(Text(f"Written to {told['folder']}"))


def tell_prices(model: ResolvedModel, found: Sequence[Price], told: dict[str, Any]) -> None:
    """Prices by willingness to pay."""
    console = open_console()
    first = found[0]
    pair = pair_label(model, first.standing)
    console.print(Text(f"Price of {first.input} at which the net benefit of {pair} is 0"))
    unit = ratio_unit(model, first.standing.cost, first.standing.effect)
    drawn = any(each.mcse is not None for each in found)
    headings = (unit, f"price ({first.unit})", *(("standard error",) if drawn else ()))
    table = new_table("", *headings, text=0)
    for each in found:
        error = "" if each.mcse is None else short(each.mcse, significant=2)
        cells = (f"{each.standing.wtp:,.10g}", price_words(each))
        table.add_row(*cells, *((error,) if drawn else ()))
    print_table(console, table)
    console.print(Text(f"price in the model: {short(first.base)} {first.unit}"))
    console.print(Text(f"Written to {told['folder']}"))


def price_words(found: Price) -> str:
    """A price, or why there is none."""
    if found.price is not None:
        return short(found.price, significant=6)
    return "none: it does not matter for the pair" if found.slope == 0 else "none of 0 or more"


def tell_elasticities(model: ResolvedModel, found: Elasticities, told: dict[str, Any]) -> None:
    """The slopes of incremental net benefit."""
    console = open_console()
    title = (
        f"{pair_label(model, found.standing)}: incremental net benefit "
        f"({currency(model, found.standing.cost)}) at {_wtp(model, found.standing)}, at base values"
    )
    headings = ("input", "base", "derivative", "error", "by 1 % more", "elasticity")
    table = new_table(title, *headings, text=1)
    for each in found.inputs:
        slope = each.slopes.get(("", "incremental_nmb"))
        base = "factor 1" if each.by == "factor" else short(each.base)
        if slope is None or slope.derivative is None:
            table.add_row(Text(each.input), base, "none", "", "", "")
            continue
        table.add_row(
            Text(each.input),
            base,
            short(slope.derivative, significant=5),
            short(slope.error, significant=1),
            short(each.per_cent(slope)),
            short(slope.elasticity, significant=3),
        )
    print_table(console, table)
    for each in found.inputs:
        if each.problem:
            console.print(Text(f"{each.input}: {each.problem}"))
    console.print(Text(f"Written to {told['folder']}"))


def _wtp(model: ResolvedModel, compared: Standing) -> str:
    return f"{compared.wtp:,.10g} {ratio_unit(model, compared.cost, compared.effect)}"


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

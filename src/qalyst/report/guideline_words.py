"""Guidelines on the terminal."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rich.text import Text

from qalyst.report.consoles import new_table, open_console, print_table
from qalyst.report.numbers import short

NONE_STATED = "none stated"


def listed(rows: list[dict[str, Any]]) -> None:
    """All guidelines."""
    columns = ("name", "country", "costs, %", "effects, %", "thresholds per QALY", "severity gives")
    table = new_table("Guidelines", *columns, text=2)
    for row in rows:
        amounts = ", ".join(map(short, row["thresholds"])) or NONE_STATED
        table.add_row(
            Text(row["name"]),
            Text(row["country"]),
            _percent(row["discount_costs"]),
            _percent(row["discount_effects"]),
            f"{row['currency']} {amounts}" if row["thresholds"] else amounts,
            row["severity"] or "",
        )
    console = open_console()
    print_table(console, table)
    console.print(Text("qalyst guidelines NAME shows the source and status of each number"))


def shown(found: Mapping[str, Any]) -> None:
    """One guideline: every number with its source and status."""
    console = open_console()
    console.print(Text(found["title"], style="bold"))
    valid = f"since {found['since']}" + (f", until {found['until']}" if found["until"] else "")
    console.print(Text(f"{found['agency']}, {found['country']}; {valid}"))
    columns = ("what", "value", "status", "source")
    table = new_table(f"{found['guideline']}: numbers", *columns, text=4)
    for what, value, item in _numbers(found):
        table.add_row(*map(Text, (what, value, item["status"], item["source"])))
    for what, item in found["expects"].items():
        cells = (f"{what.replace('_', ' ')} expected", item["text"])
        table.add_row(*map(Text, (*cells, item["status"], item["source"])))
    print_table(console, table)
    for name, source in found["sources"].items():
        console.print(Text(f"{name}: {source['cite']} ({source['date']}) {source['url']}".rstrip()))
    for note in found["notes"]:
        console.print(Text(f"note: {note}"))


def _numbers(found: Mapping[str, Any]) -> list[tuple[str, str, dict[str, Any]]]:
    discount, currency = found["discount"], found["currency"]
    rows = [
        (f"discount rate of {what}", f"{_percent(discount[what]['value'])}%", discount[what])
        for what in ("costs", "effects")
    ]
    for other in discount["also"]:
        rates = f"costs {_percent(other['costs'])}%, effects {_percent(other['effects'])}%"
        rows.append((f"discount rates, {other['when']}", rates, other))
    for each in found["thresholds"]:
        rows.append((f"threshold, {each['use']}", f"{currency} {short(each['value'])}", each))
    severity = found["severity"] or {"bands": [], "gives": ""}
    for band in severity["bands"]:
        shortfalls = [
            f"{key} shortfall {band[key]:g} or more"
            for key in ("absolute", "proportional")
            if band[key] is not None
        ]
        gives = severity["gives"]
        value = f"x {band[gives]:g}" if gives == "weight" else f"{currency} {short(band[gives])}"
        rows.append((f"{gives} if {' or '.join(shortfalls)}", value, band))
    return rows


def _percent(share: float) -> str:
    return f"{100 * share:.6g}"

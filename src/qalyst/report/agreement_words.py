"""What `qalyst verify` says: as data, and on the terminal."""

from __future__ import annotations

from math import isfinite
from typing import Any

import numpy as np
from rich.text import Text

from qalyst.agreement import Agreement, Comparison
from qalyst.report.consoles import new_table, open_console, print_table
from qalyst.report.numbers import short

WORST = 5


def agreement_data(name: str, agreement: Agreement) -> dict[str, Any]:
    """The comparisons as plain data; see docs/json.md."""
    comparisons = agreement.comparisons
    scores = np.array([item.z for item in comparisons if isfinite(item.z)])
    kinds = [item.kind for item in comparisons]
    return {
        "model": name,
        "applicable": agreement.reason is None,
        "reason": agreement.reason,
        "agrees": not agreement.failed if agreement.reason is None else None,
        "patients": agreement.patients,
        "level": agreement.level,
        "limit": agreement.limit if isfinite(agreement.limit) else None,
        "comparisons": len(comparisons),
        "kinds": {kind: kinds.count(kind) for kind in sorted(set(kinds))},
        "largest_z": float(np.abs(scores).max()) if scores.size else None,
        "mean_z": float(scores.mean()) if scores.size else None,
        "sd_z": float(scores.std(ddof=1)) if scores.size > 1 else None,
        "failed": [_row(item) for item in agreement.failed],
        "worst": [_row(item) for item in _worst(agreement)],
    }


def _worst(agreement: Agreement) -> list[Comparison]:
    scored = [item for item in agreement.comparisons if not np.isnan(item.z)]
    return sorted(scored, key=lambda item: -abs(item.z))[:WORST]


def _row(item: Comparison) -> dict[str, Any]:
    return {
        "strategy": item.strategy,
        "profile": item.profile,
        "row": item.row,
        "cohort": item.cohort,
        "individuals": item.individuals,
        "standard_error": item.error,
        "allowed": item.allowed,
        "kind": item.kind,
        "z": item.z if isfinite(item.z) else None,
    }


def tell_agreement(found: dict[str, Any]) -> None:
    """Say whether the engines agree, and show the largest differences."""
    console = open_console()
    if not found["applicable"]:
        console.print(Text(f"{found['model']}: not applicable: {found['reason']}"))
        return
    exact = found["kinds"].get("exact", 0)
    rows = found["failed"] or found["worst"]
    if rows:
        title = "Beyond chance" if found["failed"] else "Largest differences"
        headings = ("strategy", "profile", "payoff row", "cohort", "individuals", "error", "z")
        table = new_table(title, *headings, text=3)
        for row in rows[: 4 * WORST]:
            z = "-" if row["z"] is None else f"{row['z']:.2f}"
            numbers = (short(row[key]) for key in ("cohort", "individuals", "standard_error"))
            words = (Text(str(row[key])) for key in ("strategy", "profile", "row"))
            table.add_row(*words, *numbers, z)
        print_table(console, table)
    spread = ""
    if found["largest_z"] is not None:
        spread = f"; largest |z| {found['largest_z']:.2f}, {found['limit']:.2f} allowed"
    verdict = "the engines agree" if found["agrees"] else "THE ENGINES DISAGREE"
    console.print(
        Text(
            f"{found['model']}: {verdict}: {found['comparisons']} comparisons ({exact} exact) of "
            f"{found['patients']:,} patients each{spread} (family-wise level {found['level']:g})"
        )
    )

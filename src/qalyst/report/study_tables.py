"""The tables of a study's value as data frames, and as plain data."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd

    from qalyst.decision.study_files import Sourced
    from qalyst.study_values import StudyValue


def study_tables(value: StudyValue) -> dict[str, pd.DataFrame]:
    """`evsi`: a row a size that was computed; `enbs`: a row a size that was compared."""
    import pandas as pd

    found = {"evsi": pd.DataFrame(evsi_rows(value))}
    if value.enbs:
        parts = [
            pd.DataFrame(
                {
                    "follow_up": years,
                    "n": each.sizes,
                    "evsi": each.evsi,
                    "population_evsi": each.value,
                    "lost_by_waiting": each.waiting,
                    "cost": each.cost,
                    "enbs": each.enbs,
                    "enbs_se": each.se,
                }
            )
            for years, each in value.enbs.items()
        ]
        found["enbs"] = pd.concat(parts, ignore_index=True)
    return found


def evsi_rows(value: StudyValue) -> list[dict[str, Any]]:
    """EVSI at each follow-up and size."""
    rows = []
    for years, by_size in value.evsi.items():
        for each in by_size:
            row = asdict(each)
            lower, upper = row.pop("interval")
            rows.append({"follow_up": years, **row, "lower": lower, "upper": upper})
    order = ("follow_up", "n", "value", "se", "lower", "upper", "evppi", "evpi")
    kept = (*order, "bound", "method", "message")
    return [{"evsi" if key == "value" else key: row[key] for key in kept} for row in rows]


def study_data(value: StudyValue) -> dict[str, Any]:
    """A study's value as plain data; see docs/json.md."""
    file = value.file
    return {
        "model": value.model.name,
        "sha256": value.model.sha256,
        "scenarios": list(value.model.scenarios),
        "study": file.study,
        "label": file.label,
        "design": file.design,
        "parameters": list(file.planned(file.follow_ups[0]).parameters),
        "n": file.n,
        "threshold": value.wtp,
        "draws": value.draws,
        "seed": value.seed,
        "evsi": evsi_rows(value),
        "enbs": [_best(value, years) for years in value.enbs],
        "best_follow_up": value.best_follow_up,
        "assumptions": assumptions(value),
    }


def _best(value: StudyValue, years: float) -> dict[str, Any]:
    found = value.enbs[years]
    best = int(found.enbs.argmax())
    planned = int(abs(found.sizes - value.file.n).argmin())
    row = {"follow_up": years, "best_n": found.best, "within": list(found.within)}
    for name, place in (("best", best), ("planned", planned)):
        row[name] = {
            "n": int(found.sizes[place]),
            "evsi": float(found.evsi[place]),
            "population_evsi": float(found.value[place]),
            "lost_by_waiting": float(found.waiting[place]),
            "cost": float(found.cost[place]),
            "enbs": float(found.enbs[place]),
            "enbs_se": float(found.se[place]),
            "delay": found.timing.delay(float(found.sizes[place])),
        }
    return row | {"at_largest": found.at_edge}


def assumptions(value: StudyValue) -> list[dict[str, str]]:
    """Parts of the study file with their status and source."""
    file = value.file
    parts: dict[str, Sourced | None] = {
        "design": file,
        "cost": file.cost,
        "timing": file.timing,
        "population": file.population,
    }
    return [
        {"part": name, "status": part.status, "source": part.source}
        for name, part in parts.items()
        if part is not None
    ]

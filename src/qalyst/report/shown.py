"""What `qalyst show` tells of a resolved model, as plain data."""

from __future__ import annotations

from typing import Any

from qalyst.model.ledger import timing_ledger
from qalyst.model.resolved import START, ResolvedModel, as_data
from qalyst.params.draws import BaseCase
from qalyst.params.parameter import Parameter, Path, show_path
from qalyst.report.parameter_words import MOST_CELLS, cells, uncertainty_words


def shown_model(model: ResolvedModel) -> dict[str, Any]:
    """The resolved model with its diagram, parameters by cell and timing ledger."""
    data = as_data(model)
    return {
        "model": model.name,
        "title": model.title,
        "source": model.source,
        "file": model.file,
        "sha256": model.sha256,
        "scenarios": list(model.scenarios),
        "known_scenarios": list(model.known_scenarios),
        "decision": data["decision"],
        "money": data["money"],
        "time": data["time"],
        "outcomes": data["outcomes"],
        "profiles": data["profiles"],
        "attributes": data["attributes"],
        "patients_sampled": data["patients_sampled"],
        "strategies": data["strategies"],
        "treatments": data["treatments"],
        "states": data["states"],
        "track": data["track"],
        "define": data["define"],
        "curves": data["curves"],
        "transitions": data["transitions"],
        "occupancy": data["occupancy"],
        "payoffs": data["payoffs"],
        "parameters": [
            row for name in model.used_parameters for row in parameter_rows(model, name)
        ],
        "timing_ledger": timing_ledger(model),
        "diagram": diagram(model),
        "notes": list(model.notes),
    }


def parameter_rows(model: ResolvedModel, name: str) -> list[dict[str, Any]]:
    """One row for each cell of a parameter; a long table is one row with its range."""
    parameter = model.parameters[name]
    common = {
        "name": name,
        "label": parameter.label,
        "unit": parameter.unit_text,
        "price_year": parameter.price_year,
        "index_factor": parameter.index,
        "source": str(parameter.source),
        "doi": parameter.source.doi,
        "status": parameter.status,
        "set_by": parameter.fixed_by,
    }
    if len(parameter.values) > MOST_CELLS:
        values = list(parameter.values.values())
        spread = f"{len(values)} cells, {min(values):.4g} to {max(values):.4g}"
        return [
            {
                **common,
                "cell": f"by {', '.join(parameter.by)}",
                "value": None,
                "values": spread,
                "uncertainty": uncertainty_words(parameter, next(iter(parameter.values))),
            }
        ]
    if not parameter.values:
        return [
            {
                **common,
                "cell": cell.cell,
                "value": None,
                "values": "a list",
                "uncertainty": cell.uncertainty,
            }
            for cell in cells(parameter)
        ]
    return [
        {
            **common,
            "cell": show_path(path),
            "value": value,
            "value_in_years": _in_years(model, parameter, path),
            "uncertainty": uncertainty_words(parameter, path),
        }
        for path, value in parameter.values.items()
    ]


def _in_years(model: ResolvedModel, parameter: Parameter, path: Path) -> float:
    if parameter.curve is None:
        return float(BaseCase(model.parameters).cell(parameter.name, path)[0])
    return parameter.values[path]


def diagram(model: ResolvedModel) -> str:
    """The states and moves as a Mermaid flow chart."""
    lines = ["flowchart LR"]
    lines.append(f"  {START}(({START}))")
    for name, state in model.states.items():
        box = f"{{{{{name}}}}}" if state.instant else f"[{name}]"
        lines.append(f"  {name}{box if not state.absorbing else f'[[{name}]]'}")
    arrows: dict[tuple[str, str, str], list[str]] = {}
    for row in model.transitions:
        step = "" if row.step == "same" else f"{row.step} line: "
        arrows.setdefault((row.source, row.target, step), []).append(row.name)
    for (source, target, step), names in arrows.items():
        lines.append(f"  {source} -->|{step}{', '.join(names)}| {target}")
    return "\n".join(lines)

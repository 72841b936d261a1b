"""Sensitivity analyses as plain data and as tables; the keys are told in docs/json.md."""

from __future__ import annotations

from math import nan
from typing import TYPE_CHECKING, Any

from qalyst.report.labels import currency, outcome_label, ratio_unit, sentence_case, strategy_label

if TYPE_CHECKING:
    import pandas as pd

    from qalyst.model.resolved import ResolvedModel
    from qalyst.sensitivity.one_way import OneWay
    from qalyst.sensitivity.standing import Reading, Standing

NO_ICER = {
    "dominant": "dominant",
    "dominated": "dominated",
    "equal": "equal cost and effect",
    "less costly, less effective": "less costly, less effective",
    "more costly, more effective": "",
}


def model_data(model: ResolvedModel, compared: Standing) -> dict[str, Any]:
    """What was analysed, and what is compared."""
    return {
        "model": model.name,
        "title": model.title,
        "sha256": model.sha256,
        "scenarios": list(model.scenarios),
        "wtp": compared.wtp,
        "strategy": compared.strategy,
        "comparator": compared.comparator,
    }


def reading_data(found: Reading) -> dict[str, Any]:
    """What a model gives at one point."""
    return {
        "discounted": found.discounted,
        "undiscounted": found.undiscounted,
        "nmb": found.nmb,
        "optimal": found.optimal,
        "incremental_cost": found.pair.incremental_cost,
        "incremental_effect": found.pair.incremental_effect,
        "incremental_nmb": found.inmb,
        "icer": found.pair.icer,
        "quadrant": found.pair.quadrant,
    }


def one_way_data(found: OneWay) -> dict[str, Any]:
    """A one-way analysis."""
    return {
        "outcome": found.outcome,
        "base": reading_data(found.base),
        "inputs": [
            {
                "input": bar.input,
                "label": bar.label,
                "unit": bar.unit,
                "range": bar.range,
                "base": bar.base,
                "low": bar.low,
                "high": bar.high,
                "swing": bar.swing,
                "changes_decision": bar.changes_decision,
                "at_low": reading_data(bar.at_low),
                "at_high": reading_data(bar.at_high),
            }
            for bar in found.bars
        ],
    }


def one_way_tables(found: OneWay) -> dict[str, pd.DataFrame]:
    """`tornado`, a row for each input; `outcomes`, a row for each end, strategy and outcome."""
    import pandas as pd

    rows, long = [], list(_totals({"input": "", "end": "base", "value": nan}, found.base))
    for bar in found.bars:
        row: dict[str, Any] = {
            "input": bar.input,
            "label": bar.label,
            "unit": bar.unit,
            "range": bar.range,
            "base": bar.base,
        }
        for end, value, at in (("low", bar.low, bar.at_low), ("high", bar.high, bar.at_high)):
            row |= {end: value} | {f"{key}_at_{end}": cell for key, cell in increments(at).items()}
            long += _totals({"input": bar.input, "end": end, "value": value}, at)
        row["swing"] = nan if bar.swing is None else bar.swing
        row["changes_decision"] = "yes" if bar.changes_decision else "no"
        rows.append(row)
    return {"tornado": pd.DataFrame(rows), "outcomes": pd.DataFrame(long)}


def increments(found: Reading) -> dict[str, Any]:
    """The cells of a table row: increments of the pair, and the best choice."""
    return {
        "incremental_cost": found.pair.incremental_cost,
        "incremental_effect": found.pair.incremental_effect,
        "incremental_nmb": found.inmb,
        "icer": nan if found.pair.icer is None else found.pair.icer,
        "quadrant": found.pair.quadrant,
        "optimal": found.optimal,
    }


def _totals(first: dict[str, Any], found: Reading) -> list[dict[str, Any]]:
    return [
        {
            **first,
            "strategy": strategy,
            "outcome": outcome,
            "discounted": value,
            "undiscounted": found.undiscounted[strategy][outcome],
        }
        for strategy, outcomes in found.discounted.items()
        for outcome, value in outcomes.items()
    ]


def measure_label(model: ResolvedModel, compared: Standing, measure: str) -> str:
    """What is told, with its unit: `Incremental net benefit (USD) at 50,000 USD per QALY`."""
    code = currency(model, compared.cost)
    unit = ratio_unit(model, compared.cost, compared.effect)
    match measure:
        case "nmb":
            return f"Incremental net benefit ({code}) at {compared.wtp:,.10g} {unit}"
        case "icer":
            return f"ICER ({unit})"
        case "cost":
            return f"Incremental {_lower(outcome_label(model, compared.cost))}"
        case "qaly":
            return f"Incremental {_lower(outcome_label(model, compared.effect))}"
    return f"Incremental {_lower(outcome_label(model, measure))}"


def pair_label(model: ResolvedModel, compared: Standing) -> str:
    """`Surgery first against drugs first`."""
    ours, theirs = (
        strategy_label(model, each) for each in (compared.strategy, compared.comparator)
    )
    return f"{ours} against {theirs}"


def choice_label(model: ResolvedModel, optimal: str) -> str:
    """An optimal strategy in print; equals are joined by " = "."""
    return " = ".join(strategy_label(model, name) for name in optimal.split(" = "))


def with_unit(label: str, unit: str) -> str:
    """A label with its unit in brackets; a pure number has none.

    >>> with_unit("New drug", "USD"), with_unit("Share", "1")
    ('New drug (USD)', 'Share')
    """
    return label if unit == "1" else f"{label} ({unit})"


def _lower(label: str) -> str:
    first = label.split()[0]
    return label if first == sentence_case("qalys") else label[:1].lower() + label[1:]

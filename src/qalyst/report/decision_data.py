"""The decision as plain data, for JSON."""

from __future__ import annotations

from math import isnan
from typing import TYPE_CHECKING, Any

from qalyst.axes import STRATEGY, Float
from qalyst.report.tables import statistics
from qalyst.report.words import decision_sentence

if TYPE_CHECKING:
    from qalyst.analysis import Decided
    from qalyst.decision.cea import IncrementalAnalysis


def decision_data(analysis: Decided) -> dict[str, Any]:
    """What draws say of a decision: see `docs/json.md`, `decide`."""
    assert analysis.psa is not None
    names = list(analysis.model.strategies)
    return {
        "draws": analysis.psa.draws,
        "strategies": {
            name: {
                outcome: spread_data(analysis.psa.total(outcome).sel({STRATEGY: name}).to_numpy())
                for outcome in analysis.model.outcomes
            }
            for name in names
        },
        "incremental": incremental_data(analysis.incremental),
        "icers": [
            {
                "strategy": each.strategy,
                "comparator": each.comparator,
                "icer": each.icer,
                "mcse": each.mcse,
                "interval": each.interval,
                "fieller": each.fieller,
                "reason": each.reason,
            }
            for each in analysis.icers
        ],
        "thresholds": thresholds_data(analysis),
        "sentence": decision_sentence(analysis),
    }


def spread_data(drawn: Float, replicates: int = 1) -> dict[str, float | None]:
    """Mean, Monte Carlo standard error and 95 % interval of draws [draw]; null with one draw."""
    found = statistics(drawn, replicates)
    keys = {"mean": "mean", "mcse": "mcse", "low": "lower", "high": "upper"}
    return {key: None if isnan(found[name]) else found[name] for key, name in keys.items()}


def incremental_data(table: IncrementalAnalysis | None) -> list[dict[str, Any]] | None:
    """The fully incremental table, one object a strategy."""
    if table is None:
        return None
    return [
        {
            "strategy": row.strategy,
            "cost": row.cost,
            "effect": row.effect,
            "compared_with": row.compared_with,
            "incremental_cost": row.incremental_cost,
            "incremental_effect": row.incremental_effect,
            "icer": row.icer,
            "status": row.status,
        }
        for row in table.rows
    ]


def thresholds_data(analysis: Decided) -> list[dict[str, Any]]:
    """What is optimal at each threshold, how probably, and the value of perfect information."""
    curves = analysis.at_thresholds
    if curves is None:
        return []
    return [
        {
            "wtp": float(wtp),
            "optimal": str(curves.optimal.sel(wtp=wtp).item()),
            "probability_optimal": float(curves.ceaf.sel(wtp=wtp)),
            "probability": {
                str(s): float(curves.ceac.sel(wtp=wtp, strategy=s)) for s in curves.strategy.values
            },
            "evpi": float(curves.evpi.sel(wtp=wtp)),
            "evpi_mcse": float(curves.evpi_mcse.sel(wtp=wtp)),
            "runner_up": firm.runner_up,
            "change_if_doubled": firm.change_if_doubled,
            "change_ever": firm.change_ever,
            "draws_needed": firm.draws_needed,
        }
        for wtp, firm in zip(curves.wtp.values, analysis.stability, strict=True)
    ]

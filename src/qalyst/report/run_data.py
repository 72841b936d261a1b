"""A run as plain data, for JSON."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from qalyst.report.convergence_words import equivalent_draws
from qalyst.report.decision_data import incremental_data, spread_data, thresholds_data
from qalyst.report.notes import notes
from qalyst.report.value_words import information_data
from qalyst.report.words import committee_sentence

if TYPE_CHECKING:
    from qalyst.analysis import Analysis


def run_data(
    analysis: Analysis, *, seed: int, draws: int | None, patients: int | None = None
) -> dict[str, Any]:
    """The results as the plain data that `docs/json.md` describes."""
    model, base, psa = analysis.model, analysis.base, analysis.psa
    strategies, outcomes = list(model.strategies), list(model.outcomes)
    found: dict[str, Any] = {
        "model": model.name,
        "title": model.title,
        "sha256": model.sha256,
        "scenarios": list(model.scenarios),
        "seed": seed,
        "draws": draws,
        "patients": patients,
        "sampling": _sampling(analysis),
        "until": None,
        "base_case": {
            s: {o: float(base.total(o).sel(strategy=s).item()) for o in outcomes}
            for s in strategies
        },
        "base_case_undiscounted": {
            s: {o: float(base.total(o, undiscounted=True).sel(strategy=s).item()) for o in outcomes}
            for s in strategies
        },
        "base_case_incremental": incremental_data(analysis.base_incremental),
        "probabilistic": None,
        "incremental": incremental_data(analysis.incremental),
        "thresholds": thresholds_data(analysis),
        "information": information_data(analysis.information),
        "variance": [vars(split) for split in analysis.variance],
        "sentence": committee_sentence(analysis),
        "notes": notes(analysis),
    }
    if psa is not None:
        found["probabilistic"] = {
            s: {
                o: spread_data(psa.total(o).sel(strategy=s).to_numpy(), analysis.replicates)
                for o in outcomes
            }
            for s in strategies
        }
    return found


def _sampling(analysis: Analysis) -> dict[str, Any] | None:
    """The design of the draws; None without draws."""
    if analysis.psa is None:
        return None
    design = analysis.design
    return {
        "design": "random" if design is None else design.kind,
        "replicates": None if design is None else design.replicates,
        "points": None if design is None else design.points,
        "dimensions": None if design is None else len(design.coordinates),
        "as_precise_as": []
        if design is None
        else [{"wtp": wtp, "draws": n} for wtp, n in equivalent_draws(analysis).items()],
    }

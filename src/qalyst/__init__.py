"""qalyst: which treatment strategy is best value, how sure are we, and why.

Models are plain files (`docs/language.md`); this package reads, checks and runs them.

Examples
--------
>>> import qalyst
>>> model = qalyst.load_model("hiv")
>>> base = qalyst.base_case(model)
>>> analysis = qalyst.analyse(model, base)
>>> round(analysis.base_incremental["combination"].icer)
6276
"""

from __future__ import annotations

import importlib
from importlib.metadata import PackageNotFoundError, version
from typing import Any

try:
    __version__ = version("qalyst")
except PackageNotFoundError:  # run from a checkout that is not installed
    __version__ = "0"

_PUBLIC = {
    "ModelError": "qalyst.errors",
    "load_model": "qalyst.model.resolve",
    "base_case": "qalyst.simulation",
    "simulate": "qalyst.simulation",
    "individuals_for": "qalyst.simulation",
    "compare_engines": "qalyst.agreement",
    "analyse": "qalyst.analysis",
    "decide": "qalyst.outside",
    "simulate_points": "qalyst.simulation",
    "write_report": "qalyst.report.write",
    "pairwise": "qalyst.decision.cea",
    "evppi": "qalyst.decision.evppi",
    "evsi": "qalyst.decision.evsi",
    "enbs": "qalyst.decision.enbs",
    "enough_draws": "qalyst.decision.convergence",
    "stratified_decisions": "qalyst.decision.stratified",
    "incremental_net_benefit": "qalyst.decision.net_benefit",
    "net_health_benefit": "qalyst.decision.net_benefit",
    "switch_thresholds": "qalyst.decision.uncertainty",
}

__all__ = ["__version__", *_PUBLIC]


def __getattr__(name: str) -> Any:
    """Import what is asked for, when it is asked for: `qalyst --help` needs none of it."""
    if name not in _PUBLIC:
        raise AttributeError(f"module 'qalyst' has no attribute '{name}'")
    return getattr(importlib.import_module(_PUBLIC[name]), name)

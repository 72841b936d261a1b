"""The golden cases, put to any engine that runs a resolved model.

`golden_checks(run)` yields what each case expects beside what the engine gives. Nothing runs
before `Check.got` is called, and each model runs once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import golden_cohorts as cohorts
import golden_time as time
from golden_checks import Check, Result, Runs

from qalyst.model.resolved import ResolvedModel


def golden_checks(run: Callable[[ResolvedModel], Result]) -> Iterator[Check]:
    """Every check of every case that is about cohorts, trees and partitioned survival."""
    runs = Runs(run)
    for case in (
        cohorts.sick_sicker,
        cohorts.semi_markov,
        cohorts.hiv,
        cohorts.hiv_lifetime,
        cohorts.hiv_one_way,
        cohorts.thr,
        cohorts.heart_valve,
        cohorts.tree,
        time.illness_death,
        time.by_period,
        time.partitioned,
        time.closed_forms,
        time.conversions,
        time.life_table,
        time.survival_chain,
        time.krijkamp,
        time.calibration,
    ):
        yield from case(runs)

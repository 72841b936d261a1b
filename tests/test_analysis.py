"""Thresholds over which the curves of a decision are drawn."""

from __future__ import annotations

import numpy as np
import pytest

from qalyst.analysis import curve_grid, top_of_curve
from qalyst.decision.cea import incremental_analysis
from qalyst.decision.net_benefit import LARGEST_WTP


def two_strategies(cost: float, effect: float):
    return incremental_analysis({"old": 0.0, "new": cost}, {"old": 0.0, "new": effect})


@pytest.mark.parametrize("thresholds", [[], [0.0]])
def test_curves_without_a_threshold_above_zero_end_at_twice_the_last_icer(thresholds):
    assert top_of_curve(two_strategies(1000.0, 0.02), thresholds) == 100_000
    assert 0 in curve_grid(two_strategies(1000.0, 0.02), thresholds)


@pytest.mark.parametrize(("effect", "thresholds"), [(1e-13, []), (0.02, [LARGEST_WTP])])
def test_curves_never_pass_the_largest_willingness_to_pay(effect, thresholds):
    assert top_of_curve(two_strategies(1000.0, effect), thresholds) == LARGEST_WTP


def test_the_value_of_information_of_patients_is_that_of_the_cohort():
    """A few patients a draw choose by luck: the plain EVPI is six times that of the cohort."""
    from qalyst import analyse, base_case, individuals_for, load_model, simulate

    model = load_model("sick_sicker")
    base = base_case(model)
    cohort = analyse(model, base, simulate(model, draws=1000, seed=1), seed=1).at_thresholds
    engine = individuals_for(model, patients=20, seed=1)
    patients = simulate(model, draws=1000, seed=1, engine=engine)
    plain = analyse(model, base, patients).at_thresholds
    without_luck = analyse(model, base, patients, seed=1).at_thresholds
    apart = abs(without_luck.evpi - cohort.evpi)
    assert (apart < 3 * np.hypot(without_luck.evpi_mcse, cohort.evpi_mcse)).all()
    assert (plain.evpi > 2 * without_luck.evpi).all()

from math import exp

import numpy as np
import pytest

from qalyst.io.yaml import Mark
from qalyst.model.evaluate import Evaluator
from qalyst.model.residual import Residuals

CYCLE = 0.5
MARK = Mark("curves.yaml", 1)


def rising_hazard(make):
    """A curve by hazard h(t) = t / 10, held in each cycle at its start."""
    hazard = make.apply("/", make.time, make.constant(10.0))
    return make.node("hazard_curve", hazard, "rising", str(MARK))


def log_survival(time):
    """Cumulated by hand: cycle by cycle, log-linear within."""
    cycles = int(time / CYCLE + 1e-9)
    whole = sum(CYCLE * k * CYCLE / 10 for k in range(cycles))
    return -(whole + (time - cycles * CYCLE) * cycles * CYCLE / 10)


@pytest.mark.parametrize("share", [1.0, 0.5])
def test_a_curve_by_hazard_is_read_by_calendar_and_time_in_state_at_once(share):
    make = Residuals()
    time = make.minus(make.years, make.times(make.constant(share), make.residence))
    node = make.node("survival", rising_hazard(make), time, axes=time.axes)
    found = Evaluator({}, None, CYCLE, 6)(node, bins=4)
    assert found.shape == (7, 4, 1)
    for cycle in range(7):
        for bin_ in range(4):
            years = max(cycle * CYCLE - share * bin_ * CYCLE, 0.0)
            assert found[cycle, bin_, 0] == pytest.approx(exp(log_survival(years)), rel=1e-12)


def test_its_hazard_too_is_the_mean_of_the_cycle_that_begins_then():
    make = Residuals()
    time = make.minus(make.years, make.residence)
    node = make.node("hazard", rising_hazard(make), time, axes=time.axes)
    found = Evaluator({}, None, CYCLE, 6)(node, bins=3)
    expected = (log_survival(2.0) - log_survival(2.5)) / CYCLE
    np.testing.assert_allclose(found[5, 1], expected, rtol=1e-12)
    assert expected == pytest.approx(0.2)

import pytest

import qalyst


@pytest.mark.parametrize("name", qalyst.__all__)
def test_what_is_listed_is_there(name):
    assert getattr(qalyst, name)


def test_a_decision_is_analysed_without_a_model():
    """Net benefit by hand: at 2000 per QALY b is worth 2000 * 1.5 - 900, a 2000 * 1 - 100."""
    costs, qalys = {"a": 100.0, "b": 900.0}, {"a": 1.0, "b": 1.5}
    gain = qalyst.incremental_net_benefit(costs, qalys, 2_000, comparator="a")
    assert gain.sel(strategy="b").item() == pytest.approx(2_100 - 1_900)
    health = qalyst.net_health_benefit(costs, qalys, 2_000)
    assert health.sel(strategy="b").item() == pytest.approx(1.5 - 900 / 2_000)
    (pair,) = qalyst.pairwise(costs, qalys, comparator="a")
    assert pair.icer == pytest.approx((900 - 100) / (1.5 - 1))

import numpy as np
import pytest
import xarray as xr
from decision_cases import assert_quantity, case, vaccine

from qalyst.decision.net_benefit import (
    incremental_net_benefit,
    net_health_benefit,
    net_monetary_benefit,
    thresholds,
)
from qalyst.errors import ModelError

COSTS, EFFECTS = {"old": [100.0, 300.0], "new": [900.0, 700.0]}, {"old": [1, 1], "new": [1.5, 2]}


def test_net_monetary_benefit_is_worth_of_effects_less_costs():
    nmb = net_monetary_benefit(COSTS, EFFECTS, [0, 1000])
    assert nmb.sel(wtp=1000).values.tolist() == [[900, 600], [700, 1300]]


def test_net_monetary_benefit_has_the_axes_threshold_draw_strategy():
    assert net_monetary_benefit(COSTS, EFFECTS, [0, 1000]).dims == ("wtp", "draw", "strategy")


def test_net_monetary_benefit_of_means_has_no_draws():
    assert net_monetary_benefit({"a": 1.0}, {"a": 1.0}, 10).dims == ("wtp", "strategy")


def test_plain_arrays_are_read_in_the_fixed_order_of_axes():
    costs, effects = np.array([[0.0, 10.0], [0.0, 20.0]]), np.ones((2, 2))
    nmb = net_monetary_benefit(costs, effects, 50, strategies=["a", "b"])
    assert nmb.sel(wtp=50, strategy="b").values.tolist() == [40, 30]


def test_health_benefit_is_monetary_benefit_over_the_threshold():
    wtp = [1000, 3000]
    nmb, nhb = net_monetary_benefit(COSTS, EFFECTS, wtp), net_health_benefit(COSTS, EFFECTS, wtp)
    xr.testing.assert_allclose(nhb * nhb.wtp, nmb, rtol=1e-12)


def test_health_benefit_without_a_willingness_to_pay_is_refused():
    with pytest.raises(ModelError, match="divides by a willingness to pay of 0"):
        net_health_benefit(COSTS, EFFECTS, [0, 1000])


def test_incremental_benefit_is_the_difference_within_a_draw():
    found = incremental_net_benefit(COSTS, EFFECTS, 1000, comparator="old")
    assert found.sel(wtp=1000).values.tolist() == [[0, -300], [0, 600]]


@pytest.mark.parametrize("wtp", [-1, float("nan"), float("inf"), 1e308, [1, -2], [5, 5], [], "x"])
def test_threshold_that_is_no_sensible_amount_is_refused(wtp):
    with pytest.raises(ModelError, match="give distinct amounts per unit of effect"):
        thresholds(wtp)


def test_draws_that_differ_between_costs_and_effects_are_refused():
    def table(draw):
        return xr.DataArray(np.ones((2, 1)), coords={"draw": draw, "strategy": ["a"]})

    with pytest.raises(ModelError, match="the draws of costs and effects differ"):
        net_monetary_benefit(table([0, 1]), table([1, 2]), 10)


def test_different_numbers_of_draws_are_refused():
    with pytest.raises(ModelError, match="take both from the same run"):
        net_monetary_benefit({"a": [1, 2]}, {"a": [1, 2, 3]}, 10)


def test_ragged_draws_are_refused():
    with pytest.raises(ModelError, match="give each strategy the same draws"):
        net_monetary_benefit({"a": [1, 2], "b": [1]}, {"a": [1, 2], "b": [1]}, 10)


def test_value_that_is_not_finite_is_named_by_strategy_and_draw():
    with pytest.raises(ModelError, match="costs, strategy 'b', draw 1"):
        net_monetary_benefit({"a": [1, 2], "b": [1, np.nan]}, {"a": [1, 2], "b": [1, 1]}, 10)


def test_labelled_array_without_names_is_refused():
    values = xr.DataArray([1.0, 2.0], dims="strategy")
    with pytest.raises(ModelError, match="have no names"):
        net_monetary_benefit(values, values, 10)


def test_expected_net_benefit_of_the_vaccine_is_as_published():
    expected = case("psa_bcea_vaccine")["expected"]["k25000"]["expected_net_benefit"]
    found = net_monetary_benefit(*vaccine(), 25_000).mean("draw").squeeze("wtp")
    for strategy, quantity in expected.items():
        assert_quantity(found.sel(strategy=strategy), quantity)


def test_expected_incremental_benefit_of_the_vaccine_is_as_published():
    expected = case("psa_bcea_vaccine")["expected"]["k25000"]["expected_incremental_benefit"]
    found = incremental_net_benefit(*vaccine(), 25_000, comparator="status_quo").mean("draw")
    assert_quantity(found.sel(strategy="vaccination").item(), expected)


def test_first_draws_of_the_vaccine_are_as_published():
    expected = case("psa_bcea_vaccine")["expected"]["first_rows_k25000"]
    nmb = net_monetary_benefit(*vaccine(), 25_000).squeeze("wtp", drop=True)
    gain = incremental_net_benefit(*vaccine(), 25_000, comparator="status_quo").squeeze("wtp")
    best, means = nmb.max("strategy"), nmb.mean("draw")
    chosen = nmb.sel(strategy=means.idxmax("strategy"))
    columns = [
        nmb.sel(strategy="status_quo"),
        nmb.sel(strategy="vaccination"),
        best,
        gain.sel(strategy="vaccination"),
        best - chosen,
        best - means.max("strategy"),
    ]
    found = np.stack([column.isel(draw=slice(3)).values for column in columns]).T
    np.testing.assert_allclose(found, expected["value"], rtol=0, atol=expected["abs_tol"])

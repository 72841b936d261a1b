import tracemalloc

import numpy as np
import pytest
from decision_cases import N, against_nothing, assert_quantity, bivariate_normal, case, hiv, vaccine
from scipy.special import ndtri

from qalyst.decision.cea import Switch
from qalyst.decision.uncertainty import (
    ceac,
    ceaf,
    decision_curves,
    evpi,
    expected_loss,
    switch_thresholds,
)
from qalyst.errors import ModelError


def normal_benefit(mean, sd):
    """Costs and effects whose net benefit is normal at any threshold, on a grid of quantiles."""
    benefit = mean + sd * ndtri((np.arange(N) + 0.5) / N)
    return against_nothing(-benefit, np.zeros(N))


def linear_normal(seed=12):
    """Costs and effects of the case `voi_linear_normal`."""
    p1, p2 = np.random.default_rng(seed).standard_normal((2, N)) * [[1], [2]] + [[1], [0]]
    return against_nothing(p2, p1)


def assert_within_monte_carlo_error(found, error, expected):
    z = (np.asarray(found) - np.asarray(expected)) / np.asarray(error)
    assert np.all(np.abs(z) < 4), z


def test_published_acceptability_of_the_vaccine():
    expected = case("psa_bcea_vaccine")["expected"]["k25000"]["ceac_vaccination"]
    assert_quantity(ceac(*vaccine(), 25_000).sel(strategy="vaccination").item(), expected)


def test_published_evpi_of_the_vaccine():
    expected = case("psa_bcea_vaccine")["expected"]["k25000"]["evpi"]
    assert_quantity(evpi(*vaccine(), 25_000).item(), expected)


def test_published_optimal_strategy_of_the_vaccine():
    expected = case("psa_bcea_vaccine")["expected"]["k25000"]["optimal"]
    assert ceaf(*vaccine(), 25_000).optimal.item() == expected


def test_published_break_even_of_the_vaccine():
    expected = case("psa_bcea_vaccine")["expected"]["break_even_k_on_grid_step_100"]
    curves = decision_curves(*vaccine(), range(0, 50_001, 100))
    (switch,) = switch_thresholds(curves.expected_nmb)
    assert switch == Switch(expected["value"], "status_quo", "vaccination")


@pytest.mark.parametrize("curve", ["ceac_vaccination", "ceaf", "evpi"])
def test_curves_of_the_vaccine(curve):
    golden = case("psa_bcea_vaccine")["expected"]["derived_grid"]
    curves = decision_curves(*vaccine(), golden["k"])
    curves["ceac_vaccination"] = curves.ceac.sel(strategy="vaccination", drop=True)
    np.testing.assert_allclose(curves[curve], golden[curve], rtol=golden["rel_tol"])


@pytest.mark.parametrize("curve", ["ceac_comb", "evpi"])
def test_curves_of_the_hiv_model(curve):
    golden = case("psa_briggs_ex47_draws")["expected"]
    curves = decision_curves(*hiv(), golden["k"])
    curves["ceac_comb"] = curves.ceac.sel(strategy="comb", drop=True)
    np.testing.assert_allclose(curves[curve], golden[curve], rtol=golden["rel_tol"])


def test_acceptability_of_normal_increments_is_the_closed_form():
    golden = case("ceac_bivariate_normal")
    expected = golden["expected"]["ceac"]
    costs, effects = bivariate_normal(golden["model"])
    curves = decision_curves(costs, effects, list(map(float, expected)))
    found = curves.sel(strategy="new")
    assert_within_monte_carlo_error(found.ceac, found.ceac_mcse, list(expected.values()))


def test_evpi_of_normal_increments_is_the_closed_form():
    golden = case("ceac_bivariate_normal")
    expected = golden["expected"]["evpi"]
    costs, effects = bivariate_normal(golden["model"])
    found = decision_curves(costs, effects, list(map(float, expected)))
    assert_within_monte_carlo_error(found.evpi, found.evpi_mcse, list(expected.values()))


@pytest.mark.parametrize("wtp", ["10000", "15000", "20000", "30000"])
def test_curves_of_normal_benefit_on_a_grid_of_quantiles_are_the_closed_form(wtp):
    golden = case("ceac_bivariate_normal")
    model, k = golden["model"], float(wtp)
    sd_effect, sd_cost = k * model["sd_delta_effect"], model["sd_delta_cost"]
    sd = np.sqrt(sd_effect**2 + sd_cost**2 - 2 * model["correlation"] * sd_effect * sd_cost)
    mean = k * model["mean_delta_effect"] - model["mean_delta_cost"]
    found = decision_curves(*normal_benefit(mean, sd), 0)
    # a grid of N quantiles: half a step in probability; the tails cut from the loss are below 1e-5
    np.testing.assert_allclose(
        found.ceac.sel(strategy="new").item(), golden["expected"]["ceac"][wtp], atol=0.51 / N
    )
    np.testing.assert_allclose(found.evpi.item(), golden["expected"]["evpi"][wtp], rtol=1e-4)


def test_evpi_of_the_linear_normal_decision_is_the_closed_form():
    expected = case("voi_linear_normal")["expected"]["evpi"]
    found = decision_curves(*linear_normal(), list(map(float, expected)))
    assert_within_monte_carlo_error(
        found.evpi, found.evpi_mcse, [one["value"] for one in expected.values()]
    )


def test_evpi_of_the_linear_normal_decision_on_a_grid_of_quantiles_is_the_published_one():
    golden = case("voi_linear_normal")["expected"]
    for k, expected in golden["evpi"].items():
        mean, sd = float(k), np.hypot(float(k), 2)
        found = evpi(*normal_benefit(mean, sd), 0).item()
        np.testing.assert_allclose(found, expected["value"], rtol=1e-4)


def test_acceptability_of_the_linear_normal_decision_is_the_closed_form():
    expected = case("voi_linear_normal")["expected"]["ceac_treatment2"]
    curves = decision_curves(*linear_normal(), list(map(float, expected)))
    found = curves.sel(strategy="new")
    assert_within_monte_carlo_error(
        found.ceac, found.ceac_mcse, [one["value"] for one in expected.values()]
    )


def test_acceptability_of_the_linear_normal_decision_on_a_grid_of_quantiles():
    for k, expected in case("voi_linear_normal")["expected"]["ceac_treatment2"].items():
        found = ceac(*normal_benefit(float(k), np.hypot(float(k), 2)), 0)
        np.testing.assert_allclose(
            found.sel(strategy="new").item(), expected["value"], atol=0.51 / N
        )


def test_standard_error_of_evpi_is_the_spread_of_repeated_evpi():
    # 100 repeats: the spread itself is known to 7 %, so 28 % is 4 standard errors
    def repeated(seed):
        rng = np.random.default_rng(seed)
        return decision_curves(*against_nothing(rng.normal(0.5, 1, 400), np.zeros(400)), 0)

    runs = [repeated(seed) for seed in range(100)]
    spread = np.std([run.evpi.item() for run in runs], ddof=1)
    claimed = np.mean([run.evpi_mcse.item() for run in runs])
    np.testing.assert_allclose(claimed, spread, rtol=0.28)


def test_standard_error_of_acceptability_is_binomial():
    curves = decision_curves(*against_nothing(np.r_[np.ones(25), -np.ones(75)], np.zeros(100)), 0)
    np.testing.assert_allclose(curves.ceac_mcse.sel(strategy="new"), np.sqrt(0.25 * 0.75 / 100))


def test_draw_in_which_strategies_are_equal_is_shared_among_them():
    same = [1.0, 2.0]
    found = ceac({"a": same, "b": same, "c": [9, 9]}, {"a": same, "b": same, "c": [0, 0]}, 10)
    assert found.values.tolist() == [[0.5, 0.5, 0.0]]


def test_frontier_follows_the_mean_and_not_the_majority():
    # a is best in two draws of three, b on average: skewed benefit
    costs = {"a": [0, 0, 9], "b": [1, 1, 1]}
    effects = {"a": [0, 0, 0], "b": [0, 0, 0]}
    found = ceaf(costs, effects, 100)
    assert found.optimal.item() == "b"
    np.testing.assert_allclose(found.ceaf.item(), 1 / 3, rtol=1e-12)


def test_perfect_information_is_worthless_when_one_strategy_always_wins():
    costs, effects = np.array([[0.0, 10.0], [0.0, 20.0]]), np.ones((2, 2))
    assert evpi(costs, effects, 50_000, strategies=["old", "new"]).item() == 0


def test_one_strategy_is_certainly_best_and_information_worthless():
    found = decision_curves({"only": [1.0, 2.0]}, {"only": [1.0, 1.5]}, [0, 100])
    assert found.ceac.values.tolist() == [[1], [1]]
    assert found.evpi.values.tolist() == [0, 0]
    assert found.evpi_mcse.values.tolist() == [0, 0]


def test_evpi_is_the_smallest_expected_loss():
    loss = expected_loss(*hiv(), [2000, 6276])
    assert loss.min("strategy").values.tolist() == evpi(*hiv(), [2000, 6276]).values.tolist()


def test_most_probably_best_strategy_switches_where_the_curve_crosses():
    curve = ceac(*hiv(), range(0, 10_001, 500))
    assert switch_thresholds(curve) == (Switch(6500.0, "mono", "comb"),)


def test_strategy_stays_the_leader_while_it_is_equal():
    curve = ceac({"a": [0, 0], "b": [5, 15]}, {"a": [0, 0], "b": [1, 1]}, [0, 10, 20])
    assert switch_thresholds(curve) == (Switch(20.0, "a", "b"),)


def test_thresholds_keep_the_order_in_which_they_are_given():
    assert evpi(*hiv(), [8000, 2000]).wtp.values.tolist() == [8000, 2000]


def test_results_have_named_axes():
    curves = decision_curves(*hiv(), [0, 1])
    assert curves.ceac.dims == curves.expected_loss.dims == ("wtp", "strategy")
    assert curves.evpi.dims == curves.optimal.dims == ("wtp",)


def test_one_draw_is_refused():
    with pytest.raises(ModelError, match="1 draw shows no uncertainty"):
        evpi({"a": [1.0]}, {"a": [1.0]}, 0)


def test_means_are_refused_where_draws_are_wanted():
    with pytest.raises(ModelError, match=r"give \[draw, strategy\]"):
        evpi({"a": 1.0}, {"a": 1.0}, 0)


def test_all_thresholds_never_stand_in_memory_at_once():
    rng = np.random.default_rng(5)
    costs, effects = rng.random((2, 20_000, 12))
    tracemalloc.start()
    decision_curves(costs, effects, np.linspace(0, 2, 101), strategies=list("abcdefghijkl"))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    whole = 101 * costs.nbytes
    assert peak < whole / 3

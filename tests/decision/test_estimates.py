import numpy as np
import pytest
from decision_cases import against_nothing, assert_quantity, bivariate_normal, case, hiv, vaccine

from qalyst.decision.cea import pairwise
from qalyst.decision.estimates import fieller_interval, icer_estimate, summary
from qalyst.errors import ModelError

NORMAL = case("ceac_bivariate_normal")


def normal_draws(n, seed, spread=0.1):
    """Increments [draw] of a cost of 1000 and an effect of 0.5, correlated."""
    z = np.random.default_rng(seed).standard_normal((2, n))
    return 1000 * (1 + spread * z[0]), 0.5 * (1 + spread * (0.6 * z[0] + 0.8 * z[1]))


def against(cost, effect, **options):
    costs, effects = against_nothing(cost, effect)
    return icer_estimate(costs, effects, strategy="new", comparator="old", **options)


def test_published_icer_of_the_vaccine():
    found = icer_estimate(*vaccine(), strategy="vaccination", comparator="status_quo")
    assert_quantity(found.icer, case("psa_bcea_vaccine")["expected"]["icer"])


def test_published_mean_increments_of_the_vaccine():
    expected = case("psa_bcea_vaccine")["expected"]
    found = summary(*vaccine(), 25_000, comparator="status_quo")
    found = found.sel(strategy="vaccination", statistic="mean")
    assert_quantity(found.incremental_cost.item(), expected["delta_cost_mean"])
    assert_quantity(found.incremental_effect.item(), expected["delta_effect_mean"])


def test_published_means_of_the_vaccine():
    found = summary(*vaccine(), 25_000, comparator="status_quo").sel(statistic="mean")
    for name, quantity in case("psa_bcea_vaccine")["expected"]["means"].items():
        axis, strategy = name.split("_", 1)
        table = {"cost": found.cost, "eff": found.effect}[axis]
        assert_quantity(table.sel(strategy=strategy).item(), quantity)


def test_means_and_icer_of_the_hiv_model():
    expected = case("psa_briggs_ex47_draws")["expected"]
    means = summary(*hiv(), 0, comparator="mono").sel(statistic="mean")
    for name, value in expected["mean"].items():
        strategy, axis = name.split("_")
        table = {"cost": means.cost, "ly": means.effect}[axis]
        np.testing.assert_allclose(table.sel(strategy=strategy), value, rtol=expected["rel_tol"])
    found = icer_estimate(*hiv(), strategy="comb", comparator="mono")
    np.testing.assert_allclose(found.icer, expected["icer_of_means"], rtol=expected["rel_tol"])


def test_icer_of_the_normal_case():
    model = NORMAL["model"]
    costs = {"old": 0.0, "new": model["mean_delta_cost"]}
    (found,) = pairwise(costs, {"old": 0.0, "new": model["mean_delta_effect"]}, comparator="old")
    assert_quantity(found.icer, NORMAL["expected"]["icer"])


def test_fieller_interval_of_the_normal_case():
    model = NORMAL["model"]
    found = fieller_interval(
        model["mean_delta_cost"],
        model["mean_delta_effect"],
        sd_cost=model["sd_delta_cost"],
        sd_effect=model["sd_delta_effect"],
        covariance=model["correlation"] * model["sd_delta_cost"] * model["sd_delta_effect"],
    )
    expected = NORMAL["expected"]
    np.testing.assert_allclose(found, expected["fieller_95"], rtol=expected["rel_tol"])


def test_share_of_the_quadrant_of_the_normal_case():
    costs, effects = bivariate_normal(NORMAL["model"])
    found = icer_estimate(costs, effects, strategy="new", comparator="old")
    expected = NORMAL["expected"]["prob_quadrant"]
    share = found.shares["more costly, more effective"]
    np.testing.assert_allclose(share, expected["NE"], rtol=0, atol=expected["abs_tol"])


def test_icer_of_draws_in_several_quadrants_has_no_interval_and_says_why():
    costs, effects = bivariate_normal(NORMAL["model"])
    found = icer_estimate(costs, effects, strategy="new", comparator="old")
    assert found.interval is None
    assert "ratios of different quadrants cannot be ordered" in found.reason
    assert "dominated" in found.reason


def test_standard_error_of_the_icer_is_the_spread_of_repeated_icers():
    # 300 repeats: the spread itself is known to 4 %, so 16 % is 4 standard errors
    runs = [against(*normal_draws(200, seed)) for seed in range(300)]
    spread = np.std([run.icer for run in runs], ddof=1)
    np.testing.assert_allclose(np.mean([run.mcse for run in runs]), spread, rtol=0.16)


def test_interval_of_the_icer_holds_the_stated_share_of_the_draws():
    cost, effect = normal_draws(2000, 3)
    lower, upper = against(cost, effect, level=0.8).interval
    np.testing.assert_allclose(np.mean((cost / effect > lower) & (cost / effect < upper)), 0.8)


def test_fieller_and_percentile_intervals_agree_on_normal_increments():
    found = against(*normal_draws(100_000, 4))
    np.testing.assert_allclose(found.fieller, found.interval, rtol=0.01)


def test_ratio_of_losses_is_savings_per_unit_lost():
    cost, effect = normal_draws(100, 5)
    found = against(-cost, -effect)
    assert (found.quadrant, found.reason) == (
        "less costly, less effective",
        "savings per unit of effect lost",
    )
    assert found.interval == against(cost, effect).interval


def test_dominant_strategy_has_no_icer_and_says_why():
    cost, effect = normal_draws(100, 6)
    found = against(-cost, effect)
    assert (found.quadrant, found.icer, found.mcse) == ("dominant", None, None)
    assert found.reason.startswith("no ICER")


def test_fieller_interval_of_an_uncertain_effect_has_no_bounds():
    found = fieller_interval(1000, 0.1, sd_cost=10, sd_effect=0.1, covariance=0)
    assert found is None


def test_standard_error_of_a_mean_shrinks_with_the_draws_and_the_interval_does_not():
    few, many = (
        summary(*against_nothing(*normal_draws(n, 7)), 1000, comparator="old").sel(strategy="new")
        for n in (1_000, 100_000)
    )
    ratio = few.inmb.sel(statistic="mcse") / many.inmb.sel(statistic="mcse")
    np.testing.assert_allclose(ratio, 10, rtol=0.1)
    np.testing.assert_allclose(
        few.cost.sel(statistic="upper"), many.cost.sel(statistic="upper"), rtol=0.05
    )


def test_standard_error_of_a_mean_is_the_spread_over_the_root_of_the_draws():
    found = summary({"a": [1, 2, 3, 6]}, {"a": [1, 1, 1, 1]}, 0, comparator="a")
    np.testing.assert_allclose(
        found.cost.sel(strategy="a", statistic="mcse"), np.sqrt(14 / 3 / 4), rtol=1e-12
    )


def test_credible_interval_is_between_quantiles_of_the_draws():
    values = np.arange(101.0)
    found = summary({"a": values}, {"a": values}, 0, comparator="a", level=0.9)
    bounds = found.cost.sel(strategy="a", statistic=["lower", "upper"])
    np.testing.assert_allclose(bounds, [5, 95], rtol=1e-12)


def test_incremental_results_use_pairs_of_the_same_draw():
    # the strategies vary together: their difference is certain
    noise = np.random.default_rng(8).normal(size=50)
    costs, effects = {"a": noise, "b": noise + 10}, {"a": noise, "b": noise}
    found = summary(costs, effects, [100], comparator="a").sel(strategy="b")
    np.testing.assert_allclose(found.incremental_cost.sel(statistic="mcse"), 0, atol=1e-15)
    np.testing.assert_allclose(found.inmb.sel(statistic="mean"), -10)


def test_summary_has_named_axes():
    found = summary(*hiv(), [0, 1], comparator="mono")
    assert found.nmb.dims == ("wtp", "strategy", "statistic")
    assert found.cost.dims == ("strategy", "statistic")
    assert found.statistic.values.tolist() == ["mean", "mcse", "lower", "upper"]


def test_level_that_is_no_probability_is_refused():
    with pytest.raises(ModelError, match="give a probability"):
        summary(*hiv(), 0, comparator="mono", level=95)


def test_unknown_strategy_is_refused_with_the_nearest_name():
    with pytest.raises(ModelError, match="did you mean 'comb'"):
        icer_estimate(*hiv(), strategy="comp", comparator="mono")

"""Intervals of a ratio of means: the bootstrap against Fieller, and where there are none."""

from __future__ import annotations

import numpy as np
import pytest
from decision_cases import against_nothing
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import norm

from qalyst.decision.by_effect import incremental_by_effect, net_benefits
from qalyst.decision.estimates import fieller_interval
from qalyst.decision.ratio_intervals import EVERYTHING, INSIDE, OUTSIDE, fieller_set, icer_bootstrap
from qalyst.errors import ModelError

Z = norm.ppf(0.975)


def normal_increments(n=500, seed=1, mean_effect=0.4):
    z = np.random.default_rng(seed).standard_normal((2, n))
    effect = mean_effect + 0.5 * z[0]
    return against_nothing(9_000 + 4_000 * (0.3 * z[0] + np.sqrt(1 - 0.09) * z[1]), effect)


def test_the_bootstrap_agrees_with_fieller_on_normal_increments():
    costs, effects = normal_increments()
    found = icer_bootstrap(costs, effects, strategy="new", comparator="old", resamples=4_000)
    spread = np.cov(costs["new"], effects["new"]) / 500  # of the means
    exact = fieller_interval(
        costs["new"].mean(), effects["new"].mean(), sd_cost=np.sqrt(spread[0, 0]),
        sd_effect=np.sqrt(spread[1, 1]), covariance=spread[0, 1],
    )  # fmt: skip
    # an end of a percentile interval of 4,000 resamples has an error of 4 % of the half-width
    assert found.interval == pytest.approx(exact, abs=0.15 * (exact[1] - exact[0]) / 2)
    assert found.interval[0] < found.icer < found.interval[1]


def test_the_same_seed_gives_the_same_interval_and_another_another():
    costs, effects = normal_increments(n=200)

    def interval(seed):
        return icer_bootstrap(
            costs, effects, strategy="new", comparator="old", seed=seed, resamples=500
        ).interval

    assert interval(3) == interval(3) != interval(4)


def test_an_effect_of_uncertain_sign_has_no_bootstrap_interval():
    costs, effects = normal_increments(n=50, mean_effect=0.02)
    found = icer_bootstrap(costs, effects, strategy="new", comparator="old")
    assert found.interval is None
    assert "the increment of effect is not above 0 in" in found.reason


def test_a_dominant_strategy_has_no_ratio():
    found = icer_bootstrap(
        {"old": [9, 8], "new": [1, 2]}, {"old": [1, 1], "new": [2, 3]},
        strategy="new", comparator="old",
    )  # fmt: skip
    assert found.icer is None
    assert found.interval is None
    assert "dominant" in found.reason or "costs no more" in found.reason


@given(
    st.floats(-5, 5), st.floats(-5, 5), st.floats(0.05, 4), st.floats(0.05, 4), st.floats(-0.9, 0.9)
)
@settings(max_examples=50, deadline=None)
def test_the_set_of_fieller_holds_the_ratios_that_are_compatible(cost, effect, sc, se, r):
    covariance = r * sc * se
    found = fieller_set(cost, effect, sd_cost=sc, sd_effect=se, covariance=covariance)
    ratios = np.tan(np.linspace(-1.57, 1.57, 301))
    sd = np.sqrt(sc**2 - 2 * ratios * covariance + ratios**2 * se**2)
    distance = abs(cost - ratios * effect) / sd - Z  # below 0: compatible
    sure = abs(distance) > 1e-6
    if found.kind == INSIDE:
        holds = (ratios >= found.lower) & (ratios <= found.upper)
    elif found.kind == OUTSIDE:
        holds = (ratios <= found.lower) | (ratios >= found.upper)
    else:
        assert found.kind == EVERYTHING
        holds = np.ones(ratios.size, bool)
    assert (holds == (distance <= 0))[sure].all()


def test_unbounded_sets_are_told_in_words():
    wide = fieller_set(8, 2, sd_cost=1, sd_effect=2, covariance=0)
    assert wide.words.startswith("no bounds: the increment of effect does not differ from 0")
    assert "only those between are ruled out" in wide.words
    all_of_it = fieller_set(1, 1, sd_cost=5, sd_effect=5, covariance=0)
    assert all_of_it.lower is None
    assert "no ratio is ruled out" in all_of_it.words


def test_each_effect_has_its_own_frontier():
    costs = {"old": [0, 0], "new": [900, 1_100], "other": [500, 500]}
    effects = {
        "qalys": {"old": [1, 1], "new": [1.4, 1.6], "other": [0.9, 0.9]},
        "life_years": {"old": [3, 3], "new": [2, 2], "other": [4, 4]},
    }
    by_qalys, by_years = incremental_by_effect(costs, effects)
    assert by_qalys.table.frontier == ("old", "new")
    assert by_qalys.icers[0].icer == pytest.approx(2_000)
    assert by_years.table.frontier == ("old", "other")
    assert by_years.icers[0].icer == pytest.approx(500)
    assert len(by_qalys.bootstraps) == len(by_qalys.fieller) == 1


@given(st.floats(1, 1e6), st.integers(0, 1_000))
@settings(max_examples=12, deadline=None)
def test_net_health_benefit_is_net_monetary_benefit_over_the_threshold(wtp, seed):
    rng = np.random.default_rng(seed)
    costs, effects = rng.gamma(4, 1_000, (5, 3)), rng.normal(3, 1, (5, 3))
    found = net_benefits(costs, effects, wtp, comparator="a", strategies=["a", "b", "c"])
    for health, money in (("nhb", "nmb"), ("inhb", "inmb")):
        np.testing.assert_allclose(found[health], found[money] / wtp, rtol=1e-9, atol=1e-9)
        np.testing.assert_allclose(
            found[f"{health}_mcse"], found[f"{money}_mcse"] / wtp, rtol=1e-9, atol=1e-12
        )
        np.testing.assert_allclose(found[f"{health}_months"], 12 * found[health])
    assert (found.inmb.sel(strategy="a") == 0).all()


def test_what_cannot_be_is_refused():
    costs, effects = normal_increments(n=10)
    with pytest.raises(ModelError, match="5 resamples"):
        icer_bootstrap(costs, effects, strategy="new", comparator="old", resamples=5)
    with pytest.raises(ModelError, match="did you mean 'new'"):
        icer_bootstrap(costs, effects, strategy="neww", comparator="old")
    with pytest.raises(ModelError, match="divides by a willingness to pay of 0"):
        net_benefits(costs, effects, 0, comparator="old")

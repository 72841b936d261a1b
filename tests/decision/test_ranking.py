"""Strategies in order of net benefit."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from qalyst.decision.net_benefit import net_monetary_benefit
from qalyst.decision.ranking import rankings
from qalyst.decision.uncertainty import decision_curves
from qalyst.errors import ModelError


def some(strategies=5, draws=400):
    random = np.random.default_rng(4)
    names = [f"s{number}" for number in range(strategies)]
    costs = random.normal(10_000, 3_000, (draws, strategies))
    effects = random.normal(np.linspace(5, 5.5, strategies), 0.4, (draws, strategies))
    return costs, effects, names


def test_the_order_and_the_chances_are_those_of_the_acceptability_curves():
    costs, effects, names = some()
    wtp = [20_000.0, 50_000.0]
    labelled = [dict(zip(names, values.T, strict=True)) for values in (costs, effects)]
    curves = decision_curves(*labelled, wtp)
    mean = net_monetary_benefit(*labelled, wtp).mean("draw")
    for found in rankings(costs, effects, wtp, strategies=names):
        here = {"wtp": found.wtp}
        order = [row.strategy for row in found.rows]
        assert order == sorted(names, key=lambda name: -float(mean.sel(here).sel(strategy=name)))
        for row in found.rows:
            chance = float(curves.ceac.sel(here).sel(strategy=row.strategy))
            assert row.probability_best == pytest.approx(chance, abs=1e-12)
        assert found.loss == pytest.approx(float(curves.evpi.sel(here)), rel=1e-9)


def test_two_normal_strategies_lose_what_the_formula_says():
    random, draws = np.random.default_rng(8), 200_000
    gap = random.normal(500, 1_000, draws)
    costs = np.stack([np.zeros(draws), gap], axis=1)
    (found,) = rankings(costs, np.ones((draws, 2)), 10_000, strategies=["cheap", "dear"])
    assert found.best.strategy == "cheap"
    assert found.runner_up_loss == pytest.approx(500, abs=4 * 1_000 / draws**0.5)
    better = stats.norm.cdf(-0.5)
    assert found.runner_up_better == pytest.approx(better, abs=4 * (better / draws) ** 0.5)
    unit = stats.norm.pdf(0.5) - 0.5 * stats.norm.cdf(-0.5)
    assert found.loss == pytest.approx(1_000 * unit, rel=0.02)


def test_ties_share_their_draws():
    (found,) = rankings(np.zeros((3, 2)), np.ones((3, 2)), 1, strategies=["a", "b"])
    assert [row.probability_best for row in found.rows] == [0.5, 0.5]
    assert found.runner_up_loss == 0
    assert found.runner_up_better == 0


def test_one_strategy_has_no_runner_up():
    (found,) = rankings(np.zeros((3, 1)), np.ones((3, 1)), 1, strategies=["a"])
    assert found.runner_up is None
    assert found.runner_up_loss is None
    assert found.best.probability_best == 1


def test_numbers_that_are_none_are_refused():
    with pytest.raises(ModelError, match="not a finite number"):
        rankings(np.full((2, 1), np.nan), np.ones((2, 1)), 1, strategies=["a"])

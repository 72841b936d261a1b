"""The split of variance against its definition."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr

from qalyst.decision.variance import split_variance

DIMS = ("strategy", "outcome", "strategy_2", "outcome_2")


def nested(draws, patients, seed=0):
    """Normal parameters and patients with known variances: 4 and 9, correlated 2/3 by luck."""
    random = np.random.default_rng(seed)
    centre = random.normal(0, 2, draws)
    shared = random.normal(0, 6**0.5, (draws, patients))
    own = random.normal(0, 3**0.5, (2, draws, patients))
    values = centre[:, None] + shared + own  # [strategy, draw, patient]
    means = values.mean(axis=2).T[:, :, None]
    totals = xr.DataArray(
        np.concatenate([means, means], axis=2),
        dims=("draw", "strategy", "outcome"),
        coords={"strategy": ["a", "b"], "outcome": ["cost", "effect"]},
    )
    within = np.mean([np.cov(values[:, d]) for d in range(draws)], axis=0)
    between = np.kron(within, np.ones((2, 2))).reshape(2, 2, 2, 2)
    return totals, xr.DataArray(between, dims=DIMS)


def test_known_variances_are_found():
    """Within 4 standard errors: sqrt(2/draws) of a variance of normals."""
    totals, between = nested(2000, 20)
    found = split_variance(totals, between, patients=20)[0]
    assert found.patients == pytest.approx(9, abs=4 * 9 * (2 / 40_000) ** 0.5)
    assert found.noise == found.patients / 20
    assert found.parameters == pytest.approx(4, abs=4 * 4.45 * (2 / 2000) ** 0.5)


def test_increments_know_what_luck_is_shared():
    """An incremental cost: variance 2 x 3 of 2 x 9 with independent luck."""
    totals, between = nested(500, 50)
    found = split_variance(
        totals, between, patients=50, cost="cost", effect="effect", comparator="a", thresholds=[0]
    )[-1]
    assert (found.strategy, found.comparator, found.wtp) == ("b", "a", 0)
    assert found.patients == pytest.approx(6, rel=0.06)
    assert found.common == pytest.approx(1 / 3, rel=0.06)


def test_one_draw_has_no_parameters():
    totals, between = nested(1, 30)
    found = split_variance(totals, between, patients=30)[0]
    assert found.parameters is None
    assert found.mcse is None


def test_noise_alone_leaves_nothing_for_parameters():
    """Never below 0."""
    totals, between = nested(2, 4)
    found = split_variance(totals * 0, between, patients=4)[0]
    assert found.parameters == 0

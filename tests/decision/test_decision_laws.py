from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from qalyst.decision.cea import incremental_analysis, optimal
from qalyst.decision.uncertainty import decision_curves

many = settings(max_examples=60, deadline=None, derandomize=True)
few = settings(max_examples=20, deadline=None, derandomize=True)

NAMES = list("abcdefgh")


@st.composite
def points(draw):
    """Costs and effects {strategy: number}; small whole numbers, so that ties are common."""
    n = draw(st.integers(1, 8))
    whole = st.lists(st.integers(0, 12), min_size=n, max_size=n)
    costs, effects = draw(whole), draw(whole)
    return dict(zip(NAMES, costs, strict=False)), dict(zip(NAMES, effects, strict=False))


@st.composite
def sampled(draw):
    """Costs and effects [draw, strategy]; some whole, so that ties are common."""
    shape = draw(st.integers(2, 12)), draw(st.integers(1, 4))
    number = st.integers(-3, 9) | st.floats(-10, 10, allow_subnormal=False)
    values = arrays(np.float64, shape, elements=number.map(float))
    return draw(values), draw(values), NAMES[: shape[1]]


def curves(case, wtp=(0, 0.5, 1, 3)):
    costs, effects, names = case
    return decision_curves(costs, effects, list(wtp), strategies=names)


@many
@given(points())
def test_frontier_is_what_is_optimal_at_some_threshold(case):
    table = incremental_analysis(*case)
    edges = [0.0, *(switch.wtp for switch in table.switches)]
    middles = [(low + high) / 2 for low, high in pairwise([*edges, edges[-1] + 2])]
    for wtp, strategy in zip(middles, table.frontier, strict=True):
        assert strategy in optimal(*case, wtp).optimal.item().split(" = ")


@many
@given(points(), st.lists(st.floats(0.01, 100), min_size=1, max_size=8, unique=True))
def test_nothing_off_the_frontier_is_alone_the_best_at_any_threshold(case, wtp):
    frontier = set(incremental_analysis(*case).frontier)
    for words in optimal(*case, wtp).optimal.values:
        assert frontier & set(words.split(" = "))


@many
@given(st.integers(1, 30), st.integers(0, 10**6))
def test_optimal_strategy_over_a_grid_of_thresholds_walks_along_the_frontier(n, seed):
    rng = np.random.default_rng(seed)
    costs, effects, names = (
        rng.normal(1e4, 5e3, n),
        rng.normal(5, 1, n),
        [f"s{i}" for i in range(n)],
    )
    table = incremental_analysis(costs, effects, strategies=names)
    wtp = np.linspace(0, 1e5, 201)
    reached = np.searchsorted([switch.wtp for switch in table.switches], wtp)
    found = np.array(names)[np.argmax(wtp[:, None] * effects - costs, axis=1)]
    assert found.tolist() == [table.frontier[one] for one in reached]


@many
@given(points())
def test_icers_strictly_rise_on_the_frontier(case):
    icers = [row.icer for row in incremental_analysis(*case).rows if row.icer is not None]
    assert all(low < high for low, high in pairwise(icers))
    assert all(icer > 0 for icer in icers)


@many
@given(points())
def test_every_strategy_has_one_status_and_is_on_the_frontier_or_says_why_not(case):
    table = incremental_analysis(*case)
    on = {row.strategy for row in table.rows if row.status in ("reference", "on the frontier")}
    assert on == set(table.frontier)
    assert len(table.rows) == len(case[0])


@many
@given(points(), st.integers(0, 3), st.integers(0, 3))
def test_adding_a_dominated_strategy_leaves_the_frontier_unchanged(case, dearer, worse):
    costs, effects = case
    table = incremental_analysis(costs, effects)
    model = table.frontier[-1]
    added = {"z": costs[model] + dearer + 1}, {"z": effects[model] - worse}
    again = incremental_analysis(costs | added[0], effects | added[1])
    assert again.frontier == table.frontier
    assert [again[name] for name in again.frontier] == [table[name] for name in table.frontier]
    assert again["z"].status.startswith(("dominated", "equal"))


@many
@given(points(), st.randoms(use_true_random=False))
def test_permuting_strategies_changes_nothing(case, random):
    costs, effects = case
    order = list(costs)
    random.shuffle(order)
    shuffled = {name: costs[name] for name in order}, {name: effects[name] for name in order}
    assert incremental_analysis(*shuffled) == incremental_analysis(*case)


@many
@given(points(), st.sampled_from([0.001, 0.5, 3, 1e6]))
def test_costs_times_a_factor_give_icers_times_the_factor(case, factor):
    costs, effects = case
    table = incremental_analysis(costs, effects)
    scaled = incremental_analysis({name: cost * factor for name, cost in costs.items()}, effects)
    assert scaled.frontier == table.frontier
    for switch, times in zip(table.switches, scaled.switches, strict=True):
        assert times.wtp == pytest.approx(switch.wtp * factor, rel=1e-12)


@many
@given(points(), st.integers(-1000, 1000))
def test_adding_an_amount_to_all_costs_leaves_the_increments(case, amount):
    costs, effects = case
    table = incremental_analysis(costs, effects)
    moved = incremental_analysis({name: cost + amount for name, cost in costs.items()}, effects)
    assert [row.status for row in moved.rows] == [row.status for row in table.rows]
    assert [row.incremental_cost for row in moved.rows] == [
        row.incremental_cost for row in table.rows
    ]


@few
@given(sampled())
def test_acceptability_sums_to_one_at_every_threshold(case):
    # a mean of shares: rounding of one addition per draw
    np.testing.assert_allclose(curves(case).ceac.sum("strategy"), 1, rtol=1e-12)


@few
@given(sampled())
def test_evpi_is_the_least_expected_loss_and_never_negative(case):
    found = curves(case)
    assert (found.evpi == found.expected_loss.min("strategy")).all()
    assert (found.evpi >= 0).all()


@few
@given(sampled())
def test_evpi_is_the_mean_of_the_best_less_the_best_of_the_means(case):
    found, (costs, effects, _) = curves(case), case
    for k in found.wtp.values:
        nmb = k * effects - costs
        expected = nmb.max(axis=1).mean() - nmb.mean(axis=0).max()
        np.testing.assert_allclose(found.evpi.sel(wtp=k), expected, atol=1e-12)


@few
@given(sampled())
def test_information_is_worthless_just_when_the_optimal_strategy_is_best_in_every_draw(case):
    found, (costs, effects, names) = curves(case), case
    for k in found.wtp.values:
        nmb = k * effects - costs
        chosen = names.index(found.optimal.sel(wtp=k).item())
        always = bool((nmb[:, chosen] == nmb.max(axis=1)).all())
        assert always == (found.evpi.sel(wtp=k).item() == 0)


@few
@given(sampled(), st.randoms(use_true_random=False))
def test_permuting_strategies_permutes_the_curves(case, random):
    costs, effects, names = case
    order = list(range(len(names)))
    random.shuffle(order)
    shuffled = costs[:, order], effects[:, order], [names[one] for one in order]
    found = curves(shuffled).sel(strategy=names)
    for curve in ("ceac", "expected_loss", "evpi"):
        np.testing.assert_array_equal(found[curve], curves(case)[curve])


@few
@given(sampled(), st.randoms(use_true_random=False))
def test_permuting_draws_changes_no_curve(case, random):
    costs, effects, names = case
    order = list(range(len(costs)))
    random.shuffle(order)
    found = curves((costs[order], effects[order], names))
    for curve in ("ceac", "expected_loss", "evpi"):  # sums in another order
        np.testing.assert_allclose(found[curve], curves(case)[curve], atol=1e-12)


@few
@given(sampled())
def test_a_twin_of_a_strategy_shares_its_probability_and_leaves_evpi(case):
    costs, effects, names = case
    twin = np.c_[costs, costs[:, 0]], np.c_[effects, effects[:, 0]], [*names, "twin"]
    found, alone = curves(twin), curves(case)
    np.testing.assert_array_equal(found.ceac.sel(strategy="twin"), found.ceac.sel(strategy="a"))
    np.testing.assert_array_equal(found.evpi, alone.evpi)

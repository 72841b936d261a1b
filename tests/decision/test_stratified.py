"""Decisions by subgroup: their value by hand, by theory, and its laws."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.stats import norm

from qalyst.decision._subgroups import by_profile
from qalyst.decision.net_benefit import net_monetary_benefit
from qalyst.decision.stratified import (
    decision_rule,
    decisions_of,
    stratified_decisions,
    value_of_stratifying,
)
from qalyst.errors import ModelError

GRADES = [{"grade": "g1"}, {"grade": "g2"}]
CROSSED = [
    {"sex": sex, "grade": grade, "age": 57}
    for sex, grade in itertools.product(("male", "female"), ("g1", "g2"))
]


def two_profiles():
    """Two draws; 60 % gain 0.2 or 0.4 QALYs for 12,000, 40 % lose 0.1 or gain 0.1."""
    costs = np.array([[[0.0, 0.0], [12_000.0, 12_000.0]]] * 2)
    effects = np.array([[[5.0, 5.0], [5.2, 4.9]], [[5.0, 5.0], [5.4, 5.1]]])
    return costs, effects, np.array([0.6, 0.4])


def test_two_profiles_by_hand():
    found = stratified_decisions(
        *two_profiles(), 50_000, labels=GRADES, strategies=["old", "new"]
    ).sel(wtp=50_000)
    # net benefits of the new over the old: g1 -2,000 and 8,000; g2 -17,000 and -7,000
    assert found.optimal.values.tolist() == ["new", "old"]
    gains = found.nmb.sel(strategy="new") - found.nmb.sel(strategy="old")
    assert gains.values == pytest.approx([3_000, -12_000])
    assert found.probability.sel(strategy="new").values.tolist() == [0.5, 0.0]
    # for all: 0.6 * 3,000 - 0.4 * 12,000 = -3,000, so the old; by grade 0.6 * 3,000 is gained
    assert found.population_optimal.item() == "old"
    assert found.gain.item() == pytest.approx(1_800)
    # of the draws: -1,200 and 4,800 for g1 under the choice of the new; sd 4,242.64, over sqrt 2
    assert found.gain_mcse.item() == pytest.approx(3_000)
    # all known: the new for all gives -8,000 and 2,000; by grade 0 and 4,800
    assert found.evpi.item() == pytest.approx(1_000)
    assert found.gain_perfect.item() == pytest.approx((0 + 4_800) / 2 - 1_000)
    assert found.evpi_stratified.item() == pytest.approx(2_400 - 1_800)


def test_perfect_information_by_subgroup_is_the_loss_of_two_normals():
    means, sds, weights = np.array([2_000.0, -500.0]), np.array([3_000.0, 4_000.0]), [0.3, 0.7]
    z = np.random.default_rng(3).standard_normal((200_000, 2))
    costs = np.zeros((len(z), 2, 2))
    costs[:, 1] = -(means + sds * z)
    found = stratified_decisions(
        costs, np.zeros_like(costs), weights, 0, labels=GRADES, strategies=["old", "new"]
    ).sel(wtp=0)

    def positive_part(mean, sd):
        return mean * norm.cdf(mean / sd) + sd * norm.pdf(mean / sd)

    by_grade = np.dot(weights, positive_part(means, sds))
    mean, sd = np.dot(weights, means), np.hypot(*(weights * sds))
    expected_gain = 0.3 * 2_000 - mean  # mean is 250: the new for all
    assert abs(found.gain.item() - expected_gain) < 4 * found.gain_mcse.item()
    expected = by_grade - positive_part(mean, sd)
    assert abs(found.gain_perfect.item() - expected) < 4 * found.gain_perfect_mcse.item()
    assert found.probability.sel(strategy="new").values == pytest.approx(
        norm.cdf(means / sds), abs=4 * 0.5 / np.sqrt(len(z))
    )


@st.composite
def decisions(draw):
    draws, strategies = draw(st.integers(2, 5)), draw(st.integers(1, 4))
    shape = (draws, strategies, len(CROSSED))
    costs = draw(arrays(float, shape, elements=st.floats(0, 1e5)))
    effects = draw(arrays(float, shape, elements=st.floats(0, 20)))
    raw = draw(arrays(float, (draws, len(CROSSED)), elements=st.floats(0.01, 1)))
    names = [f"s{n}" for n in range(strategies)]
    return costs, effects, raw / raw.sum(axis=1, keepdims=True), names


@given(decisions())
@settings(max_examples=60, deadline=None)
def test_laws(case):
    costs, effects, weights, names = case
    wtp = [0.0, 50_000.0]
    found = stratified_decisions(costs, effects, weights, wtp, labels=CROSSED, strategies=names)
    scale = 1e-9 * (1 + abs(costs).max() + 5e4 * abs(effects).max())
    population = net_monetary_benefit(
        (costs * weights[:, None]).sum(-1), (effects * weights[:, None]).sum(-1), wtp,
        strategies=names,
    ).mean("draw")  # fmt: skip
    # the weighted net benefit of the subgroups is that of the population
    np.testing.assert_allclose(
        (found.weight * found.nmb).sum("subgroup").transpose("wtp", "strategy"),
        population, rtol=0, atol=scale,
    )  # fmt: skip
    assert (found.gain >= 0).all()
    assert (found.gain_perfect >= 0).all()
    assert (found.evpi_stratified >= 0).all()
    assert found.probability.sum("strategy").values == pytest.approx(1)
    same = (found.optimal == found.optimal.isel(subgroup=0)).all("subgroup")
    assert (found.gain.values[same.values] <= scale).all()
    # the finer the subgroups, the more is gained; the perfect gains are the evpi apart
    values = value_of_stratifying(costs, effects, weights, wtp, labels=CROSSED, strategies=names)
    assert (values.gain.sel(known="sex + grade") >= values.gain - scale).all()
    assert (values.gain_perfect.sel(known="sex + grade") >= values.gain_perfect - scale).all()
    np.testing.assert_allclose(
        found.gain_perfect, found.gain + found.evpi_stratified - found.evpi, rtol=0, atol=scale
    )


def test_a_subset_of_the_dimensions_averages_over_the_others_by_their_weights():
    rng = np.random.default_rng(1)
    costs, effects = rng.normal(size=(2, 6, 3, 4))
    weights = np.array([0.1, 0.2, 0.3, 0.4])
    names = ["a", "b", "c"]
    found = stratified_decisions(
        costs, effects, weights, 1, labels=CROSSED, by=["grade"], strategies=names
    )
    assert found.subgroup.values.tolist() == ["grade g1", "grade g2"]
    assert found.weight.values == pytest.approx([0.4, 0.6])
    nmb = (effects - costs).mean(0)
    by_hand = (0.1 * nmb[:, 0] + 0.3 * nmb[:, 2]) / 0.4
    assert found.nmb.sel(wtp=1, subgroup="grade g1").values == pytest.approx(by_hand)


def test_nothing_is_gained_when_all_profiles_choose_the_same():
    costs, effects, weights = two_profiles()
    effects[:, 1] = effects[:, 0] + 1
    found = stratified_decisions(
        costs, effects, weights, 50_000, labels=GRADES, strategies=["old", "new"]
    )
    assert found.gain.item() == found.gain_perfect.item() == found.gain_mcse.item() == 0


def test_a_dimension_of_one_label_tells_nobody_apart():
    costs, effects = np.random.default_rng(2).normal(size=(2, 4, 2, 4))
    with pytest.raises(ModelError, match="no dimension 'age' tells profiles apart"):
        stratified_decisions(
            costs, effects, [0.25] * 4, 1, labels=CROSSED, by=["age"], strategies=["a", "b"]
        )


def test_profiles_that_never_occur_are_left_out():
    costs, effects, _ = two_profiles()
    found = stratified_decisions(
        costs, effects, [1.0, 0.0], 50_000, labels=GRADES, strategies=["old", "new"]
    )
    assert found.sizes["subgroup"] == 1
    assert found.gain.item() == 0


@pytest.mark.parametrize(
    ("weights", "words"),
    [
        ([0.6, 0.5], "sum to 1.1"),
        ([1.2, -0.2], "one is negative"),
        ([np.nan, 0.4], "sum to nan"),
        ([0.2, 0.3, 0.5], "shape"),
    ],
)
def test_weights_that_are_none_are_refused(weights, words):
    costs, effects, _ = two_profiles()
    with pytest.raises(ModelError, match=words):
        stratified_decisions(costs, effects, weights, 1, labels=GRADES, strategies=["old", "new"])


def test_wrong_labels_and_one_draw_are_refused():
    costs, effects, weights = two_profiles()
    ask = {"strategies": ["old", "new"]}
    with pytest.raises(ModelError, match="labels of 1 profiles for 2"):
        stratified_decisions(costs, effects, weights, 1, labels=GRADES[:1], **ask)
    with pytest.raises(ModelError, match="the same labels"):
        stratified_decisions(costs, effects, weights, 1, labels=GRADES[:1] * 2, **ask)
    with pytest.raises(ModelError, match="1 draw shows no uncertainty"):
        stratified_decisions(costs[:1], effects[:1], weights, 1, labels=GRADES, **ask)
    with pytest.raises(ModelError, match="name each strategy"):
        stratified_decisions(costs, effects, weights, 1, labels=GRADES)


def test_a_rule_names_the_dimensions_that_matter_only():
    costs = np.zeros((2, 2, 4))
    effects = np.zeros((2, 2, 4))
    effects[:, 1] = [1, -1, 1, 1]  # the new one harms men with g2
    found = by_profile(costs, effects, [0.25] * 4, labels=CROSSED, strategies=["old", "new"])
    fine = decisions_of(found.strategies, found.subgroups(["sex", "grade"]), 1)
    rule = decision_rule(fine.optimal, [{"sex": e["sex"], "grade": e["grade"]} for e in CROSSED])
    assert rule == [
        {"sex": "male", "grade": "g1"},
        {"sex": "male", "grade": "g2"},
        {"sex": "female"},
    ]

"""The distance to another recommendation, against closed forms of models that are linear."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
from scipy.stats import norm

from qalyst.axes import DRAW
from qalyst.errors import ModelError
from qalyst.model.resolve import load_model
from qalyst.params.draws import Draws
from qalyst.params.inputs import chosen, uncertain_inputs
from qalyst.report.flip_words import flip_sentence
from qalyst.sensitivity.flip import recommendation_flips
from qalyst.sensitivity.scores import scores_of, values_at
from qalyst.simulation import base_case, simulate, simulate_points

FOLDER = Path(__file__).parent / "models"
WTP = 20_000
# net benefit of the new over the old: wtp * (0.75 du_g1 + 0.25 du_g2) - c_new
SLOPES = {"du_g1": 0.75 * WTP, "du_g2": 0.25 * WTP, "c_new": -1.0}
MEANS = {"du_g1": 0.4, "du_g2": -0.1, "c_new": 8_000}
SDS = {"du_g1": 0.1, "du_g2": 0.2, "c_new": 500}


def changed(folder: Path, *changes: tuple[str, str]):
    """The model with texts of its two files replaced."""
    (folder / "params").mkdir()
    for name in ("by_grade.yaml", "params/by_grade.yaml"):
        text = (FOLDER / name).read_text()
        for pattern, new in changes:
            text = re.sub(pattern, new, text)
        (folder / name).write_text(text)
    return load_model(str(folder / "by_grade.yaml"))


@pytest.fixture(scope="module")
def linear():
    return load_model(str(FOLDER / "by_grade.yaml"))


def test_a_linear_model_of_normal_inputs(linear):
    found = recommendation_flips(linear, wtp=WTP)
    assert found.recommended == "old"
    (flip,) = found.flips
    lead = -sum(SLOPES[name] * MEANS[name] for name in SLOPES)
    reach = {name: SLOPES[name] * SDS[name] for name in SLOPES}
    sd = np.linalg.norm(list(reach.values()))
    assert flip.margin == pytest.approx(lead)
    assert flip.distance == pytest.approx(lead / sd, rel=1e-6)
    assert flip.probability == pytest.approx(norm.cdf(-lead / sd), rel=1e-5)
    for source in flip.sources:
        (move,) = source.moves
        assert source.share == pytest.approx(reach[source.source] ** 2 / sd**2, rel=1e-4)
        end = MEANS[source.source] + lead / sd**2 * reach[source.source] * SDS[source.source]
        assert move.start == pytest.approx(MEANS[source.source], abs=1e-12)
        assert move.end == pytest.approx(end, rel=1e-4)
    assert sum(source.share for source in flip.sources) == pytest.approx(1)
    words = flip_sentence(found, flip)
    assert "change from Old treatment to New treatment if du_g1 rose from 0.4 to 0.507" in words
    assert "1.34 standard deviations away, a probability of about 9 %" in words


def test_the_probability_is_the_share_of_draws_if_the_model_is_linear(linear):
    found = recommendation_flips(linear, wtp=WTP).flips[0].probability
    draws = simulate(linear, draws=4_000, seed=3)
    net = WTP * draws.total("qalys") - draws.total("costs")
    share = float((net.sel(strategy="new") > net.sel(strategy="old")).mean(DRAW))
    assert abs(share - found) < 4 * np.sqrt(found * (1 - found) / 4_000)


def test_at_the_point_found_both_are_equal(linear):
    scores = scores_of(uncertain_inputs(linear.parameters, linear.used_parameters))
    (flip,) = recommendation_flips(linear, wtp=WTP).flips
    changes = {(m.name, ()): np.array([m.end]) for s in flip.sources for m in s.moves}
    there = simulate_points(linear, changes)
    net = (WTP * there.total("qalys") - there.total("costs")).isel({DRAW: 0})
    assert float(net.sel(strategy="new") - net.sel(strategy="old")) == pytest.approx(0, abs=0.01)
    assert len(scores.sources) == 3


def test_the_distance_does_not_depend_on_units(tmp_path):
    flips = []
    for unit, value, se in (("month", 12, 2.4), ("year", 1, 0.2)):
        record = (
            f"  dur_gain: {{label: Duration, value: {value}, unit: {unit}, "
            f"uncertainty: {{family: normal, se: {se}}}}}\n  c_new:"
        )
        folder = tmp_path / unit
        folder.mkdir()
        model = changed(
            folder, (r"grade\.gain \* year", "grade.gain * dur_gain"), ("  c_new:", record)
        )
        flips.append(recommendation_flips(model, wtp=WTP).flips[0])
    assert flips[0].distance == pytest.approx(flips[1].distance, rel=1e-6)
    ends = [
        next(m.end for s in flip.sources for m in s.moves if m.name == "dur_gain") for flip in flips
    ]
    assert ends[0] == pytest.approx(12 * ends[1], rel=1e-4)


def test_jointly_normal_inputs_have_the_distance_of_mahalanobis(tmp_path):
    record = (
        "  gains: {label: Gains, unit: utility, names: [du_g1, du_g2], "
        "value: {du_g1: 0.4, du_g2: -0.1}, "
        "uncertainty: {family: normal, covariance: [[0.01, 0.012], [0.012, 0.04]]}}\n"
    )
    model = changed(tmp_path, (r"  du_g1: \{.*\n  du_g2: .*\n", record))
    (flip,) = recommendation_flips(model, wtp=WTP).flips
    slopes = np.array([SLOPES[name] for name in ("du_g1", "du_g2")])
    variance = slopes @ np.array([[0.01, 0.012], [0.012, 0.04]]) @ slopes + 500**2
    assert flip.distance == pytest.approx(2_500 / np.sqrt(variance), rel=1e-6)
    gains = next(source for source in flip.sources if source.source == "gains")
    assert gains.share == pytest.approx(1 - 500**2 / variance, rel=1e-4)
    assert [move.name for move in gains.moves] == ["du_g1", "du_g2"]


def test_out_of_reach_is_said(linear):
    found = recommendation_flips(linear, wtp=WTP, limit=1.0)
    assert found.flips[0].distance is None
    assert "No joint change of the inputs within 1 standard deviations" in flip_sentence(
        found, found.flips[0]
    )


def test_a_model_without_uncertainty_has_no_flip():
    with pytest.raises(ModelError, match="nothing can move"):
        recommendation_flips(load_model("sumatriptan"), wtp=1_000)


def test_scores_of_the_base_case_give_the_base_case():
    for name in ("hiv", "sick_sicker"):
        model = load_model(name)
        inputs = uncertain_inputs(model.parameters, model.used_parameters)
        scores = scores_of(inputs)
        assert not scores.left
        values = values_at(scores, inputs, scores.base)
        assert values == pytest.approx({each.name: each.base for each in inputs}, rel=1e-9)
        there = simulate_points(model, scores.values(scores.base[None]))
        np.testing.assert_allclose(
            there.totals.discounted, base_case(model).totals.discounted, rtol=1e-9
        )


def test_normal_scores_give_shares_the_distribution_of_their_draws():
    model = load_model("hiv")
    inputs = chosen(uncertain_inputs(model.parameters), ["p_a"], "test")
    z = np.random.default_rng(4).standard_normal((4_000, 4))
    found = scores_of(inputs).values(z)["p_a", ("b",)]
    parameter = model.parameters["p_a"]
    drawn = Draws(model.parameters, 9, np.arange(4_000)).raw(parameter, ("b",))
    assert found.mean() == pytest.approx(drawn.mean(), abs=4 * drawn.std() / np.sqrt(2_000))
    assert found.std() == pytest.approx(drawn.std(), rel=0.06)


@pytest.mark.parametrize(
    ("name", "wtp", "effect"), [("hiv", 8_000, "life_years"), ("sick_sicker", 100_000, "qalys")]
)
def test_the_probability_is_near_the_share_of_draws_in_models_that_are_not_linear(
    name, wtp, effect
):
    model = load_model(name)
    found = recommendation_flips(model, wtp=wtp)
    nearest = found.flips[0]
    draws = simulate(model, draws=2_000, seed=1)
    net = wtp * draws.total(effect) - draws.total("costs")
    gained = net.sel(strategy=nearest.strategy) - net.sel(strategy=found.recommended)
    # 0.01 is the standard error of the share; 0.02 what a curved boundary may take or give
    assert float((gained > 0).mean(DRAW)) == pytest.approx(nearest.probability, abs=0.04)

"""Grids agree with the base case and with one-way analysis at their edges."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from qalyst.errors import ModelError
from qalyst.model.resolve import load_model
from qalyst.sensitivity.one_way import one_way
from qalyst.sensitivity.points import open_study
from qalyst.sensitivity.two_way import at_points, two_way
from qalyst.simulation import base_case

WTP = 10_000


@pytest.fixture(scope="module")
def hiv():
    return open_study("hiv")


def test_the_lines_through_the_base_point_are_one_way_analyses(hiv):
    base_a = hiv.named("c_a", "test").base
    grid = two_way(
        hiv, ("rr_combination", 0.3, 0.718, 3), ("c_a", base_a - 1000, base_a + 1000, 3), wtp=WTP
    )
    bars = {
        bar.input: bar
        for bar in one_way(
            hiv,
            ranges={"rr_combination": (0.3, 0.718), "c_a": (base_a - 1000, base_a + 1000)},
            wtp=WTP,
        ).bars
    }
    names = grid.strategies

    def of(reading):
        return [reading.nmb[name] for name in names]

    assert grid.nmb[1, 1] == pytest.approx(of(grid.base), rel=1e-12)
    for x, end in ((0, "at_low"), (2, "at_high")):
        assert grid.nmb[x, 1] == pytest.approx(of(getattr(bars["rr_combination"], end)), rel=1e-12)
        assert grid.nmb[1, x] == pytest.approx(of(getattr(bars["c_a"], end)), rel=1e-12)
        assert grid.optimal[x][1] == getattr(bars["rr_combination"], end).optimal


def test_each_point_of_a_grid_is_the_model_with_both_values(hiv):
    grid = two_way(hiv, ("rr_combination", 0.4, 1.0, 3), ("c_lamivudine", 0, 9000, 2), wtp=WTP)
    for i, ratio in enumerate(grid.x.values):
        for j, price in enumerate(grid.y.values):
            model = load_model("hiv", values={"rr_combination": ratio, "c_lamivudine": price})
            found = base_case(model)
            nmb = WTP * found.total("life_years") - found.total("costs")
            assert grid.nmb[i, j] == pytest.approx(nmb.isel(draw=0).values, rel=1e-11)


def test_turning_the_axes_turns_the_grid(hiv):
    x, y = ("rr_combination", 0.4, 1.0, 4), ("c_a", 1000, 9000, 3)
    one, other = two_way(hiv, x, y, wtp=WTP), two_way(hiv, y, x, wtp=WTP)
    assert one.nmb == pytest.approx(other.nmb.swapaxes(0, 1), rel=1e-13)


def test_an_axis_that_is_read_when_the_model_is_loaded():
    study = open_study("hiv_lifetime")
    grid = two_way(study, ("r_discount", 0.0, 0.06, 2), ("rr_combination", 0.5, 0.9, 2), wtp=WTP)
    for i, rate in enumerate((0.0, 0.06)):
        model = load_model("hiv_lifetime", values={"r_discount": rate, "rr_combination": 0.9})
        found = base_case(model)
        nmb = WTP * found.total("life_years") - found.total("costs")
        assert grid.nmb[i, 1] == pytest.approx(nmb.isel(draw=0).values, rel=1e-11)


def test_points_set_some_inputs_and_leave_the_others(hiv):
    rows = [
        ("both", {"c_a": 5000.0, "rr_combination": 0.6}),
        ("one", {"c_a": 5000.0}),
        ("none", {}),
    ]
    found = at_points(hiv, rows, wtp=WTP)
    for point in found.points:
        outcomes = base_case(load_model("hiv", values=dict(point.values)))
        for strategy, totals in point.found.discounted.items():
            expected = float(outcomes.total("costs").sel(strategy=strategy).item())
            assert totals["costs"] == pytest.approx(expected, rel=1e-11)
    assert found.points[2].found.nmb == pytest.approx(found.base.nmb, rel=1e-12)


def test_equals_are_both_told():
    # at a ratio of 1, without a price, the combination is monotherapy
    study = open_study("hiv", values={"c_lamivudine": 0.0})
    grid = two_way(study, ("rr_combination", 0.5, 1.0, 2), ("c_a", 2000, 3000, 2), wtp=WTP)
    assert grid.optimal[1][0] == "monotherapy = combination"
    assert grid.optimal[0][0] == "combination"


def test_two_shares_of_one_whole_are_no_axes(hiv):
    with pytest.raises(ModelError, match="shares of one whole"):
        two_way(hiv, ("p_a[a]", 0.5, 0.7, 2), ("p_a[b]", 0.1, 0.2, 2), wtp=WTP)


@pytest.mark.parametrize(
    ("x", "y", "words"),
    [
        (("c_a", 0, 1, 2), ("c_a", 0, 1, 2), "on both axes"),
        (("c_a", 1, 0, 2), ("c_b", 0, 1, 2), "does not rise"),
        (("c_a", 0, 1, 1), ("c_b", 0, 1, 2), "does not rise"),
        (("c_a", 0, np.inf, 2), ("c_b", 0, 1, 2), "does not rise"),
        (("c_a", 0, 1, 1000), ("c_b", 0, 1, 1000), "too large"),
        (("c_aa", 0, 1, 2), ("c_b", 0, 1, 2), "did you mean 'c_a'"),
    ],
)
def test_what_is_no_grid_is_refused(hiv, x, y, words):
    with pytest.raises(ModelError, match=words):
        two_way(hiv, x, y, wtp=WTP)


def test_points_that_leave_what_is_read_at_load_alone_are_one_run(monkeypatch):
    study = open_study(str(Path(__file__).parent / "models" / "exponential.yaml"))
    loaded = []
    again = study._again
    monkeypatch.setattr(study, "_again", lambda given: loaded.append(given) or again(given))
    rows = [("a", {"u_alive": 0.5}), ("b", {"u_alive": 0.6}), ("c", {"r_discount": 0.0})]
    runs = []
    monkeypatch.setattr(study, "_run", lambda *given, run=study._run: runs.append(0) or run(*given))
    found = at_points(study, rows, wtp=1e5)
    assert loaded == [{"r_discount": 0.0}]
    assert len(runs) == 3  # points at the base rate, the other rate; and the base case
    # 40 years at the start of each: a geometric sum
    alive = [sum((0.9048374180359595 / 1.03) ** year for year in range(40)) * u for u in (0.5, 0.6)]
    for point, expected in zip(found.points, alive, strict=False):
        assert point.found.discounted["old"]["qalys"] == pytest.approx(expected)

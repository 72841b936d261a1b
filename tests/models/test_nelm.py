"""The flagship against its published curves, and the laws of the share that is selection."""

from __future__ import annotations

import csv
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from qalyst.model.resolve import load_model
from qalyst.published import published_survival, survival_curves
from qalyst.simulation import base_case


@cache
def survival(bias_share: float):
    model = load_model("nelm", scenarios=("of_their_time",), values={"bias_share": bias_share})
    return survival_curves(model, base_case(model))


def at(bias_share: float, strategy: str, years: float) -> float:
    grid, curves = survival(bias_share)
    return float(np.interp(years, grid, curves[strategy]))


def test_without_selection_both_crude_curves_are_met():
    # Mayo 2010: 74 % at five and 51 % at ten years; Mayo 2011: median 34 months, 30 % at five.
    # Tolerance: one standard error of each point (binomial, n = 339 and 414).
    assert at(0, "resection_first", 5) == pytest.approx(0.74, abs=0.0238)
    assert at(0, "resection_first", 10) == pytest.approx(0.51, abs=0.0272)
    assert at(0, "arterial_first", 34 / 12) == pytest.approx(0.50, abs=0.0246)
    assert at(0, "arterial_first", 5) == pytest.approx(0.30, abs=0.0225)


def test_resected_survival_does_not_move_with_the_share():
    _, none = survival(0)
    _, all_ = survival(1)
    np.testing.assert_allclose(none["resection_first"], all_["resection_first"], rtol=0, atol=1e-12)


def test_if_all_is_selection_the_two_fare_alike():
    grid, curves = survival(1)
    within_ten = grid <= 10
    gap = curves["resection_first"] - curves["arterial_first"]
    # hr_equal makes the ten-year means equal; the curves then differ by their shape only
    assert np.trapezoid(gap[within_ten], grid[within_ten]) == pytest.approx(0, abs=0.02)
    assert np.abs(gap[within_ten]).max() < 0.04


def test_the_published_points_that_were_fitted_lie_within_their_intervals():
    published = published_survival(load_model("nelm"), "nelm", {})
    fitted = [point for point in published.points if point.role == "fit"]
    assert len(fitted) == 5
    assert all(point.fits == "within" for point in fitted)
    held_out = [p for p in published.points if p.role == "validation" and "resection" in p.series]
    assert held_out
    assert all(point.fits == "within" for point in held_out)


def test_the_prognosis_is_centred_on_the_case_mix():
    from qalyst.engines.engine import Shared
    from qalyst.params.draws import Draws

    model = load_model("nelm")
    shared = Shared(model)
    evaluate = shared.evaluator(Draws(model.parameters, 3, np.arange(50)))
    weights = shared.profile_weights(evaluate)
    ratios = np.stack(
        np.broadcast_arrays(
            *(
                evaluate(shared.partial.value(model.define["hr_disease"], profile))[0, 0]
                for profile in shared.profiles
            )
        )
    )
    np.testing.assert_allclose((weights * ratios).sum(axis=0), 1, rtol=1e-12)


def test_the_points_that_a_run_draws_are_those_of_the_evidence():
    drawn = rows("params/targets/nelm.csv")
    found = {tuple(row[k] for k in KEY): row for row in rows("docs/nelm_targets.csv")}
    assert len(drawn) > 30
    for row in drawn:
        source = found[tuple(row[k] for k in KEY)]
        for column in ("survival_percent", "low", "high", "source", "doi", "status"):
            assert row[column] == source[column], (row["evidence"], column)


KEY = ("evidence", "months", "n")


def rows(path: str) -> list[dict[str, str]]:
    with (Path(__file__).parents[2] / path).open(encoding="utf-8") as file:
        return list(csv.DictReader(file))

"""EVPPI by threshold against closed forms and against one threshold at a time."""

import numpy as np
import pytest
from decision_cases import case
from evppi_cases import linear_normal, normals

from qalyst.decision.evppi import evppi
from qalyst.decision.evppi_curve import evppi_curve
from qalyst.decision.uncertainty import decision_curves
from qalyst.errors import ModelError


def three_strategies(n=3_000):
    x, noise = normals(2, n)
    nothing = np.zeros(n)
    costs = {"a": nothing, "b": 10 + 3 * x[:, 1], "c": 30 + noise}
    effects = {"a": nothing, "b": 1 + x[:, 0], "c": 1.5 + x[:, 0] ** 2 + noise}
    levels = np.digitize(x[:, 0], [-1, 0, 1]).astype(float)
    return costs, effects, {"x": x[:, 0], "y": x[:, 1], "tied": x[:, 0].round(1), "level": levels}


def test_the_linear_normal_decision_is_the_closed_form():
    expected = case("voi_linear_normal")["expected"]
    found = np.mean(
        [evppi_curve(*linear_normal(4_000, seed), [1, 2, 3]).values for seed in range(12)], axis=0
    )
    for j, parameter in enumerate(("p1", "p2")):
        truth = [one["value"] for one in expected[f"evppi_{parameter}"].values()]
        # standard error of the mean of 12 samples, by the sizes that single values state
        np.testing.assert_allclose(found[:, j], truth, atol=0.015)


def test_a_curve_is_its_single_values():
    given = three_strategies()
    wtp = np.linspace(0, 60, 13)
    curve = evppi_curve(*given, wtp)
    peak = float(curve.max())
    for threshold in wtp:
        single = [one.value for one in evppi(*given, threshold)]
        found = curve.sel(wtp=threshold).values
        np.testing.assert_allclose(found, single, atol=3e-4 * peak)


def test_a_curve_lies_between_nothing_and_the_evpi():
    costs, effects, parameters = three_strategies()
    wtp = np.linspace(0, 60, 61)
    curve = evppi_curve(costs, effects, parameters, wtp)
    perfect = decision_curves(costs, effects, wtp).evpi
    assert (curve >= 0).all()
    assert (curve <= perfect + 1e-9).all()


def test_a_constant_parameter_and_one_strategy_give_nothing():
    costs, effects, parameters = three_strategies(100)
    assert (evppi_curve(costs, effects, {"x": np.ones(100)}, [0, 10]) == 0).all()
    one = {"b": costs["b"]}
    assert (evppi_curve(one, {"b": effects["b"]}, parameters, [0, 10]) == 0).all()


def test_groups_are_refused():
    with pytest.raises(ModelError, match="a curve of a group"):
        evppi_curve(*three_strategies(100), [0, 10], of=[("x", "y")])


def test_a_threshold_given_twice_is_refused():
    with pytest.raises(ModelError, match="twice"):
        evppi_curve(*three_strategies(100), [10, 10])

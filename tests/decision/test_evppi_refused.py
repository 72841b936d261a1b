"""What EVPPI refuses, in words."""

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from evppi_cases import linear_normal

from qalyst.decision.evppi import evppi
from qalyst.errors import ModelError


def given(n=60):
    return linear_normal(n, 1)


def replaced(x, place, value):
    x = x.copy()
    x[place] = value
    return x


@pytest.mark.parametrize(
    ("of", "words"),
    [
        (["p3"], "no parameter 'p3'"),
        (["p1_"], "did you mean 'p1'"),
        ([("p1", "p1")], "'p1' twice in one group"),
        ([()], "a group without parameters"),
        ([], "no parameter is asked for"),
        (["p1", ("p1",)], "p1 is asked for twice"),
        ([("p1", "p2"), ("p2", "p1")], "{p2, p1} is asked for twice"),
        ([7], "no parameter"),
    ],
)
def test_groups(of, words):
    with pytest.raises(ModelError) as refused:
        evppi(*given(), 1, of=of)
    assert words in str(refused.value)


@pytest.mark.parametrize("wtp", [-1, np.nan, np.inf, 1e308, [1, 2], "much", []])
def test_thresholds(wtp):
    with pytest.raises(ModelError, match="where: wtp"):
        evppi(*given(), wtp)


@pytest.mark.parametrize(
    ("parameters", "words"),
    [
        ({}, "there are no parameters"),
        ({"p1": np.zeros(59)}, "59 draws, but costs have 60"),
        ({"p1": np.zeros((60, 2))}, "60 x 2 draws"),
        ({"p1": 3.0}, "one draws, but costs have 60"),
        ({"p1": replaced(np.arange(60.0), 7, np.nan)}, "parameters, 'p1', draw 7 (and 0 others)"),
        ({"p1": replaced(np.arange(60.0), 7, -np.inf)}, "-inf is not a finite number"),
        ({"p1": ["x"] * 60}, "not all numbers"),
        (np.zeros((60, 2)), "holds no names of parameters"),
        (xr.DataArray(np.zeros((60, 2)), dims=("draw", "parameter")), "dimensions"),
        (pd.DataFrame(np.zeros((60, 2)), columns=["p", "p"]), "two parameters are called 'p'"),
    ],
)
def test_parameters(parameters, words):
    costs, effects, _ = given()
    with pytest.raises(ModelError) as refused:
        evppi(costs, effects, parameters, 1)
    assert words in str(refused.value)


def test_too_few_draws():
    with pytest.raises(ModelError, match="49 draws of 2 strategies are too few"):
        evppi(*given(49), 1)


def test_more_strategies_than_draws():
    costs = np.zeros((60, 61))
    with pytest.raises(ModelError, match="60 draws of 61 strategies are too few"):
        evppi(costs, costs, {"p": np.arange(60)}, 1, strategies=[f"s{i}" for i in range(61)])


def test_draws_that_are_not_finite():
    costs, effects, parameters = given()
    costs["new"] = replaced(costs["new"], 3, np.nan)
    with pytest.raises(ModelError, match="nan is not a finite number"):
        evppi(costs, effects, parameters, 1)

"""The golden cases (shared/cases): results that nobody here wrote."""

import json
from pathlib import Path

import numpy as np

CASES = Path(__file__).parents[1] / "cases"
N = 200_000


def case(name):
    return json.loads((CASES / f"{name}.json").read_text())


def draws(name):
    """Columns of a case's table of draws, each [draw]."""
    return np.genfromtxt(CASES / "data" / name, delimiter=",", names=True)


def assert_quantity(found, expected):
    np.testing.assert_allclose(found, expected["value"], rtol=0, atol=expected["abs_tol"])


def vaccine():
    table = draws("bcea_vaccine_psa.csv")
    names = ("status_quo", "vaccination")
    costs = {name: table[f"cost_{name}"] for name in names}
    return costs, {name: table[f"eff_{name}"] for name in names}


def hiv():
    table = draws("briggs_ex47_psa.csv")
    costs = {name: table[f"{name}_cost"] for name in ("mono", "comb")}
    return costs, {name: table[f"{name}_ly"] for name in ("mono", "comb")}


def against_nothing(cost, effect):
    """Costs and effects of a strategy with these increments [draw]."""
    nothing = np.zeros_like(cost)
    return {"old": nothing, "new": cost}, {"old": nothing, "new": effect}


def bivariate_normal(model):
    """Costs and effects of the case `ceac_bivariate_normal`."""
    z = np.random.default_rng(11).standard_normal((2, N))
    rho = model["correlation"]
    effect = model["mean_delta_effect"] + model["sd_delta_effect"] * z[0]
    mixed = rho * z[0] + np.sqrt(1 - rho**2) * z[1]
    return against_nothing(model["mean_delta_cost"] + model["sd_delta_cost"] * mixed, effect)

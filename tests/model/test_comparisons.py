from pathlib import Path

import pytest

from qalyst.model.resolve import load_model
from qalyst.simulation import base_case

FOLDER = Path(__file__).parents[1] / "invalid"
PRICE, QUANTITY = "price: c_dying", "quantity: state.utility"


def total(tmp_path, old, new, outcome, **values):
    """An outcome of the old drug, in the model of the faults with another expression."""
    for name in ("models", "params"):
        (tmp_path / name).mkdir(exist_ok=True)
    model = (FOLDER / "base.yaml").read_text()
    assert old in model
    (tmp_path / "models" / "base.yaml").write_text(model.replace(old, new))
    parameters = (FOLDER / "base_parameters.yaml").read_text()
    (tmp_path / "params" / "base.yaml").write_text(parameters)
    outcomes = base_case(load_model(str(tmp_path / "models" / "base.yaml"), values=values))
    return float(outcomes.total(outcome).sel(strategy="old").item())


@pytest.mark.parametrize("condition", ["r_worsen > 0", "r_worsen != 0", "not r_worsen <= 0"])
def test_a_tiny_rate_is_above_0(tmp_path, condition):
    always = total(tmp_path, PRICE, PRICE, "costs")
    priced = f'price: "where({condition}, c_dying, 0)"'
    assert total(tmp_path, PRICE, priced, "costs", r_worsen=1e-10) == always > 0


def test_what_is_equal_but_for_rounding_is_equal(tmp_path):
    always = total(tmp_path, PRICE, PRICE, "costs")
    priced = 'price: "where(3 * r_worsen == 0.6 / year, c_dying, 0)"'
    assert total(tmp_path, PRICE, priced, "costs", r_worsen=0.2) == always


@pytest.mark.parametrize("condition", ["years < 2", "years - 2 * year < 0", "60 + years < 62"])
def test_a_clock_is_compared_without_its_rounding(tmp_path, condition):
    exactly = total(tmp_path, QUANTITY, 'quantity: "where(cycle < 24, state.utility, 0)"', "qalys")
    by_clock = f'quantity: "where({condition}, state.utility, 0)"'
    assert total(tmp_path, QUANTITY, by_clock, "qalys") == pytest.approx(exactly, rel=1e-12)

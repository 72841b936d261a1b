"""The number of patients that a Monte Carlo error asks for."""

from __future__ import annotations

import pytest

from qalyst.analysis import analyse
from qalyst.errors import ModelError
from qalyst.model.resolve import load_model
from qalyst.planning import patients_for_error
from qalyst.simulation import base_case, individuals_for, simulate

NELM = load_model("nelm", scenarios=["base_case_man"])


def test_the_error_that_was_asked_for_is_met():
    """Within a fifth: variances of 100 draws are known to a seventh or so."""
    draws, wanted = 300, 14_000
    patients = patients_for_error(NELM, error=wanted, draws=draws, seed=9)
    engine = individuals_for(NELM, patients=patients, seed=9)
    psa = simulate(NELM, draws=draws, seed=9, engine=engine)
    found = analyse(NELM, base_case(NELM), psa).variance
    errors = [split.mcse for split in found if split.comparator]
    assert 0.5 * wanted < max(errors) < 1.2 * wanted


def test_without_draws_only_patients_matter():
    """A quarter of the error takes sixteen times the patients, rounded up to two digits."""
    few, many = (
        patients_for_error(NELM, error=error, draws=None, seed=9) for error in (8_000, 2_000)
    )
    assert many == pytest.approx(16 * few, rel=0.11)


def test_no_number_of_patients_is_enough():
    with pytest.raises(ModelError, match=r"(?s)20 draws alone leave .* ask for --draws"):
        patients_for_error(NELM, error=100, draws=20, seed=9)


def test_one_strategy_has_no_increment():
    with pytest.raises(ModelError, match="no incremental net benefit"):
        patients_for_error(load_model("illness_death"), error=100, draws=20, seed=9)

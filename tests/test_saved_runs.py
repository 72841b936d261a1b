"""A run that is kept is read back to the bit; a damaged file is never read."""

import csv

import numpy as np
import pytest
import xarray as xr

from qalyst.analysis import analyse
from qalyst.errors import ModelError
from qalyst.model.resolve import load_model
from qalyst.outcomes import Rates
from qalyst.params.draws import Draws
from qalyst.params.inputs import drawn, uncertain_inputs
from qalyst.report.draws_files import write_draws
from qalyst.saved_runs import FILE, Identity, read_run, save_run
from qalyst.simulation import base_case, engine_for, individuals_for, simulate

RATES = (Rates(0.035, 0.035), Rates(0.03, 0.015))
SEED, DRAWS = 5, 30


def run(name, engine=None):
    model = load_model(name)
    engine = engine or engine_for(model, rates=RATES)
    psa = simulate(model, draws=DRAWS, seed=SEED, engine=engine)
    return model, base_case(model, engine), psa


def identity(model):
    return Identity(model.name, (), {}, model.sha256, SEED, DRAWS, None, "plain", "0")


def same(one, other):
    for name in ("totals", "quantities", "profiles", "by_patient", "between_patients", "trace"):
        first, second = getattr(one, name), getattr(other, name)
        if first is None:
            assert second is None
        else:
            xr.testing.assert_identical(first, second)
    assert (one.kept_by_draw, one.patients, one.rates) == (
        other.kept_by_draw,
        other.patients,
        other.rates,
    )


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    folder = tmp_path_factory.mktemp("saved")
    model, base, psa = run("sick_sicker")
    save_run(folder, identity(model), base, psa)
    return folder


@pytest.mark.parametrize("name", ["sick_sicker", "sumatriptan", "partitioned_survival"])
def test_a_run_is_read_back_to_the_bit(name, tmp_path):
    model, base, psa = run(name)
    save_run(tmp_path, identity(model), base, psa)
    found = read_run(tmp_path)
    assert found.identity == identity(model)
    same(found.base, base)
    same(found.psa, psa)


def test_a_run_of_patients_is_read_back_to_the_bit(tmp_path):
    engine = individuals_for(load_model("hiv"), patients=20, seed=SEED, rates=RATES)
    model, base, psa = run("hiv", engine)
    save_run(tmp_path, identity(model), base, psa)
    same(read_run(tmp_path).psa, psa)


def test_a_base_case_alone_has_no_draws(tmp_path):
    model, base, _ = run("hiv")
    save_run(tmp_path, identity(model), base)
    assert read_run(tmp_path).psa is None


def test_the_same_run_gives_the_same_bytes(saved, tmp_path):
    found = read_run(saved)
    save_run(tmp_path, found.identity, found.base, found.psa)
    assert (tmp_path / FILE).read_bytes() == (saved / FILE).read_bytes()
    assert [path.name for path in tmp_path.iterdir()] == [FILE]


@pytest.mark.parametrize("share", [0.0, 0.1, 0.5, 0.9, 0.999])
def test_a_file_with_one_byte_changed_is_refused(saved, tmp_path, share):
    content = bytearray((saved / FILE).read_bytes())
    content[int(share * len(content))] ^= 0xFF
    (tmp_path / FILE).write_bytes(content)
    with pytest.raises(ModelError, match=r"damaged|no file of qalyst"):
        read_run(tmp_path)


def test_a_file_that_was_cut_off_is_refused(saved, tmp_path):
    content = (saved / FILE).read_bytes()
    (tmp_path / FILE).write_bytes(content[: len(content) // 2])
    with pytest.raises(ModelError, match="damaged"):
        read_run(tmp_path)


def test_arrays_of_somebody_else_are_refused(tmp_path):
    np.savez(tmp_path / FILE, costs=np.arange(3.0))
    with pytest.raises(ModelError, match="no file of qalyst"):
        read_run(tmp_path)


def test_a_folder_without_a_run_says_how_to_get_one(tmp_path):
    with pytest.raises(ModelError, match="run the model again"):
        read_run(tmp_path)
    with pytest.raises(ModelError, match="no folder"):
        read_run(tmp_path / "nowhere")


def test_a_model_that_changed_since_the_run_is_refused(saved):
    found = read_run(saved).identity
    assert found.load().sha256 == found.sha256
    with pytest.raises(ModelError, match="has changed since the run"):
        Identity(**{**vars(found), "sha256": "0" * 64}).load()


def read_columns(path):
    with path.open(encoding="utf-8", newline="") as file:
        header, *rows = csv.reader(file)
    return header, np.array(rows, float)


def test_tables_of_draws_hold_costs_effects_and_inputs_to_the_bit(tmp_path):
    model, base, psa = run("sick_sicker")
    write_draws(analyse(model, base, psa), tmp_path, seed=SEED)
    header, costs = read_columns(tmp_path / "draws_costs.csv")
    assert header == list(model.strategies)
    assert np.array_equal(costs, psa.total("costs").to_numpy())
    assert np.array_equal(
        read_columns(tmp_path / "draws_effects.csv")[1], psa.total("qalys").to_numpy()
    )
    inputs = uncertain_inputs(model.parameters, model.used_parameters)
    expected = drawn(inputs, Draws(model.parameters, SEED, np.arange(DRAWS)))
    header, values = read_columns(tmp_path / "draws_inputs.csv")
    assert header == list(expected)
    assert np.array_equal(values, np.stack(list(expected.values()), axis=1))

"""Draws until an error is small enough, and designs of a whole run."""

import json

import numpy as np
import pytest
from typer.testing import CliRunner

from qalyst import load_model
from qalyst.cli import app
from qalyst.errors import ModelError
from qalyst.growing import first_draws, precision, simulate_until, tolerance
from qalyst.io.store import ChunkStore
from qalyst.params.draws import Draws, coordinates
from qalyst.simulation import design_for, draws_of, engine_for, simulate
from qalyst.stats.addresses import uniforms


@pytest.fixture(scope="module")
def hiv():
    model = load_model("hiv")
    object.__setattr__(model.decision, "thresholds", (8000.0,))
    return model


@pytest.fixture(scope="module")
def engine(hiv):
    return engine_for(hiv)


def test_plain_draws_are_the_quantiles_of_the_addressed_uniforms(hiv):
    index = np.arange(40)
    values = Draws(hiv.parameters, 7, index)
    checked = 0
    for record, cell in coordinates(hiv.parameters, hiv.used_parameters):
        parameter = hiv.parameters.get(record)
        if cell or parameter is None or parameter.joint or list(parameter.values) != [()]:
            continue
        own = parameter.uncertainty[()].quantile(
            parameter.values[()], uniforms(7, record, "", index)
        )
        assert (values.raw(parameter, ()) == own).all()
        checked += 1
    assert checked > 0


def test_every_uncertain_number_is_a_coordinate(hiv):
    design = design_for(hiv, "sobol", seed=7, draws=16)
    values = draws_of(hiv, 7, np.arange(16), design)
    for name in hiv.used_parameters:
        for path in hiv.parameters[name].values:
            drawn = values.raw(hiv.parameters[name], path)
            assert np.ptp(drawn) > 0 or not hiv.parameters[name].drawn


@pytest.mark.parametrize("sampling", ["random", "sobol"])
def test_draws_go_on_until_the_error_holds_and_are_those_of_a_fresh_run(
    hiv, engine, sampling, tmp_path
):
    wanted = tolerance("60" if sampling == "random" else "2")
    with ChunkStore(tmp_path / "store", "x", resume=False) as store:
        found, design, reached = simulate_until(
            hiv, wanted, seed=7, sampling=sampling, engine=engine, store=store
        )
    assert all(each.holds for each in reached)
    assert found.draws > first_draws(sampling, 8, 10**6)  # it went on
    fresh = simulate(hiv, draws=found.draws, seed=7, engine=engine, design=design)
    for one, other in (
        (found.totals, fresh.totals),
        (found.quantities, fresh.quantities),
        (found.profiles, fresh.profiles),
    ):
        assert one.identical(other)
    half = found.draws // 2
    before = simulate(
        hiv,
        draws=half,
        seed=7,
        engine=engine,
        design=design_for(hiv, sampling, seed=7, draws=half),
    )
    replicates = 1 if design is None else 8
    assert not all(each.holds for each in precision(hiv, before, wanted, replicates))


def test_the_most_draws_stop_it(hiv, engine):
    found, _, reached = simulate_until(hiv, tolerance("0.001"), seed=7, most=1500, engine=engine)
    assert found.draws == 1500
    assert not reached[0].holds


def test_sobol_draws_stay_powers_of_two_below_the_most(hiv, engine):
    found, design, _ = simulate_until(
        hiv, tolerance("1e-9"), seed=7, most=1500, sampling="sobol", engine=engine
    )
    assert (found.draws, design.points) == (1024, 128)


@pytest.mark.parametrize("text", ["much", "0", "-3", "0%", "inf", "nan", "%"])
def test_what_is_no_error_is_refused(text):
    with pytest.raises(ModelError, match="no Monte Carlo error"):
        tolerance(text)


def test_hypercubes_cannot_grow(hiv):
    with pytest.raises(ModelError, match="cannot grow"):
        simulate_until(hiv, tolerance("5"), seed=1, sampling="latin")


def test_without_thresholds_there_is_no_net_benefit():
    with pytest.raises(ModelError, match="names no threshold"):
        simulate_until(load_model("hiv"), tolerance("5"), seed=1)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--until", "5", "--draws", "100"], "--until chooses the draws"),
        (["--until", "5", "--deterministic"], "--until chooses the draws"),
        (["--most-draws", "5"], "nothing draws on"),
        (["--replicates", "8"], "have no replicates"),
        (["--sampling", "sobol", "--deterministic"], "no draws to sample"),
        (["--sampling", "sobol", "--patients", "10"], "luck of patients"),
        (["--sampling", "sobol", "--draws", "1000"], "--draws 512 or 1024"),
        (["--sampling", "latin", "--draws", "12", "--replicates", "1"], "shows no error"),
    ],
)
def test_requests_that_make_no_sense_are_refused(options, words, tmp_path):
    done = CliRunner().invoke(app, ["run", "hiv", *options, "--out", str(tmp_path / "x"), "--json"])
    assert done.exit_code == 1
    assert words in json.dumps(json.loads(done.stdout)["errors"])


def test_a_run_tells_its_design(tmp_path):
    out = tmp_path / "x"
    words = ["run", "hiv", "--sampling", "sobol", "--draws", "64", "--out", str(out), "--json"]
    done = CliRunner().invoke(app, words)
    found = json.loads(done.stdout)
    assert found["sampling"]["design"] == "sobol"
    assert (found["sampling"]["replicates"], found["sampling"]["points"]) == (8, 8)
    assert any("scrambled Sobol points" in note for note in found["notes"])
    origin = json.loads((out / "provenance.json").read_text())
    assert (origin["sampling"], origin["replicates"]) == ("sobol", 8)
    assert "--sampling sobol --replicates 8" in origin["rerun"]

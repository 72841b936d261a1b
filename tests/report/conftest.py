"""Runs of the twelve-strategy model, each simulated once."""

import warnings
from pathlib import Path

import pytest

from qalyst.analysis import analyse
from qalyst.model.resolve import load_model
from qalyst.simulation import base_case, engine_for, simulate

TWELVE = str(Path(__file__).parent / "models" / "twelve.yaml")
SEED = 7


def run(name=TWELVE, *, scenario=(), draws=100, values=None):
    """The analysis of a model."""
    model = load_model(name, scenarios=scenario, values=values)
    engine = engine_for(model)
    psa = simulate(model, draws=draws, seed=SEED, engine=engine) if draws else None
    return analyse(model, base_case(model, engine), psa)


@pytest.fixture(scope="session")
def twelve():
    return run()


@pytest.fixture(scope="session")
def three():
    return run(scenario=("three",))


@pytest.fixture(scope="session")
def two():
    return run(scenario=("two",))


@pytest.fixture(scope="session")
def one():
    return run(scenario=("one",))


@pytest.fixture(scope="session")
def undrawn():
    return run(scenario=("three",), draws=0)


@pytest.fixture(scope="session")
def tree():
    return run("sumatriptan", draws=0)


@pytest.fixture(scope="session")
def nelm():
    return run("nelm", draws=0)


@pytest.fixture(scope="session")
def written(three, tmp_path_factory):
    """The report of three strategies, as a folder."""
    from qalyst.report.write import write_report

    folder = tmp_path_factory.mktemp("report")
    command = {"model": "twelve", "scenarios": ["three"], "values": ["c_infusion=6400.5"]}
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        write_report(three, folder, seed=SEED, draws=100, command=command)
    return folder

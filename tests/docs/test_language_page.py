"""The page of the language: complete, up to date, and its examples run."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from qalyst import analyse, base_case, load_model
from qalyst.commands.check import check_model
from qalyst.model.schema import SECTIONS, TimeSection
from qalyst.model.vocabulary import FUNCTIONS, RESERVED
from qalyst.stats import differences
from qalyst.stats.survival import FAMILIES
from qalyst.stats.uncertainty import Uncertainty

DOCS = Path(__file__).parents[2] / "docs"
PAGE = (DOCS / "language.md").read_text(encoding="utf-8")
BLOCK = re.compile(r"^```yaml (model|parameters (\w+))\n(.*?)^```$", re.DOTALL | re.MULTILINE)


def name_of(model: str) -> str:
    found = re.search(r"^model: (\w+)$", model, re.MULTILINE)
    assert found, model
    return found[1]


MODELS = {name_of(text): text for kind, _, text in BLOCK.findall(PAGE) if kind == "model"}
PARAMETERS = {name: text for _, name, text in BLOCK.findall(PAGE) if name}


@pytest.fixture
def model_file(tmp_path):
    """Write an example of the page with its parameter file; give the path of the model."""

    def write(name: str) -> str:
        for folder, files in (("models", MODELS), ("params", PARAMETERS)):
            (tmp_path / folder).mkdir()
            (tmp_path / folder / f"{name}.yaml").write_text(files[name])
        return str(tmp_path / "models" / f"{name}.yaml")

    return write


def literals(key: str) -> list[str]:
    return re.findall(r"'([\w-]+)'", repr(TimeSection.model_fields[key].annotation))


def families() -> list[str]:
    return [family.model_fields["family"].default for family in Uncertainty.__origin__.__args__]


def test_the_word_tables_are_those_of_the_program():
    command = [sys.executable, str(DOCS / "generate_language_tables.py"), "--check"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    "word",
    [
        *FUNCTIONS,
        *RESERVED,
        *SECTIONS,
        *FAMILIES,
        *families(),
        *differences.FAMILIES,
        *literals("correction"),
        *literals("events_per_cycle"),
        *literals("one_off"),
        *literals("discounting"),
    ],
)
def test_every_word_is_on_the_page(word):
    assert re.search(rf"`{re.escape(word)}[`(]", PAGE), word


def test_every_example_has_its_parameters():
    assert len(MODELS) >= 6
    assert set(MODELS) == set(PARAMETERS)


@pytest.mark.parametrize("name", MODELS)
def test_every_example_passes_its_check_and_runs(name, model_file):
    path = model_file(name)
    assert check_model(path)["model"] == name
    assert base_case(load_model(path)).totals.discounted.notnull().all()


def test_the_example_of_two_drugs_gives_an_icer(model_file):
    model = load_model(model_file("two_drugs"))
    table = analyse(model, base_case(model)).base_incremental
    assert table is not None
    assert table["old"].status == "reference"
    assert table["new"].compared_with == "old"
    assert table["new"].icer > 0


def test_the_curves_of_the_algebra_are_in_their_order(model_file):
    outcomes = base_case(load_model(model_file("curve_algebra")))
    years = outcomes.total("life_years").isel(draw=0)
    plain = {name: float(years.sel(strategy=name)) for name in years.strategy.values}
    assert plain["never"] == pytest.approx(20, rel=1e-12)  # nobody dies within the horizon
    assert plain["cured"] > plain["mixed"]
    assert plain["worse"] > plain["waning"] > plain["capped"]  # a ratio of 0.6, and its waning

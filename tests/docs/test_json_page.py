"""The page of the JSON objects names every key that a command writes."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from typer.main import get_command
from typer.testing import CliRunner

from qalyst import analyse, load_model
from qalyst.cli import app
from qalyst.report.run_data import run_data
from qalyst.simulation import base_case, simulate

PAGE = (Path(__file__).parents[2] / "docs" / "json.md").read_text(encoding="utf-8")
PARTS = dict(re.findall(r"^## (\w+)\n(.*?)(?=^## |\Z)", PAGE, re.DOTALL | re.MULTILINE))
# objects whose keys are the model's own names; how many levels of names they have
NAMED = {
    "base_case": 2,
    "base_case_undiscounted": 2,
    "probabilistic": 2,
    "probability": 1,
    "compartments": 1,
    "kinds": 0,
    "outcomes": 1,
    "profiles": 2,
    "attributes": 1,
    "strategies": 1,
    "treatments": 1,
    "states": 1,
    "track": 1,
    "define": 1,
    "curves": 1,
    "occupancy": 1,
    "distribution": 2,
    "profile": 1,
    "discounted": 2,
    "undiscounted": 2,
    "nmb": 1,
    "values": 1,
    "discounts": 1,
    "labels": 1,
    "expects": 1,
}
MODELS = Path(__file__).parents[1] / "sensitivity" / "models"
WITH_COLUMNS = ("profiles", "strategies", "treatments", "states")  # a row holds columns as well
RESERVED = {
    "weight",
    "label",
    "sequence",
    "absorbing",
    "instant",
    "per_line",
    "residence_years",
}


def keys(value: Any, names: int = 0, columns: bool = False) -> set[str]:
    """Keys of an object that are the program's, not names of the model."""
    if isinstance(value, list):
        return {key for item in value for key in keys(item, names, columns)}
    if not isinstance(value, dict):
        return set()
    if names:
        return {key for item in value.values() for key in keys(item, names - 1, columns)}
    if columns:
        return set(value) & RESERVED
    below = (keys(item, NAMED.get(key, 0), key in WITH_COLUMNS) for key, item in value.items())
    return set(value).union(*below)


def as_json(*words: str) -> dict[str, Any]:
    done = CliRunner().invoke(app, [*words, "--json"])
    found = json.loads(done.stdout)
    assert isinstance(found, dict)
    return found


def unnamed(part: str, found: set[str], *others: str) -> set[str]:
    text = "".join(PARTS[name] for name in (part, *others))
    return {key for key in found if f"`{key}`" not in text}


def test_every_command_has_a_part():
    commands = {name for name in get_command(app).commands}
    assert commands - set(PARTS) == set()


def test_list_is_on_the_page():
    assert unnamed("list", keys(as_json("list"))) == set()


@pytest.mark.parametrize(
    "model", ["hiv", "sick_sicker_residence", "sumatriptan", "partitioned_survival"]
)
def test_check_is_on_the_page(model):
    assert unnamed("check", keys(as_json("check", model))) == set()


@pytest.mark.parametrize(
    "model", ["hiv", "nelm", "sumatriptan", "partitioned_survival", "survival_chain", "thr"]
)
def test_show_is_on_the_page(model):
    assert unnamed("show", keys(as_json("show", model))) == set()


def test_keys_that_only_some_models_have_are_met():
    assert {"values", "value_in_years"} <= keys(as_json("show", "nelm"))
    assert "residence_years" in keys(as_json("show", "nelm"))
    assert "when" in keys(as_json("show", "nelm"))


def run(model_name: str, draws: int | None, *scenarios: str) -> dict[str, Any]:
    model = load_model(model_name, scenarios=scenarios)
    base = base_case(model)
    psa = None if draws is None else simulate(model, draws=draws, seed=1, threads=1)
    return run_data(analyse(model, base, psa), seed=1, draws=draws)


@pytest.mark.parametrize("draws", [None, 1, 20])
def test_results_are_on_the_page(draws):
    assert unnamed("run", keys(run("hiv", draws))) == set()


def test_results_with_thresholds_are_on_the_page():
    found = run("nelm", 20, "base_case_man")
    assert found["thresholds"]
    assert unnamed("run", keys(found)) == set()


def test_what_run_adds_is_on_the_page(tmp_path):
    found = as_json("run", "hiv", "--draws", "20", "--out", str(tmp_path / "results"))
    assert unnamed("run", keys(found)) == set()
    assert {"folder", "files"} <= set(found)


def test_results_of_patients_are_on_the_page(tmp_path):
    words = ("--engine", "individuals", "--patients", "50", "--draws", "4")
    found = as_json("run", "krijkamp", *words, "--out", str(tmp_path / "results"))
    assert found["variance"]
    assert unnamed("run", keys(found)) == set()


@pytest.mark.parametrize("model", ["thr", "partitioned_survival"])
def test_verify_is_on_the_page(model):
    assert unnamed("verify", keys(as_json("verify", model, "--patients", "500"))) == set()


def test_errors_are_on_the_page():
    found = as_json("run", "hiv", "--set", "c_a=-3")
    assert set(found) == {"errors"}
    assert unnamed("Errors", keys(found)) == set()


def test_patients_are_on_the_page(tmp_path):
    found = as_json("patients", "nelm", "--patients", "5", "--out", str(tmp_path / "results"))
    assert unnamed("patients", keys(found)) == set()
    (example,) = re.findall(r"^```json\n(.*?)^```$", PARTS["patients"], re.DOTALL | re.MULTILINE)
    assert set(json.loads(example)) == set(found)


def test_the_example_of_patients_is_that_of_the_program(tmp_path):
    (block,) = re.findall(r"^```json\n(.*?)^```$", PARTS["patients"], re.DOTALL | re.MULTILINE)
    example = json.loads(block)
    words = ("--patients", "100", "--story", "15", "--format", "csv")
    found = as_json("patients", "thr", *words, "--out", str(tmp_path / "results"))
    for key in ("model", "title", "scenarios", "seed", "patients", "stories", "format"):
        assert example[key] == found[key], key
    spread = [each["distribution"]["np1"]["qalys"] for each in (example, found)]
    assert spread[0].pop("unit") == spread[1].pop("unit")
    assert spread[0] == pytest.approx(spread[1], rel=1e-9)


def test_every_example_is_json():
    blocks = re.findall(r"^```json\n(.*?)^```$", PAGE, re.DOTALL | re.MULTILINE)
    assert len(blocks) >= 6
    assert all(isinstance(json.loads(block), dict) for block in blocks)


def test_the_example_of_a_run_is_that_of_the_program(tmp_path):
    example = next(
        json.loads(block)
        for block in re.findall(r"^```json\n(.*?)^```$", PARTS["run"], re.DOTALL | re.MULTILINE)
    )
    found = as_json("run", "hiv", "--draws", "200", "--out", str(tmp_path / "results"))
    for key in ("model", "title", "scenarios", "seed", "draws", "thresholds"):
        assert example[key] == found[key], key
    assert example["base_case"]["combination"]["costs"] == pytest.approx(
        found["base_case"]["combination"]["costs"], rel=1e-9
    )
    assert example["incremental"][0]["icer"] == pytest.approx(
        found["incremental"][1]["icer"], rel=1e-9
    )


def test_decide_is_on_the_page(tmp_path):
    (tmp_path / "costs.csv").write_text("a,b\n" + "1,2\n3,3\n" * 40)
    (tmp_path / "qalys.csv").write_text("a,b\n" + "1,2\n2,1\n" * 40)
    (tmp_path / "params.csv").write_text("x\n" + "1\n2\n" * 40)
    files = [str(tmp_path / f"{name}.csv") for name in ("costs", "qalys")]
    words = ("--params", str(tmp_path / "params.csv"), "--wtp", "10")
    found = as_json("decide", *files, *words, "--out", str(tmp_path / "results"))
    assert found["evppi"]
    assert unnamed("decide", keys(found) - keys(found["evppi"])) == set()
    assert unnamed("voi", keys(found["evppi"])) == set()


def test_voi_is_on_the_page(tmp_path):
    found = as_json("voi", "hiv", "--wtp", "6000", "--draws", "60", "--out", str(tmp_path / "v"))
    assert unnamed("voi", keys(found)) == set()


def test_groups_and_persons_of_voi_are_on_the_page(tmp_path):
    words = ("--wtp", "6000", "--draws", "60", "--group", "x=c_a,c_b", "--persons", "10")
    found = as_json("voi", "hiv", *words, "--out", str(tmp_path / "v"))
    assert found["persons"] > 10
    assert found["thresholds"][0]["groups"]
    assert unnamed("voi", keys(found)) == set()


@pytest.fixture(scope="module")
def kept(tmp_path_factory) -> str:
    place = str(tmp_path_factory.mktemp("runs") / "ss")
    as_json("run", "sick_sicker", "--draws", "12", "--rates", "none", "--out", place)
    return place


@pytest.mark.parametrize(
    "asked", [("--price", "c_a=5000"), ("--discount", "c_a=25%"), ("--utility", "u_sick=0.7")]
)
def test_reprice_is_on_the_page(kept, asked):
    found = as_json("reprice", kept, *asked)
    assert {"folder", "files"} <= set(found)
    assert bool(found["new_run"]) == (asked[0] == "--utility")
    assert unnamed("reprice", keys(found), "run") == set()


def test_rates_of_reprice_are_on_the_page(kept):
    found = as_json("reprice", kept, "--rates", "us")
    assert found["asked"]["rates"]
    assert unnamed("reprice", keys(found), "run") == set()


@pytest.mark.parametrize("name", ["nice_2022", "nice_2026", "cda", "us", "zin", "pbac"])
def test_a_guideline_is_on_the_page(name):
    found = as_json("guidelines", name)
    sources = found.pop("sources")
    assert unnamed("guidelines", {"sources"} | keys(found) | keys(list(sources.values()))) == set()


def test_guidelines_are_on_the_page():
    assert unnamed("guidelines", keys(as_json("guidelines"))) == set()


def test_severity_is_on_the_page(kept):
    who = ("--strategy", "standard", "--age", "25", "--female", "0.5")
    found = as_json("severity", kept, "--guideline", "nice_2022", *who)
    assert found["chances"]
    assert unnamed("severity", keys(found), "run") == set()


@pytest.mark.parametrize(("model", "wtp"), [("hiv", "10000"), ("sick_sicker", "50000")])
def test_compare_is_on_the_page(model, wtp, tmp_path):
    words = ("--wtp", wtp, "--draws", "10", "--out", str(tmp_path / "c"))
    found = as_json("compare", model, *words)
    assert unnamed("compare", keys(found), "run") == set()


HIV = ("hiv", "--wtp", "10000")
SENSITIVITY = [
    ("tornado", *HIV, "--parameter", "c_a"),
    ("grid", HIV[0], "rr_combination=0.4:1:2", "c_lamivudine=0:10000:2", *HIV[1:]),
    ("threshold", HIV[0], "rr_combination", "--between", "0.4:1.2", *HIV[1:]),
    ("threshold", HIV[0], "rr_combination", "--between", "0.4:1.2", *HIV[1:], "--draws", "5"),
    ("threshold", HIV[0], "c_lamivudine", "--price", *HIV[1:]),
    ("scenarios", *HIV, "--cross", "half_cycle,undiscounted"),
    ("elasticities", *HIV, "--parameter", "c_lamivudine"),
]


@pytest.mark.parametrize("words", SENSITIVITY)
def test_sensitivity_is_on_the_page(words, tmp_path):
    found = as_json(*words, "--out", str(tmp_path / "s"))
    assert unnamed(words[0], keys(found), "sensitivity") == set()


def test_points_are_on_the_page(tmp_path):
    table = tmp_path / "points.csv"
    table.write_text("name,c_lamivudine\ncheaper,1000\n")
    found = as_json("points", "hiv", str(table), *HIV[1:], "--out", str(tmp_path / "s"))
    assert unnamed("points", keys(found), "sensitivity") == set()


def test_flip_is_on_the_page():
    found = as_json("flip", "hiv", "--wtp", "8000")
    assert found["flips"][0]["sources"]
    assert unnamed("flip", keys(found)) == set()


def test_evsi_is_on_the_page(tmp_path):
    words = ("--study", "sick_sicker_utilities", "--wtp", "125000", "--draws", "100")
    found = as_json("evsi", "sick_sicker", *words, "--out", str(tmp_path / "e"))
    assert found["enbs"]
    assert unnamed("evsi", keys(found)) == set()


def test_profiles_are_on_the_page(tmp_path):
    words = ("--wtp", "30000", "--draws", "5", "--out", str(tmp_path / "p"))
    found = as_json("profiles", str(MODELS / "by_grade.yaml"), *words)
    assert found["subgroups"]
    assert found["rule"]
    assert unnamed("profiles", keys(found), "run") == set()


def test_sequences_are_on_the_page(tmp_path):
    words = ("--lines", "3", "--draws", "4", "--threads", "1", "--out", str(tmp_path / "q"))
    found = as_json("sequences", str(MODELS / "lines.yaml"), *words)
    assert found["by_profile"]
    by_treatment = found["rules"].pop("rules")
    assert unnamed("sequences", keys(found) | keys(list(by_treatment.values()))) == set()


def test_checks_of_voi_are_on_the_page(tmp_path):
    words = ("--wtp", "6000", "--draws", "60", "--check", "c_a", "--budget", "15000")
    found = as_json("voi", "hiv", *words, "--out", str(tmp_path / "v"))
    assert found["checks"]
    assert unnamed("voi", keys(found)) == set()

"""The commands as a user types them: words, JSON, exit codes, and what is (not) written."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from qalyst.cli import app
from qalyst.errors import ModelError
from qalyst.io.files import written_whole

runner = CliRunner()


@pytest.fixture(autouse=True)
def _in_an_empty_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def call(*words: str):
    return runner.invoke(app, list(words))


def as_json(*words: str):
    result = call(*words, "--json")
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


def test_list_names_the_catalogue_with_titles():
    models = as_json("list")["models"]
    names = {model["name"] for model in models}
    assert {"nelm", "sick_sicker", "hiv", "thr", "heart_valve", "sumatriptan"} <= names
    assert all(model["title"] for model in models)


def test_every_model_of_the_catalogue_passes_its_check():
    for model in as_json("list")["models"]:
        found = as_json("check", model["name"])
        assert found["parameters"] == sum(found["parameter_status"].values())


def test_show_tells_parameters_with_unit_and_source():
    found = as_json("show", "nelm")
    assert set(found["strategies"]) == {"resection_first", "arterial_first", "systemic_first"}
    assert {"resection", "embolisation", "prrt"} <= set(found["treatments"])
    assert "of_their_time" in found["known_scenarios"]
    row = next(p for p in found["parameters"] if p["name"] == "p_death_resection")
    assert row["unit"] == "probability"
    assert row["value"] == pytest.approx(11 / 1163)
    assert "NSQIP" in row["source"]
    assert {"counted", "how_often", "discounted"} <= set(found["timing_ledger"][0])
    assert found["diagram"].startswith("flowchart")


def test_show_carries_money_to_the_price_year_of_the_model():
    found = as_json("show", "nelm")
    row = next(p for p in found["parameters"] if p["name"] == "c_prrt")
    # price index of personal consumption expenditures: 123.666 (2024) over 103.509 (2019)
    assert row["index_factor"] == pytest.approx(123.666 / 103.509, rel=1e-9)
    assert row["value_in_years"] == pytest.approx(205_200 * 123.666 / 103.509, rel=1e-9)


def test_run_gives_the_published_totals_and_writes_everything(tmp_path):
    found = as_json("run", "hiv", "--draws", "100", "--out", "here")
    # Briggs et al. 2006, exercise 2.5: printed by the book's Excel
    assert found["base_case"]["monotherapy"]["costs"] == pytest.approx(44_663.45, abs=0.01)
    assert found["base_case"]["combination"]["life_years"] == pytest.approx(8.937, abs=5e-4)
    kinds = {path.suffix for path in (tmp_path / "here").rglob("*") if path.is_file()}
    assert {".html", ".csv", ".png", ".svg", ".json"} <= kinds
    assert sorted(found["files"]) == sorted(
        str(path.relative_to(tmp_path / "here"))
        for path in (tmp_path / "here").rglob("*")
        if path.is_file()
    )


def test_run_ends_with_the_sentence():
    result = call("run", "hiv", "--draws", "50", "--out", "here")
    assert result.exit_code == 0
    sentence = as_json("run", "hiv", "--draws", "50", "--out", "here")["sentence"]
    assert " ".join(sentence.split()) in " ".join(result.stdout.split())


def test_the_base_case_alone_needs_no_draws():
    found = as_json("run", "sumatriptan", "--deterministic", "--out", "here")
    assert found["probabilistic"] is None
    assert found["base_case"]["caffeine"]["costs"] == pytest.approx(4.71, abs=5e-3)


def test_setting_a_parameter_changes_the_result_and_its_provenance(tmp_path):
    plain = as_json("run", "hiv", "--deterministic", "--out", "a")
    dearer = as_json("run", "hiv", "--deterministic", "--set", "c_zidovudine=3278", "--out", "b")
    years = plain["base_case_undiscounted"]["monotherapy"]["life_years"]
    more = (
        dearer["base_case_undiscounted"]["monotherapy"]["costs"]
        - plain["base_case_undiscounted"]["monotherapy"]["costs"]
    )
    assert more == pytest.approx(1000 * years, rel=1e-12)
    assert "c_zidovudine=3278" in (tmp_path / "b" / "provenance.json").read_text()


def test_one_draw_has_no_error_and_no_interval():
    result = call("run", "hiv", "--draws", "1", "--out", "here")
    assert "(–)" in result.stdout
    assert "(0)" not in result.stdout
    found = as_json("run", "hiv", "--draws", "1", "--out", "here")
    costs = found["probabilistic"]["monotherapy"]["costs"]
    assert costs["mean"] > 0
    assert [costs[key] for key in ("mcse", "low", "high")] == [None, None, None]


def test_show_names_the_scenarios_that_can_be_asked_for():
    words = " ".join(call("show", "hiv", "--scenario", "half_cycle").stdout.split())
    assert "scenarios applied: half_cycle scenarios: half_cycle, undiscounted" in words


def test_a_run_tells_what_to_know_before_trusting_it():
    result = call("run", "hiv", "--draws", "20", "--out", "here")
    words = " ".join(result.stdout.split())
    found = as_json("run", "hiv", "--draws", "20", "--out", "here")["notes"]
    assert any("written from memory" in note for note in found)
    for note in found:
        assert f"note: {' '.join(note.split())}" in words


def test_the_terminal_says_what_was_set():
    words = ["--set", "c_zidovudine=3278", "--set", "p_a[b]=0.2"]
    for command in (["run", "hiv", "--deterministic", "--out", "b"], ["show", "hiv"]):
        assert "set by --set: c_zidovudine=3278; p_a[b]=0.2" in call(*command, *words).stdout


def test_a_cell_of_a_table_can_be_set():
    found = as_json("show", "thr", "--set", "p_die_other[female, 65]=0.02")
    row = [p for p in found["parameters"] if p["name"] == "p_die_other"]
    assert any(p["value"] == 0.02 and p["cell"] == "[female, 65]" for p in row)


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--set", "rr_combination=-1"], ["rr_combination", "0 or more"]),
        (["--set", "rr_combination=nan"], ["rr_combination", "finite"]),
        (["--set", "rr_combination=inf"], ["rr_combination", "finite"]),
        (["--set", "rr_combination=__import__('os')"], ["rr_combination", "plain number"]),
        (["--set", "rr_combination=1_0"], ["rr_combination", "'1_0' is no number"]),
        (["--set", "rr_combinatio=0.5"], ["rr_combinatio", "did you mean 'rr_combination'?"]),
        (["--set", "rr_combination"], ["NAME=VALUE"]),
        (["--set", "p_a[b]=1.5"], ["p_a[b]", "between 0 and 1"]),
        (["--set", "p_a=0.5"], ["p_a", "table by to"]),
        (["--set", "c_zidovudine[x]=10"], ["is a single number", "write c_zidovudine=10"]),
        (
            ["--set", "time.horizon=10"],
            ["'time.horizon' is not the name", "a scenario of the model"],
        ),
        (["--scenario", "no_such"], ["no scenario 'no_such'", "half_cycle"]),
        (["--deterministic", "--draws", "50"], ["base case alone has no draws", "keep one"]),
        (["--scenario", "half_cycle", "--scenario", "half_cycle"], ["'half_cycle' is given twice"]),
        (["--out", ""], ["the folder you are in", "name a folder"]),
        (["--out", "."], ["the folder you are in", "name a folder"]),
        (["--draws", "0"], ["draws"]),
        (["--draws", "-5"], ["draws"]),
        (["--seed", "-1"], ["seed"]),
        (["--threads", "0"], ["threads"]),
    ],
)
def test_bad_values_are_refused_in_words_and_nothing_is_written(tmp_path, words, told):
    result = call("run", "hiv", "--out", "here", *words)
    assert result.exit_code == 1
    for word in told:
        assert word in result.output
    assert "Traceback" not in result.output
    assert list(tmp_path.iterdir()) == []


def test_an_unknown_model_is_told_with_the_nearest_name():
    result = call("run", "hvi")
    assert result.exit_code == 1
    assert "did you mean 'hiv'?" in result.output


@pytest.mark.parametrize("word", ["models/my", "my.yaml", "models/my.yml"])
def test_a_path_that_is_almost_right_is_told_with_the_right_one(tmp_path, word):
    (tmp_path / "models").mkdir()
    (tmp_path / "models" / "my.yaml").write_text("model: my\n")
    result = call("check", word)
    assert result.exit_code == 1
    assert "did you mean 'models/my.yaml'?" in result.output


def test_mistakes_come_as_json_too():
    result = call("check", "hvi", "--json")
    assert result.exit_code == 1
    found = json.loads(result.stdout)["errors"][0]
    assert set(found) == {"what", "where", "mend"}


def test_an_option_that_does_not_exist_is_a_usage_error():
    assert call("run", "hiv", "--drawz", "5").exit_code == 2


def test_results_never_replace_a_folder_that_is_no_folder_of_results(tmp_path):
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.txt").write_text("dear")
    result = call("run", "hiv", "--deterministic", "--out", "mine")
    assert result.exit_code == 1
    assert "no folder of results" in result.output
    assert (tmp_path / "mine" / "thesis.txt").read_text() == "dear"


@pytest.mark.parametrize("name", ["notes.docx", "figures/mine.png", "tables/mine/edited.csv"])
def test_a_run_keeps_files_that_the_user_put_among_the_results(tmp_path, name):
    as_json("run", "hiv", "--deterministic", "--out", "here")
    mine = tmp_path / "here" / name
    mine.parent.mkdir(exist_ok=True)
    mine.write_text("dear")
    result = call("run", "hiv", "--deterministic", "--out", "here")
    assert result.exit_code == 1
    assert f"'here' holds '{name}', which no run wrote" in result.output
    assert "move it elsewhere, or name a new folder" in result.output
    assert mine.read_text() == "dear"


def test_a_file_saved_among_the_results_during_a_run_is_kept(tmp_path):
    as_json("run", "hiv", "--deterministic", "--out", "here")
    with pytest.raises(ModelError, match=r"holds 'notes\.txt'"), written_whole(Path("here")):
        (tmp_path / "here" / "notes.txt").write_text("dear")
    assert (tmp_path / "here" / "notes.txt").read_text() == "dear"
    assert [path.name for path in tmp_path.iterdir()] == ["here"]


def test_what_a_file_browser_leaves_does_not_stop_a_run(tmp_path):
    as_json("run", "hiv", "--deterministic", "--out", "here")
    (tmp_path / "here" / ".DS_Store").write_text("view")
    as_json("run", "hiv", "--deterministic", "--out", "here")


def test_a_run_replaces_an_older_run_as_a_whole(tmp_path):
    as_json("run", "hiv", "--draws", "20", "--out", "here")
    assert (tmp_path / "here" / "tables" / "ceac.csv").exists()
    as_json("run", "hiv", "--deterministic", "--out", "here")
    assert not (tmp_path / "here" / "tables" / "ceac.csv").exists()
    assert [path.name for path in tmp_path.iterdir()] == ["here"]


def test_a_run_that_fails_leaves_the_older_run_alone(tmp_path, monkeypatch):
    as_json("run", "hiv", "--draws", "20", "--out", "here")
    before = (tmp_path / "here" / "provenance.json").read_bytes()

    def interrupted(*_args, **_kwargs):
        raise KeyboardInterrupt

    monkeypatch.setattr("qalyst.commands.run.write_report", interrupted)
    assert call("run", "hiv", "--draws", "20", "--out", "here").exit_code == 130
    assert (tmp_path / "here" / "provenance.json").read_bytes() == before
    assert [path.name for path in tmp_path.iterdir()] == ["here"]


def test_a_run_that_cannot_take_its_place_puts_the_older_run_back(tmp_path, monkeypatch):
    as_json("run", "hiv", "--deterministic", "--out", "here")
    before = (tmp_path / "here" / "provenance.json").read_bytes()
    replace = os.replace

    def refused(source, target):
        if Path(source).name.startswith(".here-") and Path(target).name == "here":
            raise PermissionError(13, "Permission denied")
        replace(source, target)

    monkeypatch.setattr("qalyst.io.files.os.replace", refused)
    result = call("run", "hiv", "--deterministic", "--out", "here")
    assert result.exit_code == 1
    assert "'here' cannot be written (Permission denied)" in result.output
    assert (tmp_path / "here" / "provenance.json").read_bytes() == before
    assert [path.name for path in tmp_path.iterdir()] == ["here"]


def test_a_what_if_run_does_not_replace_the_base_run(tmp_path):
    words = ["run", "hiv", "--scenario", "half_cycle", "--deterministic"]
    plain = as_json(*words)["folder"]
    set_too = as_json(*words, "--set", "rr_combination=0.50", "--set", "c_zidovudine=1")["folder"]
    assert plain == str(Path("results") / "hiv-half_cycle")
    assert set_too == str(Path("results") / "hiv-half_cycle-c_zidovudine=1-rr_combination=0.5")
    assert all((tmp_path / folder / "index.html").is_file() for folder in (plain, set_too))


def test_a_folder_is_asked_for_when_its_name_would_be_too_long():
    steps = [f"p_die_other[{sex}, {age}]" for sex in ("female", "male") for age in (35, 45, 55, 65)]
    words = [word for step in steps for word in ("--set", f"{step}=0.02")]
    result = call("run", "thr", "--deterministic", *words)
    assert result.exit_code == 1
    assert "--out results/mine" in result.output


def test_local_models_come_before_the_catalogue(tmp_path):
    (tmp_path / "models").mkdir()
    text = "model: hiv\ntitle: Mine\n"
    (tmp_path / "models" / "hiv.yaml").write_text(text)
    result = call("check", "hiv")
    assert result.exit_code == 1
    assert "models/hiv.yaml" in result.output


@pytest.mark.parametrize("words", [["--help"], ["check", "hiv"], ["show", "sick_sicker"], ["list"]])
def test_light_commands_import_nothing_heavy(words):
    code = (
        "import sys; from qalyst.cli import app\n"
        f"try: app({words!r})\nexcept SystemExit: pass\n"
        "heavy = {'numba', 'scipy.stats', 'matplotlib', 'pandas', 'xarray'} & set(sys.modules)\n"
        "sys.exit(str(heavy) if heavy else 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


@pytest.fixture
def with_a_bad_target(tmp_path):
    """A model whose table of published survival names a strategy that it does not have."""
    base = Path(__file__).parents[1] / "invalid"
    for folder in ("models", "params/targets"):
        (tmp_path / folder).mkdir(parents=True)
    model = (base / "base.yaml").read_text() + "targets: {file: seen, scenarios: []}\n"
    (tmp_path / "models" / "base.yaml").write_text(model)
    (tmp_path / "params" / "base.yaml").write_text((base / "base_parameters.yaml").read_text())
    (tmp_path / "params" / "targets" / "seen.csv").write_text(
        "series,strategy,months,survival_percent,n,low,high,role,source,doi,status\n"
        "Smith,odl,12,80,100,,,validation,Smith 2001,,retrieved\n"
    )


@pytest.mark.usefixtures("with_a_bad_target")
def test_a_fault_of_the_published_targets_is_told_by_check():
    result = call("check", "base")
    assert result.exit_code == 1
    for word in ("no strategy 'odl'", "seen.csv:2", "did you mean 'old'?"):
        assert word in result.output


@pytest.mark.usefixtures("with_a_bad_target")
def test_a_fault_of_the_published_targets_is_told_before_the_draws(monkeypatch):
    def drawn(*_args, **_kwargs):
        raise AssertionError("the draws were run first")

    monkeypatch.setattr("qalyst.commands.run.simulate", drawn)
    result = call("run", "base", "--out", "here")
    assert result.exit_code == 1
    assert "no strategy 'odl'" in result.output

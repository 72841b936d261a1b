"""`qalyst patients` as a user types it: what is written, what is said, what is refused."""

from __future__ import annotations

import importlib.util
import json
import shlex

import pandas as pd
import pytest
from typer.testing import CliRunner

from qalyst.cli import app

runner = CliRunner()


@pytest.fixture(autouse=True)
def _in_an_empty_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def call(*words: str):
    return runner.invoke(app, ["patients", *words])


def as_json(*words: str):
    result = call(*words, "--json")
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


def without_pyarrow(monkeypatch):
    found = importlib.util.find_spec

    def spec(name: str, *rest):
        return None if name == "pyarrow" else found(name, *rest)

    monkeypatch.setattr("qalyst.report.patients_report.find_spec", spec)


def test_everything_is_written_and_listed(tmp_path):
    found = as_json("thr", "--patients", "50", "--format", "csv")
    folder = tmp_path / "results" / "thr-patients"
    assert found["folder"] == "results/thr-patients"
    names = sorted(p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file())
    assert found["files"] == names
    assert set(names) == {
        "provenance.json",
        "stories.txt",
        *(f"figures/{n}.{e}" for n in ("survival", "distribution") for e in ("png", "svg")),
        *(
            f"tables/{name}.csv"
            for name in ("patients", "stays", "distribution", "subgroups", "kaplan_meier")
        ),
    }
    patients = pd.read_csv(folder / "tables" / "patients.csv")
    columns = ["patient", "strategy", "sex", "age_at_operation", "costs", "qalys"]
    assert list(patients.columns) == columns
    assert len(patients) == 100
    mean = patients.groupby("strategy")["costs"].mean()["np1"]
    assert found["distribution"]["np1"]["costs"]["mean"] == pytest.approx(mean, rel=1e-9)


def test_the_first_three_stories_are_kept_and_none_is_shown(tmp_path):
    shown = call("sick_sicker", "--patients", "5", "--out", "here").stdout
    text = (tmp_path / "here" / "stories.txt").read_text(encoding="utf-8")
    assert [f"Patient {k}" in text for k in range(4)] == [True, True, True, False]
    assert "Patient 0" not in shown
    assert "Treatment B" in shown


def test_a_story_that_is_asked_for_is_told(tmp_path):
    words = ("nelm", "--patients", "20", "--story", "12", "--story", "3", "--out", "here")
    shown = call(*words).stdout
    text = (tmp_path / "here" / "stories.txt").read_text(encoding="utf-8")
    for number in (12, 3):
        assert f"Patient {number} (age at start 57" in shown
        assert f"Patient {number} (age at start 57" in text
    assert "Patient 0 " not in text
    assert " ".join(text.split()) in " ".join(shown.split())


def test_the_rerun_of_the_provenance_gives_the_same_bytes(tmp_path):
    words = ("thr", "--patients", "30", "--seed", "5", "--set", "c_standard=4000", "--story", "7")
    call(*words, "--format", "csv", "--out", "first")
    first = json.loads((tmp_path / "first" / "provenance.json").read_text(encoding="utf-8"))
    again = shlex.split(first["rerun"])
    assert again[:2] == ["qalyst", "patients"]
    assert call(*again[2:], "--out", "first").exit_code == 0  # in its place
    assert call(*again[2:], "--out", "second").exit_code == 0
    second = json.loads((tmp_path / "second" / "provenance.json").read_text(encoding="utf-8"))
    assert first["outputs"] == second["outputs"]
    assert first["engine"] == "individuals"
    assert first["patients"] == 30


def test_scenarios_and_values_name_the_folder(tmp_path):
    found = as_json("sick_sicker", "--patients", "2", "--scenario", "no_discounting")
    assert found["folder"] == "results/sick_sicker-patients-no_discounting"
    assert found["scenarios"] == ["no_discounting"]


def test_parquet_without_pyarrow_is_refused(tmp_path, monkeypatch):
    without_pyarrow(monkeypatch)
    result = call("thr", "--format", "parquet")
    assert result.exit_code == 1
    assert "pip install 'qalyst[parquet]'" in result.stderr
    assert list(tmp_path.iterdir()) == []


def test_without_pyarrow_tables_are_csv(monkeypatch):
    without_pyarrow(monkeypatch)
    assert as_json("thr", "--patients", "5")["format"] == "csv"


def test_parquet_holds_what_csv_holds(tmp_path):
    for form in ("csv", "parquet"):
        assert (
            as_json("nelm", "--patients", "20", "--format", form, "--out", form)["format"] == form
        )
    for name in ("patients", "stays"):
        table = pd.read_parquet(tmp_path / "parquet" / "tables" / f"{name}.parquet")
        text = pd.read_csv(tmp_path / "csv" / "tables" / f"{name}.csv", keep_default_na=False)
        pd.testing.assert_frame_equal(table, text, rtol=1e-9, check_dtype=False)


@pytest.mark.parametrize(
    ("words", "what"),
    [
        (("thr", "--patients", "0"), "0 patients are none"),
        (("thr", "--patients", "-5", "--story", "0"), "-5 patients are none"),
        (("thr", "--patients", "10", "--story", "10"), "no patient 10 among 10"),
        (("thr", "--story", "-1"), "no patient -1 among 1,000"),
        (("thr", "--seed", "-1"), "the seed -1"),
        (("partitioned_survival",), "gives shares of states, not causes"),
        (("thr", "--out", ""), "the folder you are in"),
        (("thrr",), "no model 'thrr'"),
    ],
)
def test_bad_requests_are_refused_in_words_and_write_nothing(tmp_path, words, what):
    result = call(*words)
    assert result.exit_code == 1
    assert what in result.stderr
    assert "mend:" in result.stderr
    assert list(tmp_path.iterdir()) == []

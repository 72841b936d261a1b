"""`qalyst voi` as a user types it."""

from __future__ import annotations

import json
import shlex
from pathlib import Path

import pytest
from typer.testing import CliRunner

from qalyst.cli import app

MODEL = str(Path(__file__).parents[1] / "sensitivity" / "models" / "by_grade.yaml")
WORDS = (
    "--wtp",
    "30000,20000",
    "--group",
    "gains=du_g1,du_g2",
    "--persons",
    "100",
    "--draws",
    "60",
)


def call(*words: str):
    return CliRunner().invoke(app, list(words))


@pytest.fixture(autouse=True)
def _in_an_empty_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def test_the_command_of_the_provenance_gives_the_same_files():
    first = call("voi", MODEL, *WORDS, "--out", "one", "--json")
    assert first.exit_code == 0, first.output
    record = json.loads(Path("one/provenance.json").read_text(encoding="utf-8"))
    program, *again = shlex.split(record["rerun"])
    assert program == "qalyst"
    second = call(*again, "--out", "two", "--json")
    assert second.exit_code == 0, second.output
    found = json.loads(first.stdout)
    assert [each["wtp"] for each in found["thresholds"]] == [30_000, 20_000]
    assert found["thresholds"] == json.loads(second.stdout)["thresholds"]
    other = json.loads(Path("two/provenance.json").read_text(encoding="utf-8"))
    assert record["outputs"] == other["outputs"]


def test_nothing_is_worth_more_than_everything():
    found = json.loads(call("voi", MODEL, *WORDS, "--json").stdout)
    for each in found["thresholds"]:
        for value in (*each["evppi"], *each["groups"]):
            assert 0 <= value["value"] <= each["evpi"] * (1 + 1e-12)

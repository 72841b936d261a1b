"""`qalyst flip` as a user types it."""

from __future__ import annotations

import json

import pytest
from typer.testing import CliRunner

from qalyst.cli import app

runner = CliRunner()


def call(*words: str):
    return runner.invoke(app, ["flip", *words])


def test_json_and_words_tell_the_same():
    result = call("sick_sicker", "--wtp", "100000", "--json")
    assert result.exit_code == 0, result.output
    found = json.loads(result.stdout)
    assert found["recommended"] == "b"
    assert [flip["strategy"] for flip in found["flips"]] == ["ab", "standard", "a"]
    distances = [flip["distance"] for flip in found["flips"]]
    assert distances == sorted(distances)
    assert found["flips"][0]["recommended_there"]
    words = call("sick_sicker", "--wtp", "100000")
    assert "would change from Treatment B to" in " ".join(words.output.split())


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["hiv"], "states no willingness to pay"),
        (["heart_valve"], "no cost and effect"),
        (["hiv", "--wtp", "8000", "--limit", "0"], "between 0 and 8"),
        (["hiv", "--wtp", "8000", "--limit", "9"], "between 0 and 8"),
    ],
)
def test_what_cannot_be_is_told(words, told):
    result = call(*words)
    assert result.exit_code == 1
    assert told in result.output

"""Presets of guidelines: complete, sourced, and refused when they are wrong."""

import pytest

from qalyst.errors import ModelError
from qalyst.outcomes import Rates
from qalyst.params.guidelines import distinct_rates, guideline, guidelines, load_guideline

GOOD = """
guideline: mine
title: Mine
agency: Me
country: Here
currency: GBP
since: "2020"
sources:
  book: {cite: A book, date: "2020"}
discount:
  costs:   {value: 0.03, status: recalled, source: book}
  effects: {value: 0.01, status: recalled, source: book}
thresholds:
  - {value: 30000, use: high, status: recalled, source: book}
  - {value: 20000, use: low, status: recalled, source: book}
severity:
  gives: weight
  bands:
    - {absolute: 12, weight: 1.2, status: recalled, source: book}
    - {absolute: 18, weight: 1.7, status: recalled, source: book}
"""


def read(tmp_path, text, name="mine"):
    path = tmp_path / f"{name}.yaml"
    path.write_text(text, encoding="utf-8")
    return load_guideline(path)


def test_a_preset_is_read(tmp_path):
    found = read(tmp_path, GOOD)
    assert found.rates == Rates(0.03, 0.01)
    assert found.wtp == (20000, 30000)


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("source: book}\n  effects", "source: bok}\n  effects", "no source 'bok'"),
        ("value: 0.03", "value: 3.5", "less than or equal to 1"),
        ("status: recalled, source: book}\n  effects", "source: book}\n  effects", "status"),
        ("value: 0.03, status: recalled", "value: 0.03, status: sure", "'status'"),
        ("guideline: mine", "guideline: yours", "is called 'yours'"),
        ("currency: GBP", "currncy: GBP", "currncy"),
        ("absolute: 18", "absolute: 12", "does not rise"),
        ("weight: 1.7", "weight: 1.1", "does not rise"),
        ("{absolute: 12, weight", "{weight", "no shortfall"),
        ("weight: 1.2", "threshold: 5", "no weight"),
    ],
)
def test_a_wrong_preset_is_refused_by_name_and_line(tmp_path, old, new, words):
    assert old in GOOD
    with pytest.raises(ModelError) as caught:
        read(tmp_path, GOOD.replace(old, new, 1))
    assert words in str(caught.value)
    assert "mine.yaml" in str(caught.value)


def test_an_unknown_guideline_names_the_nearest():
    with pytest.raises(ModelError, match="nice_2026"):
        guideline("nice2026", "command line")


def test_every_preset_of_the_catalogue_can_be_read_and_names_its_sources():
    found = guidelines()
    assert {"nice_2022", "nice_2026", "cda", "us", "zin", "pbac"} <= set(found)
    for preset in found.values():
        for _, item in preset.sourced():
            source = preset.sources[item.source]
            assert source.url or item.status != "retrieved"  # what was retrieved says where


def test_equal_rates_are_kept_once():
    found = guidelines()
    pairs = distinct_rates([found["nice_2022"], found["nice_2026"], found["zin"]])
    assert pairs == (Rates(0.03, 0.015), Rates(0.035, 0.035))

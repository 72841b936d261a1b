"""Tables on the terminal: numbers whole and alike within a column, whatever the width."""

import re

import pytest

from qalyst.report import consoles, terminal
from qalyst.report.numbers import column_numbers


def printed(capsys, analysis, columns, monkeypatch):
    """The tables of a run as text, at a width; None for none given."""
    if columns is None:
        monkeypatch.delenv("COLUMNS", raising=False)
    else:
        monkeypatch.setenv("COLUMNS", str(columns))
    found = {"draws": 100, "seed": 7, "folder": "results", "files": [""], "sentence": ""}
    found |= {"notes": [], "patients": None}
    terminal.run_result(analysis, found)
    return capsys.readouterr().out


def test_numbers_of_a_column_have_the_same_decimals():
    assert column_numbers([6.2, 7.169]) == ["6.200", "7.169"]


@pytest.mark.parametrize("columns", [50, 80, None])
def test_no_number_is_folded_or_cut(capsys, twelve, monkeypatch, columns):
    text = printed(capsys, twelve, columns, monkeypatch)
    curves = twelve.at_thresholds
    for wtp in curves.wtp.values:
        assert f"{wtp:,.0f}" in text
    for name in curves.strategy.values:
        shares = [f"{float(each):.3f}" for each in curves.ceac.sel(strategy=name)]
        assert re.search(r"\s+".join(map(re.escape, shares)), text), name


def test_few_strategies_stand_side_by_side_and_many_below_each_other(
    capsys, three, twelve, monkeypatch
):
    for analysis, first in ((three, "20,000"), (twelve, "Watchful waiting")):
        text = printed(capsys, analysis, None, monkeypatch)
        rows = text.split("Probability of being best value")[1].splitlines()[4:]
        assert rows[0].split("  ")[1] == first


def test_the_width_asked_for_is_kept_where_there_is_no_terminal(capsys, three, monkeypatch):
    for columns, widest in ((80, 80), (140, 140), (None, consoles.PIPED)):
        lines = printed(capsys, three, columns, monkeypatch).splitlines()
        assert max(map(len, lines)) <= widest

from pathlib import Path

import pytest

from qalyst.errors import ModelError
from qalyst.model.resolve import load_model
from qalyst.published import published_survival

FOLDER = Path(__file__).parent / "invalid"
HEAD = "series,strategy,months,survival_percent,n,low,high,role,source,doi,status\n"
ROW = "Trial,old,12,80,100,,,fit,Smith 2000,,retrieved\n"


def compared(tmp_path, table, encoding="utf-8"):
    """The model of the faults beside a table of published survival."""
    (tmp_path / "models").mkdir()
    (tmp_path / "params" / "targets").mkdir(parents=True)
    model = (
        (FOLDER / "base.yaml").read_text().replace("scenarios:", "targets: {file: t}\nscenarios:")
    )
    (tmp_path / "models" / "base.yaml").write_text(model)
    parameters = (FOLDER / "base_parameters.yaml").read_text()
    (tmp_path / "params" / "base.yaml").write_text(parameters)
    (tmp_path / "params" / "targets" / "t.csv").write_bytes(table.encode(encoding))
    name = str(tmp_path / "models" / "base.yaml")
    return published_survival(load_model(name), name, {})


def test_the_interval_of_a_share_is_binomial_if_none_is_printed(tmp_path):
    (point,) = compared(tmp_path, HEAD + ROW).points
    assert (point.low, point.high) == pytest.approx((80 - 1.96 * 4, 80 + 1.96 * 4))


def test_a_bound_of_0_is_a_bound(tmp_path):
    (point,) = compared(tmp_path, HEAD + ROW.replace("100,,", "100,0,90")).points
    assert (point.low, point.high) == (0, 90)


def test_a_table_saved_by_a_spreadsheet_is_read(tmp_path):
    (point,) = compared(tmp_path, HEAD + ROW, encoding="utf-8-sig").points
    assert point.series == "Trial"


def test_a_point_beyond_the_horizon_is_counted_and_not_compared(tmp_path):
    later = "".join(ROW.replace(",12,", f",{month},") for month in (60, 61, 1000))
    published = compared(tmp_path, HEAD + later)
    assert [point.months for point in published.points] == [60]
    assert published.beyond == 2


def test_a_table_wholly_beyond_the_horizon_compares_nothing(tmp_path):
    assert compared(tmp_path, HEAD + ROW.replace(",12,", ",61,")) is None


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        (",12,", ",-1,", ["month -1 lies before the start", "t.csv:2"]),
        (",12,", ",nan,", ["'months' holds 'nan'", "t.csv:2", "finite"]),
        (",12,", ",soon,", ["'months' is 'soon', not a number", "t.csv:2"]),
        (",80,", ",101,", ["101 % alive", "between 0 and 100"]),
        (",100,", ",0,", ["0 patients", "t.csv:2"]),
        ("100,,", "100,70,", ["'low' without 'high'", "t.csv:2"]),
        ("100,,", "100,,70", ["'high' without 'low'", "t.csv:2"]),
        ("100,,", "100,70,60", ["the interval 70 to 60 does not hold 80"]),
        (",old,", ",odl,", ["no strategy 'odl'", "did you mean 'old'?"]),
        ("fit,Smith 2000,,retrieved", "fit", ["'source' holds ''", "t.csv:2"]),
        (",fit,", ",fitted,", ["no role 'fitted'", "did you mean 'fit'?"]),
        ("survival_percent", "survival", ["no column 'survival_percent'", "t.csv"]),
    ],
)
def test_a_fault_of_the_table_is_told(tmp_path, old, new, words):
    table = HEAD + ROW
    assert old in table
    with pytest.raises(ModelError) as caught:
        compared(tmp_path, table.replace(old, new))
    for word in [*words, "where:", "mend:"]:
        assert word in str(caught.value)


def test_a_table_that_is_not_utf_8_is_told(tmp_path):
    with pytest.raises(ModelError, match=r"t\.csv is no CSV table in UTF-8"):
        compared(tmp_path, HEAD + ROW.replace("Smith", "Müller"), encoding="latin-1")

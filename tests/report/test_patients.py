"""Stories and figures of patients one by one."""

import io
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from matplotlib.image import imread

from qalyst.histories import Histories, follow_patients
from qalyst.model.resolve import load_model
from qalyst.report.drawing import house_style
from qalyst.report.figures_patients import band, distribution, patients_figures, survival
from qalyst.report.patients_tables import survival_curves
from qalyst.report.stories import laid_out, story
from qalyst.stats.kaplan_meier import kaplan_meier

TWELVE = str(Path(__file__).parent / "models" / "twelve.yaml")
COLUMNS = [
    *("patient", "strategy", "state", "line", "treatment"),
    *("from_years", "to_years", "ended_by"),
]


def told(model, courses, totals):
    """The story of one patient with these stays, on one line a strategy."""
    rows = [(0, name, *stay) for name, stays in courses.items() for stay in stays]
    histories = Histories(
        model,
        seed=1,
        profiles=({name: each.labels[0] for name, each in model.dimensions.items()},),
        profile=np.zeros(1, np.int64),
        totals=np.array([totals], float),
        stays=pd.DataFrame(rows, columns=COLUMNS),
    )
    return story(histories, 0).split("\n")


@pytest.fixture(scope="module")
def nelm():
    """Controlled after resection, then dead in the procedure of the second line; and two others."""
    courses = {
        "resection_first": [
            ("controlled", 1, "resection", 0.0, 3.4, "progress"),
            ("dead", 0, "", 3.4, 40.0, "horizon"),
        ],
        "arterial_first": [("dead", 0, "", 0.0, 40.0, "horizon")],
        "systemic_first": [("controlled", 1, "octreotide", 0.0, 40.0, "horizon")],
    }
    totals = [[310_000, 3.1, 3.4, 40.0], [51_000, -0.05, 0, 0], [900_000, 20, 40, 480]]
    return told(load_model("nelm"), courses, totals)


def test_a_story_begins_with_the_profile(nelm):
    assert nelm[0].startswith("Patient 0 (age at start 57, sex male, function symptomatic,")


def test_a_story_tells_states_treatments_lines_and_totals_in_the_words_of_the_model(nelm):
    assert nelm[1] == (
        "Resection first: Year 0.0 procedure (Resection); year 0.0 to 3.4 controlled, line 1 "
        "(Resection), ended by progress; year 3.4 procedure (Embolisation); dead from year 3.4. "
        "In total (discounted) costs USD 310,000, QALYs 3.1, life years 3.4, symptom free months "
        "40."
    )


def test_a_story_says_where_courses_part(nelm):
    parted = "Parts from Resection first at year 0.0: procedure (Embolisation) instead of procedure"
    assert parted in nelm[2]
    assert "Year 0.0 procedure (Embolisation); dead from year 0.0." in nelm[2]
    assert "QALYs −0.05" in nelm[2]


def test_who_lives_is_followed_to_the_horizon(nelm):
    assert "year 0.0 to 40.0, the horizon, controlled, line 1 (Somatostatin analogue)." in nelm[3]


SICK = {
    "standard": [
        ("healthy", 0, "", 0.0, 5.0, "sicken"),
        ("sick", 0, "", 5.0, 7.0, "worsen"),
        ("sicker", 0, "", 7.0, 75.0, "die"),
        ("dead", 0, "", 75.0, 75.0, "horizon"),
    ],
    "b": [
        ("healthy", 0, "", 0.0, 5.0, "sicken"),
        ("sick", 0, "", 5.0, 9.0, "recover"),
        ("healthy", 0, "", 9.0, 75.0, "sicken"),
        ("sick", 0, "", 75.0, 75.0, "horizon"),
    ],
}
SICK |= {"a": SICK["standard"], "ab": SICK["b"]}


@pytest.fixture(scope="module")
def sick():
    model = load_model("sick_sicker")
    return told(model, {name: SICK[name] for name in model.strategies}, [[0.0, 0.0]] * 4)


def test_the_same_course_is_told_once(sick):
    assert "The same course as Standard of care." in sick[2]
    assert "The same course as Treatment B." in sick[4]


def test_courses_part_when_the_first_of_them_moves(sick):
    parted = "Parts from Standard of care at year 7.0: worsen there; here sick goes on to year 9.0."
    assert parted in sick[3]


def test_a_move_at_the_horizon_is_told_without_time(sick):
    assert "ended by die; dead from year 75.0." in sick[1]
    assert "ended by sicken; year 75.0, the horizon, sick." in sick[3]


def test_a_story_is_laid_out_without_losing_a_word(nelm):
    text = "\n".join(nelm)
    laid = laid_out(text, 60)
    assert max(map(len, laid.split("\n"))) <= 60
    assert laid.split() == text.split()


def test_a_tree_has_no_years():
    model = load_model("sumatriptan")
    ends = {
        name: [(end, 0, "", 0.0, 0.0, "horizon")]
        for name, end in zip(model.strategies, ("lasting", "admitted"), strict=True)
    }
    words = told(model, ends, [[16.1, 0.003], [80.0, -0.001]])
    assert words[1].startswith("Sumatriptan: Ends as lasting. In total (discounted) costs CAD 16.1")
    assert "Parts from Sumatriptan in how it ends: admitted instead of lasting." in words[2]
    assert "year" not in " ".join(words).lower()


@pytest.mark.parametrize(
    ("name", "scenario", "names"),
    [
        (TWELVE, ("two",), ["survival", "distribution"]),
        ("nelm", (), ["survival", "distribution"]),
        (TWELVE, (), ["survival", "distribution"]),
        ("sumatriptan", (), ["distribution"]),
    ],
)
@pytest.mark.parametrize("patients", [1, 300])
def test_figures_that_make_sense_are_drawn_and_none_is_cut_off(name, scenario, names, patients):
    histories = follow_patients(load_model(name, scenarios=scenario), patients=patients, seed=1)
    found = patients_figures(histories)
    assert [figure.name for figure in found] == names
    for figure in found:
        picture = imread(io.BytesIO(figure.png))[..., :3]
        assert picture.shape[1] == 975
        assert picture.std() > 0.03
        border = np.concatenate([picture[[0, -1]].ravel(), picture[:, [0, -1]].ravel()])
        assert border.min() == 1


def test_the_band_of_survival_stays_within_nought_and_one():
    low, high = band(kaplan_meier(np.array([1.0, 2, 3, 4]), np.array([True, True, True, False])))
    assert low[0] == high[0] == 1
    assert low.min() == 0
    assert high.max() == 1


def test_a_curve_of_many_deaths_is_drawn_at_a_fine_grid_of_times():
    model = load_model("illness_death")  # deaths at any moment
    histories = follow_patients(model, patients=5_000, seed=1)
    curves = survival_curves(histories)
    (curve,) = curves.values()
    with house_style():
        (line,) = survival(histories, curves).figure.axes[0].get_lines()
    years, share = line.get_data()
    assert len(years) <= 1000 < len(curve.years)
    for when in (0.1, 1.0, 5.0, 20.0):
        drawn = share[np.searchsorted(years, when, side="right") - 1]
        found = curve.survival[np.searchsorted(curve.years, when, side="right") - 1]
        assert drawn == pytest.approx(found, abs=0.02)


def test_the_distribution_has_a_panel_for_each_outcome():
    histories = follow_patients(load_model("nelm"), patients=100, seed=1)
    with house_style():
        figure = distribution(histories).figure
    labels = [panel.get_xlabel() for panel in figure.axes if panel.get_visible()]
    assert labels == ["Costs (USD, 2024 prices)", "QALYs", "Life years", "Symptom free months"]

import io
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from matplotlib.image import imread

from qalyst.published import Point, Published
from qalyst.report.drawing import PALETTE, house_style, saved
from qalyst.report.figures import figures
from qalyst.report.figures_course import breakdown, trace
from qalyst.report.figures_decision import ceac, running
from qalyst.report.figures_plane import CHI2_95, ce_plane, ellipse
from qalyst.report.figures_published import published_survival
from qalyst.report.tables import published_table

COURSE = ["breakdown", "trace", "survival"]
COMPARED = ["ce_plane", "frontier", "intervals", "ceac", "loss", "evpi", *COURSE, "convergence"]


def check_picture(png, name):
    picture = imread(io.BytesIO(png))[..., :3]
    assert picture.shape[1] == 975, "6.5 inches of 150 dots"
    assert picture.std() > 0.03, f"{name} is blank"
    border = np.concatenate([picture[[0, -1]].ravel(), picture[:, [0, -1]].ravel()])
    assert border.min() == 1, f"{name} is cut off at its border"


@pytest.mark.parametrize(
    ("run", "names"),
    [
        ("one", COURSE),
        ("two", COMPARED),
        ("twelve", COMPARED),
        ("undrawn", ["frontier", *COURSE]),
        ("tree", ["frontier", "breakdown"]),
    ],
)
def test_figures_that_make_sense_are_drawn_and_none_is_blank(run, names, request):
    found = figures(request.getfixturevalue(run))
    assert [figure.name for figure in found] == names
    for figure in found:
        check_picture(figure.png, figure.name)


def test_the_report_holds_each_figure_as_png_and_svg(written):
    for ending in ("png", "svg"):
        files = (written / "figures").glob(f"*.{ending}")
        assert {path.stem for path in files} == set(COMPARED)
    for path in (written / "figures").glob("*.png"):
        check_picture(path.read_bytes(), path.stem)


def test_svg_and_png_have_the_same_bytes_twice(three):
    with house_style():
        first, second = (saved(ce_plane(three)) for _ in range(2))
    assert first.svg == second.svg
    assert first.png == second.png
    assert b"<dc:date>" not in first.svg
    assert b"Software" not in first.png


def test_a_figure_changes_with_the_result(three, two):
    with house_style():
        assert saved(ce_plane(three)).svg != saved(ce_plane(two)).svg


def test_the_readers_own_settings_do_not_change_a_figure(three):
    import matplotlib

    with house_style():
        expected = saved(ce_plane(three)).svg
    with matplotlib.rc_context({"axes.facecolor": "red", "font.size": 20}):
        with house_style():
            assert saved(ce_plane(three)).svg == expected
        assert matplotlib.rcParams["font.size"] == 20


def test_published_points_are_drawn_with_the_curve(three):
    years = np.linspace(0, 10, 11)
    first = next(iter(three.model.strategies))
    points = tuple(
        Point(f"series {n}", first, 60.0, 50.0 + n, 40.0, 60.0, role, "somebody", 52.0)
        for n, role in enumerate(["fit", "validation", "validation"])
    )
    published = Published(points, ("then",), years, {first: np.exp(-0.1 * years)})
    with house_style():
        drawing = published_survival(three, published)
        labels = [text.get_text() for text in drawing.figure.legends[0].get_texts()]
        assert labels == ["Model", "series 0", "series 1", "series 2"]
        assert len(saved(drawing).png) > 10_000
    table = published_table(published)
    assert list(table["difference"]) == [2.0, 1.0, 0.0]
    assert set(table["model_is"]) == {"within"}


def test_an_ellipse_holds_its_share_of_normal_draws():
    x, y = np.random.default_rng(1).multivariate_normal([1, 2], [[4, 3], [3, 9]], 20_000).T
    outline = ellipse(x, y)
    inverse = np.linalg.inv(np.cov(x, y))
    off = outline - np.array([[x.mean()], [y.mean()]])
    np.testing.assert_allclose(np.einsum("ip,ij,jp->p", off, inverse, off), CHI2_95, rtol=1e-9)
    centred = np.stack([x - x.mean(), y - y.mean()])
    inside = np.einsum("ip,ij,jp->p", centred, inverse, centred) <= CHI2_95
    assert inside.mean() == pytest.approx(0.95, abs=4 * np.sqrt(0.95 * 0.05 / 20_000))


def test_draws_that_do_not_spread_have_no_ellipse():
    assert ellipse(np.ones(10), np.arange(10.0)) is None


def test_a_running_mean_ends_at_the_mean_and_its_standard_error():
    values = np.random.default_rng(2).gamma(2, 5_000, 3_000)
    steps, mean, error = running(values)
    assert steps[-1] == 3_000
    assert mean[-1] == pytest.approx(values.mean(), rel=1e-12)
    assert error[-1] == pytest.approx(values.std(ddof=1) / np.sqrt(3_000), rel=1e-9)
    at = int(steps[100])
    assert mean[100] == pytest.approx(values[:at].mean(), rel=1e-10)
    assert error[100] == pytest.approx(values[:at].std(ddof=1) / np.sqrt(at), rel=1e-8)


def test_dollar_signs_in_labels_are_money_not_mathematics(two):
    first, second = two.model.strategies.values()
    named = {
        first.name: replace(first, label=r"Drug at $5^^ or $6 \frac{1}"),
        second.name: replace(second, label="$x_1$"),
    }
    dollars = replace(two, model=replace(two.model, strategies=named))
    assert [figure.name for figure in figures(dollars)] == COMPARED
    with house_style():
        legend = ceac(dollars).figure.legends[0]
        assert [text.get_parse_math() for text in legend.get_texts()] == [False] * 3


def test_a_state_has_one_colour_and_its_place_of_the_model_in_all_figures(three):
    with house_style():
        layers = legend_of(trace(three).figure)
        _, states = breakdown(three).figure.subfigs
        axes = states.axes[0]
    parts = {
        text.get_text(): bars[0].get_facecolor()
        for text, bars in zip(states.legends[0].get_texts(), axes.containers, strict=True)
    }
    assert list(parts) == ["Mild disease", "Severe disease"]
    assert parts == {label: layers[label] for label in parts}


def test_a_state_that_the_trace_does_not_show_has_a_colour_of_its_own(nelm):
    with house_style():
        states = breakdown(nelm).figure.subfigs[1]
    colours = [bars[0].get_facecolor() for bars in states.axes[0].containers]
    assert len(colours) > 1
    assert len(set(colours)) == len(colours)


def legend_of(figure):
    legend = figure.legends[0]
    labels = (text.get_text() for text in legend.get_texts())
    return dict(zip(labels, (each.get_facecolor() for each in legend.get_patches()), strict=True))


def test_categories_stand_in_the_order_of_the_model(three):
    with house_style():
        costs = breakdown(three).figure.subfigs[0]
    labels = [text.get_text() for text in costs.legends[0].get_texts()]
    assert labels == ["Care", "Treatment", "Admission"]


def test_labels_of_several_lines_do_not_touch(twelve):
    with house_style():
        figure = breakdown(twelve).figure
        figure.draw_without_rendering()
    for part in figure.subfigs:
        boxes = [label.get_window_extent() for label in part.axes[0].get_yticklabels()]
        assert all(above.y0 > below.y1 for above, below in pairwise(boxes))


def test_the_acceptability_axis_ends_at_100_per_cent(three):
    with house_style():
        assert ceac(three).figure.axes[0].get_ylim() == (0, 1)


def test_years_are_whole_at_the_axis(three):
    with house_style():
        ticks = trace(three).figure.axes[0].get_xticks()
    assert all(tick == round(tick) for tick in ticks)
    assert len(ticks) > 2


def test_labels_of_thresholds_side_by_side_stand_at_one_height(three):
    with house_style():
        figure = ce_plane(three).figure
        figure.draw_without_rendering()
    labels = [text for text in figure.axes[0].texts if text.get_text() != "EUR 20,000"]
    first, second = (label.get_window_extent() for label in labels)
    assert first.y0 == second.y0
    assert first.x1 < second.x0


def test_twelve_strategies_have_twelve_colours():
    assert len(set(PALETTE)) == 12

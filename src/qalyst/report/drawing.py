"""How figures look and are saved: palette, sizes, legends, and bytes that can be reproduced."""

from __future__ import annotations

import io
import math
import textwrap
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from qalyst.report.numbers import tick

# Twelve colours that readers with any colour vision can tell apart (Okabe & Ito 2008 first, then
# Tol's muted scheme); lines differ in style as well, points in shape.
PALETTE = (
    *("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9"),
    *("#332288", "#882255", "#999933", "#661100", "#117733", "#888888"),
)
DASHES: tuple[Any, ...] = (
    "-",
    (0, (5, 1.6)),
    (0, (1.2, 1.2)),
    (0, (6, 1.4, 1.2, 1.4)),
    (0, (3, 1, 1, 1, 1, 1)),
)
MARKERS = "osD^vP*X<>ph"
INK, GREY = "#222222", "#767676"
WIDTH = 6.5  # inches: the text of an A4 or letter page
PNG_DPI, RASTER_DPI = 150, 200
FEW_YEARS = 4

_STYLE: dict[str, Any] = {
    "font.family": "DejaVu Sans",
    "font.size": 8.5,
    "axes.titlesize": 9,
    "axes.labelsize": 8.5,
    "xtick.labelsize": 8,
    "ytick.labelsize": 8,
    "legend.fontsize": 8,
    "text.color": INK,
    "text.parse_math": False,  # a label may hold dollar signs: they are money, not mathematics
    "axes.labelcolor": INK,
    "axes.edgecolor": GREY,
    "xtick.color": GREY,
    "ytick.color": GREY,
    "xtick.labelcolor": INK,
    "ytick.labelcolor": INK,
    "axes.linewidth": 0.8,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": "#EBEBEB",
    "grid.linewidth": 0.7,
    "lines.linewidth": 1.6,
    "lines.solid_capstyle": "butt",
    "legend.frameon": False,
    "figure.facecolor": "white",
    "savefig.facecolor": "white",
    "svg.fonttype": "path",
    "svg.hashsalt": "qalyst",
    "path.simplify": True,
}


@dataclass(frozen=True)
class Drawing:
    """A figure with its file name and the caption that stands below it."""

    name: str
    caption: str
    figure: Any


@dataclass(frozen=True)
class Saved:
    """A figure as bytes."""

    name: str
    caption: str
    png: bytes
    svg: bytes


@contextmanager
def house_style() -> Iterator[None]:
    """The look of all figures, whatever the reader's own settings are."""
    import matplotlib

    with matplotlib.rc_context():
        matplotlib.rcdefaults()
        matplotlib.rcParams.update(_STYLE)
        yield


def new_figure(height: float, *, width: float = WIDTH) -> Any:
    """A figure that belongs to nobody else, laid out so that nothing is cut off."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), layout="constrained")
    FigureCanvasAgg(figure)
    layout: Any = figure.get_layout_engine()
    layout.set(w_pad=0.06, h_pad=0.06)
    return figure


def saved(drawing: Drawing) -> Saved:
    """The bytes of a figure as PNG and SVG, without dates and versions."""
    png, svg = io.BytesIO(), io.BytesIO()
    figure = drawing.figure
    figure.savefig(png, format="png", dpi=PNG_DPI, metadata={"Software": None})
    figure.set_layout_engine("none")  # placed already
    none = dict.fromkeys(("Date", "Creator", "Format", "Type"))
    figure.savefig(svg, format="svg", dpi=RASTER_DPI, metadata=none)
    return Saved(drawing.name, drawing.caption, png.getvalue(), svg.getvalue())


def color(position: int) -> str:
    """The colour of the strategy (or category) at a position."""
    return PALETTE[position % len(PALETTE)]


def line_style(position: int) -> dict[str, Any]:
    """Colour and dashes of a line."""
    return {"color": color(position), "linestyle": DASHES[position % len(DASHES)]}


def marker(position: int) -> str:
    """The shape of a point."""
    return MARKERS[position % len(MARKERS)]


def wrapped(label: str, width: int) -> str:
    """A label over several lines; nothing of it is dropped."""
    return textwrap.fill(label, width, break_long_words=True, break_on_hyphens=False) or label


def legend_below(figure: Any, handles: Sequence[Any], labels: Sequence[str]) -> None:
    """A legend under the figure that makes the page longer, not the axes smaller."""
    width, height = figure.get_size_inches()
    columns, letters = _columns(labels, width)
    short = [wrapped(label, letters) for label in labels]
    rows = math.ceil(len(short) / columns)
    columns = math.ceil(len(short) / rows)
    lines = max(
        sum(1 + label.count("\n") for label in short[start : start + rows])
        for start in range(0, len(short), rows)
    )
    figure.set_size_inches(width, height + 0.155 * lines + 0.1)
    figure.legend(
        handles,
        short,
        loc="outside lower center",
        ncols=columns,
        handlelength=2.6,
        columnspacing=1.6,
        labelspacing=0.3,
    )


def _columns(labels: Sequence[str], width: float) -> tuple[int, int]:
    """As many columns as the labels leave room for, at least two for many; letters of each."""

    def letters(columns: int) -> int:
        return int(((width - 0.2) / columns - 0.55) / 0.062)

    longest = max((len(label) for label in labels), default=1)
    fewest = 2 if len(labels) > 4 else 1
    columns = next((n for n in (4, 3, 2) if longest <= letters(n)), fewest)
    return min(columns, max(len(labels), 1)), letters(columns)


def plain_numbers(*axes: Any) -> None:
    """Ticks with thousands separated and a true minus sign."""
    from matplotlib.ticker import FuncFormatter, NullFormatter

    for axis in axes:
        axis.set_major_formatter(FuncFormatter(tick))
        axis.set_minor_formatter(NullFormatter())  # a logarithmic axis writes mathematics there


def year_axis(axis: Any, years: float) -> None:
    """An axis over so many years: whole ones, unless there are few."""
    from matplotlib.ticker import MaxNLocator

    plain_numbers(axis)
    if years >= FEW_YEARS:
        axis.set_major_locator(MaxNLocator(nbins=6, integer=True, steps=[1, 2, 5, 10]))


def per_cent(axis: Any) -> None:
    """An axis of shares from 0 to 100 %."""
    from matplotlib.ticker import FuncFormatter, MultipleLocator

    axis.set_major_locator(MultipleLocator(0.2))
    axis.set_major_formatter(FuncFormatter(lambda value, _: f"{100 * value:.0f} %"))


def verticals(axes: Any, positions: Sequence[float]) -> None:
    """Dotted lines at the model's thresholds."""
    for position in positions:
        axes.axvline(position, color=GREY, linestyle=(0, (1, 2)), linewidth=1, zorder=1.5)

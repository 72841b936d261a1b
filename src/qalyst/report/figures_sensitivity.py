"""The tornado of a one-way analysis."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from qalyst.report.drawing import (
    GREY,
    INK,
    PALETTE,
    Drawing,
    legend_below,
    new_figure,
    plain_numbers,
    wrapped,
)
from qalyst.report.numbers import short
from qalyst.report.sensitivity_data import NO_ICER, measure_label, pair_label

if TYPE_CHECKING:
    from collections.abc import Iterator

    from qalyst.model.resolved import ResolvedModel
    from qalyst.sensitivity.one_way import Bar, OneWay

FEW = 15  # bars of the figure that a reader takes in; a second one holds all
HIGH = PALETTE[0]
HATCH = "////"
CHANGES = "\N{BLACK DIAMOND} "
LETTERS = 34  # of a label on one line
ROW = 0.25  # inches of a bar with a label on one line
LINE = 0.135  # of each further line
HALO = {"facecolor": "white", "edgecolor": "none", "pad": 0.4, "alpha": 0.8}  # round a number


def tornados(model: ResolvedModel, found: OneWay) -> Iterator[Drawing]:
    """The tornado: the inputs with the largest swing, and all of them if they are many."""
    yield _tornado(model, found, found.bars[:FEW], "tornado")
    if len(found.bars) > FEW:
        yield _tornado(model, found, found.bars, "tornado_all")


def _tornado(model: ResolvedModel, found: OneWay, bars: tuple[Bar, ...], name: str) -> Drawing:
    labels = [
        wrapped(f"{CHANGES if bar.changes_decision else ''}{bar.label}", LETTERS) for bar in bars
    ]
    heights = [ROW + LINE * label.count("\n") for label in labels]
    figure = new_figure(sum(heights) + 0.95)
    axes = figure.add_subplot()
    base = found.base.value(found.outcome)
    assert base is not None
    middle, places = 0.0, []
    for bar, height in zip(bars, heights, strict=True):
        places.append(middle + height / 2)
        _bar(axes, bar, found.outcome, base, places[-1])
        middle += height
    axes.set_ylim(middle, 0)
    axes.set_yticks(places, labels)
    axes.tick_params(axis="y", length=0)
    axes.grid(visible=False, axis="y")
    axes.axvline(base, color=INK, linewidth=1.1, zorder=3)
    axes.margins(x=0.14)  # room for the values at the ends
    handles, words = _legend(base)
    _decision_line(axes, found, handles, words)
    axes.set_xlabel(measure_label(model, found.standing, found.outcome))
    plain_numbers(axes.xaxis)
    axes.locator_params(axis="x", nbins=6)
    if any(bar.changes_decision for bar in bars):
        handles.append(_nothing())
        words.append(f"{CHANGES}another strategy is optimal at an end")
    legend_below(figure, handles, words)
    return Drawing(name, _caption(model, found, bars), figure)


def _bar(axes: Any, bar: Bar, outcome: str, base: float, place: float) -> None:
    """Both ends of an input; side by side if they lie on the same side of the base."""
    ends = [bar.at_low.value(outcome), bar.at_high.value(outcome)]
    apart = [None if end is None else end - base for end in ends]
    together = apart[0] is not None and apart[1] is not None and apart[0] * apart[1] > 0
    offsets = (-0.055, 0.055) if together else (0.0, 0.0)
    styles = ({"facecolor": "white", "edgecolor": HIGH, "hatch": HATCH}, {"color": HIGH})
    missing = []
    for end, value, offset, style, reading, word in zip(
        ends,
        (bar.low, bar.high),
        offsets,
        styles,
        (bar.at_low, bar.at_high),
        ("low", "high"),
        strict=True,
    ):
        if end is None:
            missing.append(
                f"{short(value, significant=3)} ({word}): {NO_ICER[reading.pair.quadrant]}, no ICER"
            )
            continue
        axes.barh(
            place + offset,
            end - base,
            height=0.1 if together else 0.16,
            left=base,
            linewidth=0.7,
            zorder=2,
            **style,
        )
        right = end > base or (end == base and word == "high")
        axes.annotate(
            short(value, significant=3),
            (end, place + offset),
            xytext=(2.5 if right else -2.5, 0),
            textcoords="offset points",
            ha="left" if right else "right",
            va="center",
            fontsize=5.5 if together else 7,
            bbox=HALO,
        )
    if missing:
        known = [end for end in ends if end is not None]
        left = bool(known) and known[0] > base
        axes.annotate(
            "; ".join(missing),
            (base, place),
            xytext=(-3 if left else 3, 0),
            textcoords="offset points",
            ha="right" if left else "left",
            va="center",
            fontsize=7,
            bbox=HALO,
        )


def _legend(base: float) -> tuple[list[Any], list[str]]:
    from matplotlib.lines import Line2D
    from matplotlib.patches import Patch

    handles = [
        Patch(facecolor="white", edgecolor=HIGH, hatch=HATCH, linewidth=0.7),
        Patch(color=HIGH),
        Line2D([], [], color=INK, linewidth=1.1),
    ]
    return handles, ["Low value of the input", "High value", f"Base case: {short(base)}"]


def _decision_line(axes: Any, found: OneWay, handles: list[Any], words: list[str]) -> None:
    """Where the pair are equally good value, if that is on the axis."""
    match found.outcome:
        case "nmb":
            place, word = 0.0, "Equal net benefit"
        case "icer":
            place, word = found.standing.wtp, "Willingness to pay"
        case _:
            return
    low, high = axes.get_xlim()
    if low <= place <= high:
        style = {"color": GREY, "linestyle": (0, (1, 2)), "linewidth": 1.2}
        handles.append(axes.axvline(place, zorder=1.5, **style))
        words.append(word)


def _nothing() -> Any:
    from matplotlib.lines import Line2D

    return Line2D([], [], linestyle="none")


def _caption(model: ResolvedModel, found: OneWay, bars: tuple[Bar, ...]) -> str:
    text = (
        f"One-way sensitivity analysis, {pair_label(model, found.standing)}: each input at the "
        "low and the high end of its range (printed at the bars), all others at base values."
    )
    rest = found.bars[len(bars) :]
    if rest and rest[0].swing is not None:
        text += f" Not shown: {len(rest)} inputs with a swing of {short(rest[0].swing)} or less."
    return text

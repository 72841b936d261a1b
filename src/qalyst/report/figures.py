"""The figures of a run: those that make sense of it, drawn and saved."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from qalyst.report import (
    figures_course,
    figures_decision,
    figures_plane,
    figures_published,
    figures_spread,
    figures_value,
)
from qalyst.report.drawing import Drawing, Saved, house_style, saved
from qalyst.report.value_words import input_labels

if TYPE_CHECKING:
    from qalyst.analysis import Analysis
    from qalyst.published import Published


def figures(analysis: Analysis, published: Published | None = None) -> list[Saved]:
    """All figures that make sense of a run, as PNG and SVG.

    One strategy has no plane, no draws have no acceptability, a decision tree has no trace; draws
    that do not differ count as none.

    Parameters
    ----------
    analysis : the run.
    published : published survival beside the model's, if the model names any.
    """
    with house_style():
        return [saved(draw()) for draw in _drawings(analysis, published)]


def write_figures(found: list[Saved], folder: Path) -> list[Path]:
    """Write each figure as `<name>.png` and `<name>.svg`."""
    paths = []
    for figure in found:
        for ending, data in (("png", figure.png), ("svg", figure.svg)):
            path = folder / f"{figure.name}.{ending}"
            path.write_bytes(data)
            paths.append(path)
    return paths


def _drawings(analysis: Analysis, published: Published | None) -> Iterator[Callable[[], Drawing]]:
    if analysis.compares:
        if analysis.varies:
            yield lambda: figures_plane.ce_plane(analysis)
        yield lambda: figures_plane.frontier(analysis)
        if analysis.varies:
            yield lambda: figures_spread.intervals(analysis)
            yield lambda: figures_decision.ceac(analysis)
            if figures_decision.errs(analysis):
                yield lambda: figures_decision.loss(analysis)
                yield lambda: figures_decision.evpi(analysis)
    labels = input_labels(analysis.model)
    for each in analysis.information:
        if each.evpi > 0:
            yield partial(figures_value.evppi_bars, analysis.model, each, labels)
    yield lambda: figures_course.breakdown(analysis)
    if not analysis.model.is_tree and analysis.base.trace is not None:
        yield lambda: figures_course.trace(analysis)
        if figures_course.has_absorbing(analysis):
            yield lambda: figures_course.survival(analysis)
    if published is not None:
        yield lambda: figures_published.published_survival(analysis, published)
    if analysis.compares and analysis.varies:
        yield lambda: figures_decision.convergence(analysis)

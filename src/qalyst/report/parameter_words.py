"""A parameter in words: what its uncertainty is, its mean and its 95 % interval."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from qalyst.params.parameter import Parameter, Path, show_path
from qalyst.stats.scalar_families import Z95
from qalyst.stats.uncertainty import Dirichlet, Draws, Fixed, LogNormal, Normal

MOST_CELLS = 12  # of a parameter; a longer table is shown by its range
NO_INTERVAL = (math.nan, math.nan)


@dataclass(frozen=True)
class CellWords:
    """A cell of a parameter: its value, its uncertainty in words, mean and interval of draws."""

    cell: str
    value: float
    uncertainty: str
    mean: float
    interval: tuple[float, float]


def cells(parameter: Parameter) -> list[CellWords]:
    """The cells of a parameter in the unit and price year of its record.

    A curve that is all design, such as points of a published curve, has its lists for cells.
    """
    if not parameter.values:
        return [
            CellWords(show_path(path), math.nan, _listed(parameter, item), math.nan, NO_INTERVAL)
            for path, item in parameter.design.items()
        ]
    return [_cell(parameter, path) for path in parameter.values]


def _listed(parameter: Parameter, item: tuple[float, ...] | str) -> str:
    numbers = item if isinstance(item, str) else ", ".join(f"{value:g}" for value in item)
    return f"{numbers} ({_without(parameter)})"


def uncertainty_words(parameter: Parameter, path: Path) -> str:
    """The uncertainty of a cell in words.

    >>> from qalyst.model.resolve import load_model
    >>> hiv = load_model("hiv").parameters
    >>> uncertainty_words(hiv["rr_combination"], ())
    'lognormal, 95 % interval 0.365 to 0.71'
    """
    if parameter.joint is not None:
        return _joint(parameter, path)[0]
    family = parameter.uncertainty.get(path)
    words = family_words(family) if family is not None else _without(parameter)
    return f"{words}, one draw for all cells" if parameter.together else words


def _cell(parameter: Parameter, path: Path) -> CellWords:
    value = parameter.values[path]
    if parameter.joint is not None:
        _, mean, interval = _joint(parameter, path)
    else:
        mean, interval = _moments(parameter.uncertainty.get(path), path, value)
    return CellWords(show_path(path), value, uncertainty_words(parameter, path), mean, interval)


def family_words(family: Any) -> str:
    """A family with its spread.

    >>> from qalyst.stats.uncertainty import Beta, Uniform
    >>> family_words(Beta(se=0.03)), family_words(Beta(events=11, of=1163))
    ('beta, se 0.03', 'beta, 11 of 1163')
    >>> family_words(Uniform(low=1, high=3))
    'uniform, 1 to 3'
    """
    name = family.family.replace("_", " ")
    match family:
        case Fixed():
            return f"fixed: {family.reason}"
        case Dirichlet():
            return f"dirichlet, of {sum(family.counts.values()):g}"
        case Draws():
            return f"draws of {family.file}"
    parts = [name]
    if getattr(family, "events", None) is not None:
        parts.append(f"{family.events:g} of {family.of:g}")
    if getattr(family, "se", None) is not None:
        parts.append(f"se {family.se:g}")
    if getattr(family, "ci95", None) is not None:
        parts.append("95 % interval {:g} to {:g}".format(*family.ci95))
    if getattr(family, "low", None) is not None:
        parts.append(f"{family.low:g} to {family.high:g}")
    return ", ".join(parts)


def _without(parameter: Parameter) -> str:
    if parameter.fixed_by:
        return f"set by {parameter.fixed_by}"
    return f"fixed: {parameter.reason}" if parameter.reason else "fixed"


def _moments(family: Any, path: Path, value: float) -> tuple[float, tuple[float, float]]:
    if family is None or isinstance(family, Fixed):
        return value, NO_INTERVAL
    if isinstance(family, Dirichlet):
        place = family.cells.index(str(path[-1]))
        low, high = family.interval(family.implied_value())[place]
        return value, (float(low), float(high))
    low, high = family.interval(value)
    return float(family.mean(value)), (float(low), float(high))


def _joint(parameter: Parameter, path: Path) -> tuple[str, float, tuple[float, float]]:
    """A number drawn with others: its own margin."""
    joint = parameter.joint
    assert joint is not None
    place = joint.names.index(path if parameter.curve is not None else (parameter.name,))
    value = parameter.values[path]
    if joint.rows is not None:
        import numpy as np

        column = np.array([row[place] for row in joint.rows])
        drawn = Draws(file=joint.record)
        return f"rows of draws, {joint.record}", drawn.mean(column), drawn.interval(column)
    assert joint.covariance is not None
    spread = math.sqrt(joint.covariance[place][place])
    if joint.logarithm and joint.logarithm[place]:
        ends = (value * math.exp(-Z95 * spread), value * math.exp(Z95 * spread))
        logarithm = LogNormal(ci95=ends)
        words = f"joint normal of the log, se {spread:.4g}, with {joint.record}"
        return words, logarithm.mean(value), logarithm.interval(value)
    normal = Normal(se=spread)
    return (
        f"joint normal, se {spread:.4g}, with {joint.record}",
        normal.mean(value),
        normal.interval(value),
    )

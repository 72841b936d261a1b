"""Published survival beside the model's: what fits, and what does not."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import sqrt
from pathlib import Path

import numpy as np

from qalyst.axes import Float
from qalyst.errors import ModelError, nearest
from qalyst.io.files import find_model, find_targets, read_table
from qalyst.model.resolve import load_model
from qalyst.model.resolved import ResolvedModel, Targets
from qalyst.outcomes import PLACE, Outcomes
from qalyst.simulation import base_case

COLUMNS = (
    "series",
    "strategy",
    "months",
    "survival_percent",
    "n",
    "low",
    "high",
    "role",
    "source",
    "doi",
    "status",
)
MAY_BE_EMPTY = ("n", "low", "high", "doi")
ROLES = ("fit", "validation")
NEAR = 1.96  # standard errors


@dataclass(frozen=True)
class Point:
    """A published point of survival with the model's value.

    Attributes
    ----------
    percent, low, high : published, per cent; the interval is the printed one, else binomial by `n`
        (it ignores censoring, so it is too narrow), else None.
    role : `fit` if a parameter was fitted to it, `validation` if not.
    model_percent : the model's survival then.
    """

    series: str
    strategy: str
    months: float
    percent: float
    low: float | None
    high: float | None
    role: str
    source: str
    model_percent: float

    @property
    def fits(self) -> str:
        """Whether the model's value lies within the interval, in words."""
        if self.low is None or self.high is None:
            return "no interval"
        if self.low <= self.model_percent <= self.high:
            return "within"
        return "below" if self.model_percent < self.low else "above"


@dataclass(frozen=True)
class Published:
    """Published points, and the model's survival under the scenarios they are compared in.

    Attributes
    ----------
    years : [point].
    survival : strategy -> [point] share alive.
    beyond : how many published points lie beyond the horizon, and are not compared.
    """

    points: tuple[Point, ...]
    scenarios: tuple[str, ...]
    years: Float
    survival: Mapping[str, Float]
    beyond: int = 0


def published_survival(
    model: ResolvedModel, name: str, values: Mapping[str, float], *, threads: int | None = None
) -> Published | None:
    """Compare the model with its published targets; None if none is named or within the horizon.

    Parameters
    ----------
    model : the model of the run, for its targets and scenarios.
    name : as the model was asked for.
    values : parameters that were set.
    threads : see `base_case`.

    Raises
    ------
    ModelError
        A table that cannot be read, or a row of it that is no point of survival.
    """
    if model.targets is None:
        return None
    scenarios = tuple(dict.fromkeys((*model.scenarios, *model.targets.scenarios)))
    compared = load_model(name, scenarios=scenarios, values=values)
    years, survival = survival_curves(compared, base_case(compared, threads=threads))
    points = _points(model.targets, name, years, survival)
    within = tuple(point for point in points if point is not None)
    if not within:
        return None
    return Published(within, scenarios, years, survival, len(points) - len(within))


def check_targets(model: ResolvedModel, name: str) -> None:
    """Read the published targets of a model, if it names any, without a run.

    Raises
    ------
    ModelError
        A table or a row that cannot be used.
    """
    if model.targets is not None:
        years = np.array([0.0, model.timing.cycles * model.timing.cycle])
        everybody = dict.fromkeys(model.strategies, np.ones(2))  # any survival will do
        _points(model.targets, name, years, everybody)


def _points(
    targets: Targets, name: str, years: Float, survival: Mapping[str, Float]
) -> list[Point | None]:
    path = find_targets(targets.file, find_model(name), targets.where)
    return [
        _point(row, years, survival, f"{path.name}:{line}")
        for line, row in enumerate(_rows(path, targets.where), start=2)
    ]


def survival_curves(model: ResolvedModel, outcomes: Outcomes) -> tuple[Float, dict[str, Float]]:
    """Years [point], and strategy -> share [point] that is in no absorbing state."""
    assert outcomes.trace is not None
    states = outcomes.trace["state"].to_numpy()
    alive = np.array([not model.states[str(state)].absorbing for state in states])
    shares = outcomes.trace.isel({PLACE: alive}).sum(PLACE)
    survival = {
        str(name): shares.sel(strategy=name).to_numpy() for name in shares["strategy"].to_numpy()
    }
    return outcomes.trace["years"].to_numpy(), survival


def _rows(path: Path, where: str) -> list[dict[str, str | float]]:
    rows = read_table(path, list(COLUMNS), where, optional=MAY_BE_EMPTY)
    return [dict(zip(COLUMNS, row, strict=True)) for row in rows]


def _point(
    row: Mapping[str, str | float], years: Float, survival: Mapping[str, Float], where: str
) -> Point | None:
    """A row as a point; None if the model ends before it."""
    series, strategy, role, source, doi = (
        _word(row[key]) for key in ("series", "strategy", "role", "source", "doi")
    )
    for what, word, known in (("strategy", strategy, survival), ("role", role, ROLES)):
        if word not in known:
            raise ModelError(f"no {what} '{word}'", where=where, mend=nearest(word, known))
    months, percent = (_number(row, key, where) for key in ("months", "survival_percent"))
    low, high = _interval(row, percent, where)
    if months < 0:
        raise ModelError(
            f"month {months:g} lies before the start", where=where, mend="write 0 or more"
        )
    if months / 12 > years[-1] * (1 + 1e-9):  # the last point of time is a sum of cycles
        return None
    found = float(np.interp(months / 12, years, survival[strategy]))
    source += f", doi:{doi}" if doi else ""
    return Point(series, strategy, months, percent, low, high, role, source, 100 * found)


def _interval(
    row: Mapping[str, str | float], percent: float, where: str
) -> tuple[float | None, float | None]:
    """The printed interval of a share in per cent, else the binomial one, else none."""

    def fault(what: str, mend: str) -> ModelError:
        return ModelError(what, where=where, mend=mend)

    if not 0 <= percent <= 100:
        raise fault(f"{percent:g} % alive", "write a percentage between 0 and 100")
    low, high, n = (
        None if row[key] == "" else _number(row, key, where) for key in ("low", "high", "n")
    )
    if n is not None and n <= 0:
        raise fault(f"{n:g} patients", "write how many, or nothing")
    if low is not None and high is not None:
        if not low <= percent <= high:
            raise fault(
                f"the interval {low:g} to {high:g} does not hold {percent:g}", "mend the row"
            )
        return low, high
    if low is not None or high is not None:
        given, lacking = ("low", "high") if high is None else ("high", "low")
        raise fault(f"'{given}' without '{lacking}'", "give both, or neither")
    if n is None:
        return None, None
    half = NEAR * sqrt(percent * (100 - percent) / n)
    return max(percent - half, 0.0), min(percent + half, 100.0)


def _number(row: Mapping[str, str | float], column: str, where: str) -> float:
    cell = row[column]
    if isinstance(cell, str):
        raise ModelError(
            f"'{column}' is '{cell}', not a number", where=where, mend="write a number"
        )
    return cell


def _word(cell: str | float) -> str:
    return cell if isinstance(cell, str) else f"{cell:g}"

"""Published survival beside the model's: what fits, and what does not."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from dataclasses import dataclass
from math import sqrt
from pathlib import Path

import numpy as np

from qalyst.axes import Float
from qalyst.errors import ModelError, nearest
from qalyst.io.files import find_model, find_targets
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
    """

    points: tuple[Point, ...]
    scenarios: tuple[str, ...]
    years: Float
    survival: Mapping[str, Float]


def published_survival(
    model: ResolvedModel, name: str, values: Mapping[str, float], *, threads: int | None = None
) -> Published | None:
    """Compare the model with its published targets; None if it names none.

    Parameters
    ----------
    model : the model of the run, for its targets and scenarios.
    name : as the model was asked for.
    values : parameters that were set.
    threads : see `base_case`.
    """
    if model.targets is None:
        return None
    scenarios = tuple(dict.fromkeys((*model.scenarios, *model.targets.scenarios)))
    compared = load_model(name, scenarios=scenarios, values=values)
    years, survival = survival_curves(compared, base_case(compared, threads=threads))
    points = _points(model.targets, name, years, survival)
    return Published(points, scenarios, years, survival)


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
) -> tuple[Point, ...]:
    path = find_targets(targets.file, find_model(name), targets.where)
    return tuple(
        _point(row, years, survival, f"{path.name}:{line}")
        for line, row in enumerate(_rows(path, targets.where), start=2)
    )


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


def _rows(path: Path, where: str) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        reader = csv.DictReader(file)
        missing = set(COLUMNS) - set(reader.fieldnames or [])
        if missing:
            raise ModelError(
                f"{path.name} has no column '{sorted(missing)[0]}'",
                where=where,
                mend=f"its columns are {', '.join(COLUMNS)}",
            )
        return list(reader)


def _point(
    row: Mapping[str, str], years: Float, survival: Mapping[str, Float], where: str
) -> Point:
    strategy = row["strategy"]
    if strategy not in survival:
        raise ModelError(f"no strategy '{strategy}'", where=where, mend=nearest(strategy, survival))
    try:
        months, percent = float(row["months"]), float(row["survival_percent"])
        low, high = _interval(row, percent)
    except ValueError as error:
        raise ModelError(
            f"a number cannot be read ({error})", where=where, mend="mend the row"
        ) from error
    found = float(np.interp(months / 12, years, survival[strategy]))
    source = row["source"] + (f", doi:{row['doi']}" if row["doi"] else "")
    return Point(
        row["series"], strategy, months, percent, low, high, row["role"], source, 100 * found
    )


def _interval(row: Mapping[str, str], percent: float) -> tuple[float | None, float | None]:
    if row["low"] and row["high"]:
        return float(row["low"]), float(row["high"])
    if not row["n"]:
        return None, None
    half = NEAR * sqrt(percent * (100 - percent) / float(row["n"]))
    return max(percent - half, 0.0), min(percent + half, 100.0)

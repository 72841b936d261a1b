"""Scenario analysis: the model under other assumptions, one row each, or in every combination."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from qalyst.errors import ModelError, nearest
from qalyst.model.resolve import load_model
from qalyst.model.resolved import ResolvedModel, as_data
from qalyst.sensitivity.points import open_study
from qalyst.sensitivity.standing import Reading, Standing, readings, standing
from qalyst.simulation import Progress

MOST_CROSSED = 10  # scenarios; 1,024 combinations


@dataclass(frozen=True)
class Scenario:
    """One row that is asked for.

    Attributes
    ----------
    name : in tables and figures.
    scenarios : overlays of the model file, in the order in which they are applied.
    values : parameter -> value in the unit of its record.
    justification : why it is looked at.
    """

    name: str
    scenarios: tuple[str, ...] = ()
    values: Mapping[str, float] = field(default_factory=dict)
    justification: str = ""


@dataclass(frozen=True)
class Outcome:
    """One row of the results.

    Attributes
    ----------
    scenario : what was asked for.
    found : what the model gives; None if it cannot be run so.
    problem : why not; empty if it can.
    """

    scenario: Scenario
    found: Reading | None
    problem: str = ""


@dataclass(frozen=True)
class ScenarioTable:
    """A scenario analysis; the pair and the willingness to pay are those of the base case.

    Attributes
    ----------
    model : of the base case.
    standing, base : the pair, and the base case.
    rows : in the order asked for.
    conflicts : pairs of scenarios that change the same thing, so that their order would matter.
    """

    model: ResolvedModel
    standing: Standing
    base: Reading
    rows: tuple[Outcome, ...]
    conflicts: tuple[tuple[str, str], ...] = ()


def scenario_table(
    name: str,
    rows: Sequence[Scenario] = (),
    *,
    cross: Sequence[str] = (),
    scenarios: Sequence[str] = (),
    values: Mapping[str, float] | None = None,
    wtp: float | None = None,
    strategy: str | None = None,
    comparator: str | None = None,
    threads: int | None = None,
    progress: Progress | None = None,
) -> ScenarioTable:
    """The model under each scenario, without uncertainty.

    Parameters
    ----------
    name : of the model, or path of its file.
    rows : what is looked at; each scenario of the model by itself if there are none.
    cross : instead of `rows`, every combination of these scenarios (the structural multiverse),
        the single ones first. Two that change the same thing to different values do not go
        together: they are told in `conflicts`.
    scenarios, values : of the base case; they hold in every row as well.
    wtp, strategy, comparator : see `standing`; those of the base case hold in every row.
    threads : of each run; all processors if None.
    progress : called with (rows done, rows).

    Raises
    ------
    ModelError
        An unknown scenario, both `rows` and `cross`, or a row of `rows` that cannot be run.

    References
    ----------
    Bojke et al. (2009) Value in Health 12:739-749, on structural uncertainty.
    """
    own = dict(values or {})
    study = open_study(name, scenarios=scenarios, values=own, threads=threads)
    compared = standing(study, wtp=wtp, strategy=strategy, comparator=comparator)
    known = [each for each in study.model.known_scenarios if each not in scenarios]
    _check(rows, cross, known, study.model.file)

    def model_of(row: Sequence[str]) -> dict[str, Any]:
        loaded = as_data(load_model(name, scenarios=(*scenarios, *row), values=own))
        return {key: part for key, part in loaded.items() if key != "scenarios"}

    conflicts: tuple[tuple[str, str], ...] = ()
    strict = bool(rows)
    if cross:
        conflicts = tuple(
            pair for pair in itertools.combinations(cross, 2) if _order_matters(model_of, pair)
        )
        rows = _combinations(cross, conflicts)
    rows = rows or [Scenario(each, (each,)) for each in known]
    results = []
    for done, row in enumerate(rows):
        if progress is not None:
            progress(done, len(rows))
        try:
            one = open_study(
                name,
                scenarios=(*scenarios, *row.scenarios),
                values={**own, **row.values},
                threads=threads,
            )
            results.append(Outcome(row, _reading(compared, one.model, one.base)))
        except ModelError as error:
            if strict:
                raise ModelError(
                    f"the scenario '{row.name}' cannot be run: {error.what}",
                    where=error.where,
                    mend=error.mend,
                ) from error
            results.append(Outcome(row, None, error.what))
    return ScenarioTable(
        study.model, compared, readings(compared, study.base)[0], tuple(results), conflicts
    )


def _check(rows: Sequence[Scenario], cross: Sequence[str], known: Sequence[str], file: str) -> None:
    if rows and cross:
        raise ModelError(
            "a file of scenarios and combinations are both asked for",
            where="command line  FILE --cross",
            mend="keep one of the two",
        )
    if len(cross) > MOST_CROSSED or len(set(cross)) < len(cross):
        raise ModelError(
            f"{len(cross)} scenarios, of which {len(set(cross))} differ, make too many combinations"
            if len(cross) > MOST_CROSSED
            else "a scenario is given twice",
            where="command line  --cross",
            mend=f"name up to {MOST_CROSSED} different ones",
        )
    for each in (*cross, *(one for row in rows for one in row.scenarios)):
        if each not in known:
            raise ModelError(
                f"no scenario '{each}' in {file}", where="scenarios", mend=nearest(each, known)
            )
    names = [row.name for row in rows]
    twice = next((each for each in names if names.count(each) > 1), None)
    if twice is not None:
        raise ModelError(
            f"two scenarios are called '{twice}'", where="scenarios", mend="rename one"
        )
    if not (rows or cross or known):
        raise ModelError(
            "the model has no scenarios", where=file, mend="add `scenarios:`, or give a file"
        )


def _order_matters(
    model_of: Callable[[Sequence[str]], dict[str, Any]], pair: tuple[str, str]
) -> bool:
    """Whether two overlays change the same thing: then the later one would win, unnoticed."""
    one, other = pair
    try:
        return model_of((one, other)) != model_of((other, one))
    except ModelError:
        return False  # told by the combination itself, which cannot be loaded


def _combinations(cross: Sequence[str], conflicts: Sequence[tuple[str, str]]) -> list[Scenario]:
    found = []
    for size in range(1, len(cross) + 1):
        for row in itertools.combinations(cross, size):
            if not any(one in row and other in row for one, other in conflicts):
                found.append(Scenario(" + ".join(row), row))
    return found


def _reading(compared: Standing, model: ResolvedModel, base: Any) -> Reading:
    for each in (compared.strategy, compared.comparator):
        if each not in model.strategies:
            raise ModelError(
                f"the strategy '{each}' is not part of it",
                where=f"{model.file}  strategies",
                mend="compare others: --strategy, --comparator",
            )
    for each in (compared.cost, compared.effect):
        if each not in model.outcomes:
            raise ModelError(
                f"the outcome '{each}' is not part of it",
                where=f"{model.file}  outcomes",
                mend="keep cost and effect",
            )
    return readings(compared, base)[0]

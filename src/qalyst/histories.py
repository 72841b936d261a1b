"""Patients one by one: their profiles, their totals, and the stays of their courses."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from qalyst.axes import Float, Int
from qalyst.engines.engine import Shared
from qalyst.engines.individuals import IndividualsEngine, Wanted
from qalyst.errors import ModelError
from qalyst.kernels import patients as kernel
from qalyst.model.evaluate import Evaluator
from qalyst.model.residual import Residual
from qalyst.model.resolved import Label, ResolvedModel
from qalyst.params.draws import BaseCase
from qalyst.simulation import check_request, workers_of

if TYPE_CHECKING:
    import pandas as pd

MOST_PATIENTS = 1_000_000  # their stays are kept, not only added up
HORIZON = "horizon"
OWN_COLUMNS = ("patient", "strategy")
NOBODY: Int = np.array([], np.int64)


@dataclass(frozen=True)
class Stay:
    """A stay of a patient: where, with which treatment, from when to when, and what ended it.

    `ended_by` is the name of a cause, or `horizon`.
    """

    state: str
    line: int
    treatment: str
    from_years: float
    to_years: float
    ended_by: str


@dataclass(frozen=True)
class Histories:
    """What happened to each patient at base-case values.

    Attributes
    ----------
    profiles : [profile] its label in each dimension, and its attributes; one for each sampled
        patient of a profile if the model has attributes.
    profile : [patient] indices of `profiles`.
    totals : [patient, strategy, outcome] discounted.
    stays : one row a stay, by patient, strategy and time: patient, strategy, and those of `Stay`.
    """

    model: ResolvedModel
    seed: int
    profiles: tuple[dict[str, Label], ...]
    profile: Int
    totals: Float
    stays: pd.DataFrame

    @property
    def patients(self) -> int:
        """How many."""
        return len(self.profile)

    def labels(self, dimension: str) -> NDArray[Any]:
        """[patient] the label of each patient in a dimension of profiles: numbers, or text."""
        known = [profile[dimension] for profile in self.profiles]
        if self.model.dimensions[dimension].numeric:
            return np.array(known)[self.profile]
        return np.array([str(label) for label in known], dtype=object)[self.profile]

    def courses(self, patient: int) -> dict[str, tuple[Stay, ...]]:
        """The stays of one patient under each strategy."""
        own = self.stays[self.stays["patient"] == patient]
        courses: dict[str, tuple[Stay, ...]] = {}
        for name in self.model.strategies:
            rows = own[own["strategy"] == name].drop(columns=list(OWN_COLUMNS))
            courses[name] = tuple(Stay(*row) for row in rows.itertuples(index=False))
        return courses

    def absorbed(self) -> Float:
        """[patient, strategy] years until an absorbing state is entered; nan if that never is."""
        model = self.model
        names = [name for name, state in model.states.items() if state.absorbing]
        ends = self.stays[self.stays["state"].isin(names)]
        position = {name: number for number, name in enumerate(model.strategies)}
        years = np.full((self.patients, len(position)), np.nan)
        years[ends["patient"], ends["strategy"].map(position)] = ends["from_years"]
        return years


def follow_patients(
    model: ResolvedModel, *, patients: int, seed: int, threads: int | None = None
) -> Histories:
    """Follow patients through every strategy at base-case values, each with the same luck.

    Parameters
    ----------
    model : the resolved model.
    patients : how many; the first are the same however many follow.
    seed : of their luck.
    threads : how many; all processors if None. It changes no bit.

    Raises
    ------
    ModelError
        Too many patients or none, or a base case that cannot be run patient by patient.
    """
    check_request(seed=seed, patients=patients, threads=threads)
    if patients > MOST_PATIENTS:
        raise ModelError(
            f"the courses of {patients:,} patients are too many to keep",
            where=f"patients (--patients {patients})",
            mend=f"ask for {MOST_PATIENTS:,}; `qalyst run --engine individuals` takes more",
        )
    _check_columns(model)
    engine = IndividualsEngine(Shared(model), patients=patients, seed=seed)
    shared = engine.shared
    evaluate = shared.evaluator(BaseCase(model.parameters))
    shared.guards.check(evaluate, NOBODY)
    bound = engine.bind(evaluate, NOBODY)
    wanted = Wanted(moments=False, totals=True, story=True)
    sums = engine.follow(bound, wanted, threads=workers_of(threads))
    profile = np.zeros(patients, np.int64)
    who, program = (
        sums.story[:, column].astype(np.int64)
        for column in (kernel.STORY_PATIENT, kernel.STORY_PROGRAM)
    )
    profile[who] = program % len(shared.profiles)
    profiles = tuple(_at_base(known, evaluate) for known in shared.profiles)
    return Histories(model, seed, profiles, profile, sums.totals[0], _stays(engine, sums.story))


def _at_base(known: Mapping[str, Any], evaluate: Evaluator) -> dict[str, Label]:
    """Labels as they are, attributes as numbers."""
    return {
        name: float(evaluate(value).item()) if isinstance(value, Residual) else value
        for name, value in known.items()
    }


def patients_table(histories: Histories) -> pd.DataFrame:
    """One row a patient and strategy: the label of each dimension, and discounted totals."""
    import pandas as pd

    model = histories.model
    strategies = np.array(list(model.strategies), dtype=object)
    count = len(strategies)
    columns: dict[str, NDArray[Any]] = {
        "patient": np.repeat(np.arange(histories.patients), count),
        "strategy": np.tile(strategies, histories.patients),
    }
    for name in model.dimensions:
        columns[name] = np.repeat(histories.labels(name), count)
    for number, name in enumerate(model.outcomes):
        columns[name] = histories.totals[:, :, number].ravel()
    return pd.DataFrame(columns)


def _check_columns(model: ResolvedModel) -> None:
    names = [*OWN_COLUMNS, *model.dimensions, *model.outcomes]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise ModelError(
            f"two columns of the table of patients would be called '{twice}'",
            where=model.file,
            mend="give the outcome or the dimension of profiles another name",
        )


def _stays(engine: IndividualsEngine, story: Float) -> pd.DataFrame:
    """The rows of a story in the words of the model."""
    import pandas as pd

    model, made = engine.shared.model, engine.patient_model
    whole = story[:, : kernel.STORY_CAUSE + 1].astype(np.int64)
    patient, program, place, cause = whole.T
    strategies = list(model.strategies)
    strategy = program // len(engine.shared.profiles)
    treatments = [[_treatment(model, name, line) for _, line in made.places] for name in strategies]
    cycle, horizon = model.timing.cycle, model.timing.cycles
    years = np.minimum(story[:, [kernel.STORY_ENTER, kernel.STORY_LEAVE]], horizon) * cycle
    return pd.DataFrame(
        {
            "patient": patient,
            "strategy": np.array(strategies, dtype=object)[strategy],
            "state": np.array([state for state, _ in made.places], dtype=object)[place],
            "line": np.array([line for _, line in made.places])[place],
            "treatment": np.array(treatments, dtype=object)[strategy, place],
            "from_years": years[:, 0],
            "to_years": years[:, 1],
            "ended_by": np.array([*made.causes, HORIZON], dtype=object)[cause],
        }
    )


def _treatment(model: ResolvedModel, strategy: str, line: int) -> str:
    """The treatment of a line; empty outside the lines, and beyond the end of a sequence."""
    sequence = model.strategies[strategy].sequence
    return sequence[line - 1] if 0 < line <= len(sequence) else ""

"""What a study would be worth for the decision that a model supports."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from qalyst.axes import Float
from qalyst.decision.enbs import Enbs, enbs
from qalyst.decision.evsi import Evsi, Method, evsi_by_size
from qalyst.decision.study_files import StudyFile
from qalyst.errors import ModelError, nearest
from qalyst.model.compared import compared_outcomes, thresholds_of
from qalyst.model.resolved import ResolvedModel
from qalyst.params.draws import Draws
from qalyst.params.inputs import drawn, uncertain_inputs
from qalyst.simulation import Progress, simulate


@dataclass(frozen=True)
class StudyValue:
    """A study's value for a model, by size and follow-up.

    Attributes
    ----------
    model, file : of which decision, and which study.
    wtp : willingness to pay, currency per unit of effect.
    draws, seed : of the probabilistic analysis.
    evsi : years of follow-up -> EVSI at each size.
    enbs : years of follow-up -> net benefit over size; empty without cost and population.
    """

    model: ResolvedModel
    file: StudyFile
    wtp: float
    draws: int
    seed: int
    evsi: Mapping[float, tuple[Evsi, ...]]
    enbs: Mapping[float, Enbs]

    @property
    def best_follow_up(self) -> float:
        """Years of follow-up of the highest net benefit; without any, of the highest EVSI."""
        if self.enbs:
            return max(self.enbs, key=lambda years: self.enbs[years].highest)
        return max(self.evsi, key=lambda years: self.planned(years).value)

    def planned(self, follow_up: float) -> Evsi:
        """EVSI of the planned size."""
        return next(each for each in self.evsi[follow_up] if each.n == self.file.n)


def value_of_study(
    model: ResolvedModel,
    file: StudyFile,
    *,
    wtp: float | None,
    draws: int,
    seed: int,
    threads: int | None = None,
    method: Method = "regression",
    progress: Progress | None = None,
) -> StudyValue:
    """EVSI and ENBS of a study, from the probabilistic analysis of a model.

    Parameters
    ----------
    model : compares strategies by a cost and an effect.
    file : the study, with the sizes and follow-ups that are compared.
    wtp : currency per unit of effect; the model's threshold if None and it has just one.
    draws, seed, threads, progress : of the probabilistic analysis; the luck of the study has the
        same seed at other addresses.
    method : see `qalyst.decision.evsi.evsi`.

    Raises
    ------
    ModelError
        A model without such a comparison, a parameter that is not uncertain in it, or a study that
        cannot be simulated.
    """
    cost, effect = compared_outcomes(model)
    threshold = _threshold(model, wtp)
    values = _values(model, file, seed, draws)
    outcomes = simulate(model, draws=draws, seed=seed, threads=threads, progress=progress)
    found = {
        years: evsi_by_size(
            outcomes.total(cost),
            outcomes.total(effect),
            values,
            file.planned(years),
            file.compared,
            threshold,
            seed=seed,
            method=method,
        )
        for years in file.follow_ups
    }
    costs, people = file.costs(), file.people()
    net: dict[float, Enbs] = {}
    if costs is not None and people is not None:
        for years, by_size in found.items():
            net[years] = enbs(by_size, people, costs, file.times(years))
    return StudyValue(model, file, threshold, draws, seed, found, net)


def _threshold(model: ResolvedModel, wtp: float | None) -> float:
    known = thresholds_of(model, () if wtp is None else (wtp,))
    if len(known) > 1:
        raise ModelError(
            f"'{model.name}' has several thresholds, and the value of a study is at one",
            where="command line  --wtp",
            mend=f"name one; the model's own: {', '.join(f'{each:g}' for each in known)}",
        )
    return known[0]


def _values(model: ResolvedModel, file: StudyFile, seed: int, draws: int) -> dict[str, Float]:
    """Draws of the study's parameters, in years and in the model's money."""
    inputs = {each.name: each for each in uncertain_inputs(model.parameters, model.used_parameters)}
    wanted = file.planned(file.follow_ups[0]).parameters
    for name in wanted:
        if name not in inputs:
            raise ModelError(
                f"'{name}' is no uncertain parameter of '{model.name}'",
                where=f"study {file.study}",
                mend=nearest(name, inputs),
            )
    found = drawn(
        [inputs[name] for name in wanted],
        Draws(model.parameters, seed, np.arange(draws, dtype=np.int64)),
    )
    return {name: found[name] * inputs[name].parameter.factor for name in wanted}

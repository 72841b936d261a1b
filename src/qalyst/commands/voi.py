"""What `qalyst voi` does: draws, values of information, and a folder of results."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from qalyst.decision.evppi import Evppi
from qalyst.decision.population import Population
from qalyst.errors import ModelError
from qalyst.information import Groups, Information, kinds, model_information
from qalyst.io.files import names_in, written_whole
from qalyst.io.typed import split_names
from qalyst.model.compared import compared_outcomes, thresholds_of
from qalyst.model.resolved import ResolvedModel
from qalyst.params.inputs import Input, chosen, uncertain_inputs
from qalyst.report.progress import progress_bar
from qalyst.report.value_report import Checked, Valued, check_data, write_value
from qalyst.report.value_words import information_data, information_sentence, input_labels
from qalyst.sensitivity.nested_information import nested_information
from qalyst.simulation import simulate

MOST_GROUPED = 30  # inputs of a kind that are still learnt about together: more take minutes


def value_information(
    model: ResolvedModel,
    *,
    wtp: Sequence[float],
    groups: Sequence[str],
    checks: Sequence[str],
    budget: int,
    persons: float | None,
    horizon: float,
    discount: float,
    draws: int,
    seed: int,
    threads: int | None,
    folder: Path,
    settings: Mapping[str, Any],
) -> tuple[Valued, dict[str, Any]]:
    """Values of information of a model at its thresholds or others.

    Parameters
    ----------
    model : compares strategies by a cost and an effect.
    wtp : thresholds; the model's own if there are none.
    groups : ``a,b`` or ``name=a,b``; kinds of inputs if there are none.
    checks : inputs or groups whose value is checked by nested Monte Carlo at each threshold.
    budget : most evaluations of the model in a check.
    persons, horizon, discount : of population values; none without `persons`.
    draws, seed, threads : see `simulate`.
    folder : takes the results, whole or not at all.
    settings : what was asked for, for the provenance.

    Raises
    ------
    ModelError
        A model without decision, threshold or uncertain inputs; an unknown input; too few draws.
    """
    compared_outcomes(model)
    thresholds = list(thresholds_of(model, wtp))
    inputs = uncertain_inputs(model.parameters, model.used_parameters)
    if not inputs:
        raise ModelError(
            f"no input of '{model.name}' is uncertain",
            where=model.file,
            mend="give its parameters an `uncertainty:`",
        )
    population = None
    if persons is not None:
        population = Population(incidence=persons, horizon=horizon, discount=discount)
    named = _groups(inputs, groups)
    checked = [(text, _members(inputs, text, f"command line  --check {text}")) for text in checks]
    with progress_bar(model.name, draws) as progress:
        psa = simulate(model, draws=draws, seed=seed, threads=threads, progress=progress)
    learnt = dict(named)
    for text, members in checked:
        group = tuple(each.name for each in members)
        if len(group) > 1 and set(group) not in map(set, learnt.values()):
            learnt[text] = group
    found = model_information(model, psa, seed=seed, wtp=thresholds, groups=learnt)
    compared = []
    for text, members in checked:
        for at in found:
            nested = nested_information(
                model, members, wtp=at.wtp, seed=seed, budget=budget, threads=threads
            )
            compared.append(Checked(text, at.wtp, _regressed(at, members), nested))
    valued = Valued(model, found, input_labels(model), population, tuple(compared))
    with written_whole(folder) as work:
        files = write_value(
            valued,
            work,
            {**settings, "draws": draws, "seed": seed, "wtp": thresholds, "groups": list(groups)},
        )
        names = names_in(work, files)
    return valued, {
        "model": model.name,
        "sha256": model.sha256,
        "draws": draws,
        "seed": seed,
        "persons": None if population is None else population.persons(),
        "thresholds": information_data(found),
        "checks": [check_data(each) for each in compared],
        "sentences": [information_sentence(model, each, valued.labels) for each in found],
        "folder": str(folder),
        "files": names,
    }


def _groups(inputs: Sequence[Input], given: Iterable[str]) -> Groups:
    """Groups as they are written, or the kinds of inputs that have several."""
    found: dict[str, tuple[str, ...]] = {}
    for text in given:
        name, equals, listed = text.rpartition("=")
        where = f"command line  --group {text}"
        members = _members(inputs, listed, where)
        called = name.strip() if equals else ", ".join(split_names(listed))
        found[called] = tuple(each.name for each in members)
    if found:
        return found
    return {kind: names for kind, names in kinds(inputs).items() if 1 < len(names) <= MOST_GROUPED}


def _members(inputs: Sequence[Input], text: str, where: str) -> tuple[Input, ...]:
    names = split_names(text)
    if not names:
        raise ModelError("a group of nothing", where=where, mend="name inputs: a,b")
    return chosen(inputs, names, where)


def _regressed(at: Information, members: Sequence[Input]) -> Evppi:
    """What regression gave for what is checked."""
    names = {each.name for each in members}
    return next(
        each for each in (*at.singles, *at.groups.values()) if set(each.parameters) == names
    )

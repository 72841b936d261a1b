"""A run kept in its folder: what it found, and what it was, for questions asked later."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from qalyst.axes import DRAW, OUTCOME, PROFILE, STATE, STRATEGY, Float
from qalyst.errors import ModelError
from qalyst.io.arrays import Arrays, read_arrays, write_arrays
from qalyst.model.resolve import load_model
from qalyst.model.resolved import ResolvedModel
from qalyst.outcomes import (
    CELL,
    DISCOUNTED,
    ROW,
    Outcomes,
    Rates,
    amount_of,
    between_array,
    by_patient_array,
    names_of,
    profiles_dataset,
    quantities_dataset,
    totals_dataset,
    trace_array,
)
from qalyst.simulation import design_for
from qalyst.stats.designs import Design, Sampling

FILE = "outcomes.npz"
KIND = "qalyst run, form 1"


@dataclass(frozen=True)
class Identity:
    """What was run.

    Attributes
    ----------
    model : name, or path of the file, as it was written.
    scenarios, values : overlays, and parameters that were set.
    sha256 : fingerprint of the resolved model.
    seed, draws : of the probabilistic analysis; no draws: the base case alone.
    patients, luck : of the individuals engine; no patients: the cohort.
    version : of qalyst.
    sampling, replicates : of the draws; see `simulation.design_for`.
    """

    model: str
    scenarios: tuple[str, ...]
    values: Mapping[str, float]
    sha256: str
    seed: int
    draws: int | None
    patients: int | None
    luck: str
    version: str
    sampling: Sampling = "random"
    replicates: int = 1

    def design(self, model: ResolvedModel) -> Design | None:
        """The sampling design of the draws; None if they are independent, or none."""
        if self.draws is None:
            return None
        return design_for(
            model, self.sampling, seed=self.seed, draws=self.draws, replicates=self.replicates
        )

    def load(self, changes: Mapping[str, float] | None = None) -> ResolvedModel:
        """The model that was run, with other values of some parameters.

        Raises
        ------
        ModelError
            The files of the model are not what they were.
        """
        model = load_model(self.model, scenarios=self.scenarios, values=self.values)
        if model.sha256 != self.sha256:
            raise ModelError(
                f"'{self.model}' has changed since the run",
                where=f"{model.file}, sha256 {model.sha256[:12]}; the run has {self.sha256[:12]}",
                mend="run it again, and ask that run",
            )
        if not changes:
            return model
        together = {**self.values, **changes}
        return load_model(self.model, scenarios=self.scenarios, values=together)


@dataclass(frozen=True)
class SavedRun:
    """A run as it was kept: outcomes of the base case and of the draws, if there are any."""

    identity: Identity
    base: Outcomes
    psa: Outcomes | None


def save_run(folder: Path, identity: Identity, base: Outcomes, psa: Outcomes | None = None) -> Path:
    """Keep a run in its folder; the same run gives the same bytes."""
    arrays: Arrays = {}
    about: dict[str, Any] = {"kind": KIND, "identity": _plain(identity)}
    for name, outcomes in (("base", base), ("psa", psa)):
        if outcomes is not None:
            about[name] = _labels(outcomes)
            arrays |= {f"{name}.{key}": array for key, array in _arrays(outcomes).items()}
    path = folder / FILE
    write_arrays(path, arrays, about)
    return path


def read_run(folder: Path) -> SavedRun:
    """The run kept in a folder.

    Raises
    ------
    ModelError
        There is none, or its file is damaged or was written by another version of qalyst.
    """
    if not folder.is_dir():
        raise ModelError(
            f"no folder '{folder}'", where="command line", mend="name the folder of a run"
        )
    arrays, about = read_arrays(
        folder / FILE, KIND, "run the model again: `qalyst run` keeps what later questions need"
    )
    raw = dict(about["identity"])
    raw["scenarios"] = tuple(raw["scenarios"])
    found = {
        name: _outcomes(about[name], arrays, f"{name}.")
        for name in ("base", "psa")
        if name in about
    }
    return SavedRun(Identity(**raw), found["base"], found.get("psa"))


def _plain(identity: Identity) -> dict[str, Any]:
    return {
        **vars(identity),
        "scenarios": list(identity.scenarios),
        "values": dict(identity.values),
    }


def _labels(outcomes: Outcomes) -> dict[str, Any]:
    quantities, trace = outcomes.quantities, outcomes.trace
    cells = zip(*(quantities[key].to_numpy() for key in (OUTCOME, ROW, STATE)), strict=True)
    texts = quantities["price_text"].to_numpy()
    return {
        "strategies": _names(outcomes.totals[STRATEGY]),
        "outcomes": _names(outcomes.totals[OUTCOME]),
        "rates": [[each.costs, each.effects] for each in outcomes.rates],
        "cells": [[*map(str, cell), str(text)] for cell, text in zip(cells, texts, strict=True)],
        "profiles": _names(outcomes.profiles[PROFILE]),
        "kept_by_draw": outcomes.kept_by_draw,
        "patients": outcomes.patients,
        "places": None
        if trace is None
        else [
            [str(state), int(line)]
            for state, line in zip(trace[STATE].values, trace["line"].values, strict=True)
        ],
    }


def _names(values: Any) -> list[str]:
    return [str(value) for value in values.values]


def _arrays(outcomes: Outcomes) -> Arrays:
    names, quantities = names_of(outcomes.rates), outcomes.quantities
    found: Arrays = {
        "totals": _stacked(outcomes.totals, names, (DRAW, STRATEGY, OUTCOME)),
        "quantities": _stacked(quantities, names, (DRAW, STRATEGY, CELL)),
        "amounts": _stacked(quantities, list(map(amount_of, names)), (STRATEGY, CELL)),
        "prices": quantities["price"].transpose(DRAW, CELL).to_numpy(),
        "profiles": outcomes.profiles[DISCOUNTED]
        .transpose(DRAW, STRATEGY, PROFILE, OUTCOME)
        .to_numpy(),
        "weights": outcomes.profiles["weight"].transpose(DRAW, PROFILE).to_numpy(),
        "by_patient": outcomes.by_patient.to_numpy(),
        "between": outcomes.between_patients.to_numpy(),
    }
    if outcomes.trace is not None:
        found |= {"trace": outcomes.trace.to_numpy(), "years": outcomes.trace["years"].to_numpy()}
    return found


def _stacked(dataset: Any, names: list[str], dims: tuple[str, ...]) -> Float:
    """[..., rates] variables of a data set one behind another."""
    return np.stack([dataset[name].transpose(*dims).to_numpy() for name in names], axis=-1)


def _outcomes(labels: Mapping[str, Any], arrays: Arrays, prefix: str) -> Outcomes:
    strategies, outcomes = labels["strategies"], labels["outcomes"]
    rates = tuple(Rates(*pair) for pair in labels["rates"])
    places = labels["places"]

    def of(name: str) -> Float:
        return np.asarray(arrays[prefix + name], float)

    return Outcomes(
        totals=totals_dataset(of("totals"), strategies, outcomes, rates),
        quantities=quantities_dataset(
            of("quantities"),
            of("prices"),
            of("amounts"),
            strategies,
            [(cell[0], cell[1], cell[2], cell[3]) for cell in labels["cells"]],
            rates,
        ),
        profiles=profiles_dataset(
            of("profiles"), of("weights"), strategies, labels["profiles"], outcomes
        ),
        trace=None
        if places is None
        else trace_array(
            of("trace"), strategies, [(state, line) for state, line in places], of("years")
        ),
        kept_by_draw=labels["kept_by_draw"],
        by_patient=by_patient_array(of("by_patient"), strategies, outcomes),
        patients=labels["patients"],
        between_patients=between_array(of("between"), strategies, outcomes),
        rates=rates,
    )

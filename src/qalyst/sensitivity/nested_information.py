"""EVPPI of a model by running it again, to check what regression on its draws gave."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from qalyst.axes import STRATEGY, Float
from qalyst.decision.nested import NestedEvppi, nested_evppi
from qalyst.errors import ModelError
from qalyst.model.resolved import ResolvedModel
from qalyst.params.draws import coordinates
from qalyst.params.inputs import Input, addresses, uncertain_inputs
from qalyst.simulation import engine_for, simulate_uniforms
from qalyst.stats.addresses import BELOW_ONE

BUDGET = 200_000  # evaluations of the model
SMALLEST = 2.0**-54


def nested_information(
    model: ResolvedModel,
    learnt: Sequence[Input],
    *,
    wtp: float,
    seed: int,
    budget: int = BUDGET,
    threads: int | None = None,
) -> NestedEvppi:
    """EVPPI of inputs by nested Monte Carlo over the model itself.

    Parameters
    ----------
    model : compares strategies by a cost and an effect.
    learnt : what would be known; of numbers that are drawn together, all.
    wtp : willingness to pay, currency per unit of effect.
    seed : of the random numbers.
    budget : most evaluations of the model.
    threads : how many; all processors if None.

    Raises
    ------
    ModelError
        Inputs that are drawn together with others that would not be known.
    """
    names = tuple(each.name for each in learnt)
    known = frozenset().union(*(addresses(model.parameters, each) for each in learnt))
    for other in uncertain_inputs(model.parameters, model.used_parameters):
        if other.name not in names and addresses(model.parameters, other) & known:
            raise ModelError(
                f"'{other.name}' is drawn together with '{names[0]}'",
                where=f"{other.parameter.mark}  parameters.{other.parameter.name}",
                mend=f"check them together, as {learnt[0].parameter.name}",
            )
    every = coordinates(model.parameters, model.used_parameters)
    engine = engine_for(model)
    cost, effect = str(model.decision.cost), str(model.decision.effect)

    def net_benefit(uniform: Float) -> Float:
        columns = dict(zip(every, uniform.T, strict=True))
        found = simulate_uniforms(model, columns, threads=threads, engine=engine)
        benefit = wtp * found.total(effect) - found.total(cost)
        return np.asarray(benefit.transpose("draw", STRATEGY).to_numpy())

    def uniforms(random: np.random.Generator, count: int) -> Float:
        return np.clip(random.random(count), SMALLEST, BELOW_ONE)

    samplers = {" ".join(address): uniforms for address in every}
    found = nested_evppi(
        net_benefit,
        samplers,
        [" ".join(address) for address in every if address in known],
        seed=seed,
        budget=budget,
    )
    return replace(found, parameters=names)

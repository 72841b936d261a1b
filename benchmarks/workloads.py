"""The workloads: their models, their drawn parameters, and the three ways to run them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

import batched
import specialised
from cells import AGES, NELM, NELM_MEMORYLESS, SICK_SICKER, Cell, Drawn, Float
from qalyst import load_model
from qalyst.engines.engine import Engine
from qalyst.model.resolved import ResolvedModel
from qalyst.outcomes import Outcomes
from qalyst.params.draws import Draws
from qalyst.simulation import engine_for, simulate

SEED = 20261124
CHECKED = 300  # draws of which all three ways must agree; no whole number of lanes
AGREEMENT = 1e-10
_MODELS = Path(__file__).parent / "models"


@dataclass(frozen=True)
class Workload:
    """A model with its number of draws.

    Attributes
    ----------
    title : what it is.
    model : its file, or its name in the catalogue.
    draws, measured : how many are reported, and of how many the time is taken.
    specialised, batched : the hand-written kernels, and of how many draws the latter's time is
        taken at once; None if there are none.
    cells : of the hand-written kernels.
    life_table : sex, and age at the start, of the background death rate.
    """

    title: str
    model: str
    draws: int
    measured: int
    specialised: Callable[[Drawn, specialised.Static], Float] | None = None
    batched: Callable[[Drawn, specialised.Static], Float] | None = None
    batched_draws: int = 0
    cells: tuple[Cell, ...] = ()
    life_table: tuple[str, float] = ("total", 0.0)

    def load(self) -> ResolvedModel:
        """The resolved model."""
        return load_model(self.model)


WORKLOADS = {
    "a": Workload(
        "Sick-Sicker, 4 strategies, 75 cycles",
        str(_MODELS / "sick_sicker_psa.yaml"),
        10_000,
        10_000,
        specialised.sick_sicker,
        batched.sick_sicker,
        10_000,
        tuple(SICK_SICKER),
        ("total", 25.0),
    ),
    "b": Workload(
        "NELM without time in state, 3 strategies, 480 cycles",
        str(_MODELS / "nelm_memoryless.yaml"),
        10_000,
        10_000,
        specialised.nelm_memoryless,
        batched.nelm_memoryless,
        10_000,
        tuple(NELM_MEMORYLESS),
        ("male", 57.0),
    ),
    "c": Workload(
        "NELM, one profile, 3 strategies, 480 cycles by 181 bins",
        str(_MODELS / "nelm_one_profile.yaml"),
        10_000,
        10_000,
        specialised.nelm,
        batched.nelm,
        256,
        tuple(NELM),
        ("male", 57.0),
    ),
    "c64": Workload("NELM as it stands, 64 profiles", "nelm", 10_000, 256),
    "d": Workload("NELM, full shape", str(_MODELS / "nelm_full.yaml"), 1_000, 128),
}


def static(model: ResolvedModel, workload: Workload) -> specialised.Static:
    """Background death, discount factors and cycle, from the model's own records."""
    sex, age = workload.life_table
    timing = model.timing
    ages = np.floor(age + np.arange(timing.cycles) * timing.cycle + 1e-9)
    values = model.parameters["r_death_by_age"].values
    last = max(float(step) for label, step in values if label == sex)
    death = np.array([values[sex, min(float(a), last)] for a in ages])
    discount = 1.03 ** -(np.arange(timing.cycles + 1) * timing.cycle)
    return specialised.Static(death, discount, timing.cycle)


def drawn(model: ResolvedModel, draws: int) -> dict[str, Float]:
    """Every parameter of a model that is drawn or a plain number, [draw], all at once."""
    values = Draws(model.parameters, SEED, np.arange(draws, dtype=np.int64))
    found: dict[str, Float] = {}
    for name, parameter in model.parameters.items():
        if parameter.curve is not None:
            found |= {f"{name}.{key}": item for key, item in values.curve(name, ()).items()}
        elif parameter.by == ("age",):
            found |= {f"{name}.{age:g}": values.cell(name, (age,)) for age in AGES}
        elif not parameter.by:
            found[name] = values.cell(name, ())
    return found


def product(model: ResolvedModel, engine: Engine, draws: int, *, threads: int = 1) -> Outcomes:
    """The whole path: drawing, evaluating, running, adding up."""
    return simulate(model, draws=draws, seed=SEED, threads=threads, engine=engine)


def check_agreement(workload: Workload, model: ResolvedModel) -> float:
    """The greatest relative difference between product, specialised kernel and numpy.

    Raises
    ------
    AssertionError
        One of them differs by more than `AGREEMENT`.
    """
    assert workload.specialised is not None
    assert workload.batched is not None
    inputs = drawn(model, CHECKED), static(model, workload)
    lanes = workload.specialised(*inputs)
    ours = lanes.transpose(1, 2, 0, 3).reshape(*lanes.shape[1:3], -1)[:, :, :CHECKED]
    numpy = workload.batched(*inputs)
    quantities = product(model, engine_for(model), CHECKED).quantities
    names = ("outcome", "row", "state", "price_text")
    listed = zip(*(quantities[name].to_numpy().astype(str) for name in names), strict=True)
    theirs = np.stack([quantities[k].to_numpy() for k in ("discounted", "undiscounted")])
    worst, seen = 0.0, set()
    for number, cell in enumerate(listed):
        if cell[1] == "treatment":  # the time that care counts, at another price
            continue
        row = workload.cells.index(cell)
        seen.add(row)
        expected = theirs[:, :, :, number].transpose(2, 0, 1)  # [strategy, which, draw]
        for found in (ours, numpy):
            off = np.abs(found[:, 2 * row : 2 * row + 2] - expected)
            worst = max(worst, float((off / np.maximum(np.abs(expected), 1e-12)).max()))
    assert seen == set(range(len(workload.cells))), "a cell that the product does not have"
    assert worst < AGREEMENT, f"{workload.title}: results differ by {worst:.1e}"
    assert len(ours) == len(model.strategies)
    return worst

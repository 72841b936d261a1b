"""How many patients a run needs for a stated Monte Carlo error of the incremental net benefit.

With D draws of n patients the variance of a mean is (parameters + patients / n) / D; both variances
are estimated by a pilot run, see `qalyst.decision.variance`.
"""

from __future__ import annotations

from math import ceil, floor, log10

from qalyst.analysis import analyse
from qalyst.decision.variance import VarianceSplit
from qalyst.errors import ModelError
from qalyst.model.resolved import ResolvedModel
from qalyst.simulation import base_case, check_request, individuals_for, simulate

PILOT_DRAWS, PILOT_PATIENTS = 100, 500
LEAST = 10  # patients


def patients_for_error(
    model: ResolvedModel, *, error: float, draws: int | None, seed: int, threads: int | None = None
) -> int:
    """Patients in each draw, so that every mean incremental net benefit has at most this error.

    Parameters
    ----------
    error : Monte Carlo standard error, in the model's money, at each of its thresholds.
    draws : of the run; None for the base case alone.
    seed, threads : see `simulate`.

    Raises
    ------
    ModelError
        No two strategies, thresholds or positive error; or so few draws that no number of patients
        is enough.

    Examples
    --------
    >>> from qalyst.model.resolve import load_model
    >>> model = load_model("nelm", scenarios=["base_case_man"])
    >>> patients_for_error(model, error=100_000, draws=40, seed=1)
    10
    """
    where = f"command line  --error {error:g}"
    if not error > 0:
        raise ModelError("a Monte Carlo error is above 0", where=where, mend="write an amount")
    check_request(draws=draws, seed=seed, threads=threads)
    engine = individuals_for(model, patients=PILOT_PATIENTS, seed=seed)
    psa = None
    if draws is not None:
        pilot = min(draws, PILOT_DRAWS)
        psa = simulate(model, draws=pilot, seed=seed, threads=threads, engine=engine)
    base = base_case(model, engine, threads=threads)
    splits = [split for split in analyse(model, base, psa).variance if split.comparator]
    if not splits:
        raise ModelError(
            f"'{model.name}' has no incremental net benefit: it takes two strategies, a cost, an "
            "effect and a threshold",
            where=where,
            mend="write `decision: {cost: ..., effect: ..., thresholds: [...]}`, or --patients",
        )
    return max(_patients(split, error, draws or 1, where) for split in splits)


def _patients(split: VarianceSplit, error: float, draws: int, where: str) -> int:
    parameters = split.parameters or 0.0
    room = draws * error**2 - parameters
    if room <= 0:
        least = ceil(parameters / error**2 * 1.25)
        left = (parameters / draws) ** 0.5
        raise ModelError(
            f"{draws:,} draws alone leave the incremental net benefit of '{split.strategy}' a "
            f"Monte Carlo error of {left:,.0f}, whatever the number of patients",
            where=where,
            mend=f"ask for --draws {_rounded_up(least):,}".replace(",", "") + ", or a larger error",
        )
    return max(_rounded_up(ceil(split.patients / room)), LEAST)


def _rounded_up(number: int) -> int:
    """To two digits.

    >>> _rounded_up(1234), _rounded_up(7)
    (1300, 7)
    """
    step = int(10 ** max(floor(log10(max(number, 1))) - 1, 0))
    return -(-number // step) * step

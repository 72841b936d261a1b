"""All sequences of a model under the probabilistic analysis, together or each by itself."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from qalyst.axes import DRAW, OUTCOME, PROFILE, STRATEGY
from qalyst.decision.ranking import Ranking, rankings
from qalyst.engines.engine import Engine, Shared
from qalyst.errors import ModelError, nearest
from qalyst.model.chains import NotAChainError
from qalyst.model.compared import cost_and_effect
from qalyst.model.resolved import Label, ResolvedModel, SequenceRules
from qalyst.outcomes import DISCOUNTED, Outcomes
from qalyst.sensitivity.sequences import model_of_sequences, sequences_of
from qalyst.simulation import Progress, check_request, engine_for, simulate

if TYPE_CHECKING:
    import xarray as xr

WORTH_IT = 1.2  # times as fast: less is not worth another way of adding up


@dataclass(frozen=True)
class SequenceRun:
    """What a run of all sequences found.

    Attributes
    ----------
    model : with the sequences as its strategies.
    rules : that they keep.
    profiles : labels of each profile, in the order of `outcomes.profiles`.
    together : whether sequences with the same first lines were run together.
    how : that in words.
    """

    model: ResolvedModel
    rules: SequenceRules
    outcomes: Outcomes
    profiles: tuple[Mapping[str, Label], ...]
    together: bool
    how: str


def run_sequences(
    model: ResolvedModel,
    rules: SequenceRules,
    *,
    draws: int,
    seed: int,
    threads: int | None = None,
    together: bool | None = None,
    progress: Progress | None = None,
) -> SequenceRun:
    """Run every sequence that the rules allow, with the same draws.

    Parameters
    ----------
    model : the resolved model.
    rules : see `qalyst.sensitivity.sequences.rules_of`.
    draws, seed, threads, progress : see `qalyst.simulation.simulate`.
    together : True: lines with one past are run once, by sojourn matrices; False: each sequence
        by the cohort engine; None: whichever is faster, if the model allows both.

    Raises
    ------
    ModelError
        A model that has no sequences, cannot be run, or cannot be run together and is asked to.
    """
    check_request(draws=draws, seed=seed, threads=threads)
    sequences = model_of_sequences(model, sequences_of(rules))
    engine, shared_lines, how = _engine(sequences, together)
    outcomes = simulate(
        sequences, draws=draws, seed=seed, threads=threads, engine=engine, progress=progress
    )
    labels = tuple(engine.shared.labels)
    return SequenceRun(sequences, rules, outcomes, labels, shared_lines, how)


def _engine(model: ResolvedModel, together: bool | None) -> tuple[Engine, bool, str]:
    if together is False:
        return engine_for(model), False, "each sequence is run by itself, as asked"
    from qalyst.engines.sojourns import SojournEngine

    try:
        engine = SojournEngine(Shared(model), least_gain=0.0 if together else WORTH_IT)
    except NotAChainError as reason:
        if together:
            raise ModelError(
                f"the sequences of '{model.name}' cannot be run together, since {reason}",
                where=model.file,
                mend="leave out --together (`together`): each is then run by itself",
            ) from reason
        return engine_for(model), False, f"each sequence is run by itself, since {reason}"
    lines = sum(len(row.sequence) for row in model.strategies.values())
    return (
        engine,
        True,
        f"sequences are run together: {engine.nodes} lines of {lines}, those of a shared "
        "beginning once",
    )


def labels_asked(model: ResolvedModel, asked: Sequence[str]) -> dict[str, str]:
    """Dimension -> label of what was asked for, each written `dimension=label`.

    Raises
    ------
    ModelError
        A dimension or label that does not exist, or two labels of one dimension.
    """
    wanted: dict[str, str] = {}
    for text in asked:
        where = f"command line  --profile {text}"
        for part in text.split(","):
            dimension, equals, label = (piece.strip() for piece in part.partition("="))
            if not equals:
                raise ModelError(
                    f"'{part}' is not DIMENSION=LABEL", where=where, mend="write sex=male, say"
                )
            known = model.dimensions.get(dimension)
            if known is None:
                raise ModelError(
                    f"no dimension '{dimension}' of profiles",
                    where=where,
                    mend=nearest(dimension, model.dimensions),
                )
            if label not in map(str, known.labels):
                raise ModelError(
                    f"'{dimension}' has no label '{label}'",
                    where=where,
                    mend=nearest(label, map(str, known.labels)),
                )
            if wanted.setdefault(dimension, label) != label:
                raise ModelError(
                    f"nobody is both {wanted[dimension]} and {label}",
                    where=where,
                    mend=f"keep one label of '{dimension}'",
                )
    return wanted


def scope_of(run: SequenceRun, asked: Sequence[str]) -> list[int]:
    """The profiles that have all the labels asked for; see `labels_asked`."""
    wanted = labels_asked(run.model, asked)
    found = [
        number
        for number, profile in enumerate(run.profiles)
        if all(str(profile[name]) == label for name, label in wanted.items())
    ]
    if not found:
        raise ModelError(
            "no profile has all of these labels",
            where=f"command line  --profile {' '.join(asked)}",
            mend="ask for fewer at once",
        )
    return found


def rankings_in(
    run: SequenceRun, wtp: Sequence[float], profiles: Sequence[int] | None = None
) -> list[Ranking]:
    """The sequences in order at each threshold, in all people or in those of some profiles.

    Raises
    ------
    ModelError
        A model without a cost and an effect to compare, or a run too long to keep its profiles.
    """
    cost, effect = cost_and_effect(run.model)
    if profiles is None:
        return rankings(run.outcomes.total(cost), run.outcomes.total(effect), list(wtp))
    if not run.outcomes.kept_by_draw:
        raise ModelError(
            "the run is too long to keep every draw of each profile",
            where="command line  --draws",
            mend="fewer draws or sequences, or a scenario that leaves one profile",
        )
    return rankings(_among(run, cost, profiles), _among(run, effect, profiles), list(wtp))


def _among(run: SequenceRun, outcome: str, profiles: Sequence[int]) -> xr.DataArray:
    """[draw, strategy] of an outcome, the mean over some profiles by their weights."""
    found = run.outcomes.profiles.isel({PROFILE: list(profiles)})
    weights = found["weight"]
    whole = weights.sum(PROFILE)
    if not bool((whole > 0).all()):
        raise ModelError(
            "the profiles asked for have no weight in some draws",
            where="command line  --profile",
            mend="ask for others",
        )
    values = found[DISCOUNTED].sel({OUTCOME: outcome}, drop=True)
    return ((values * weights).sum(PROFILE) / whole).transpose(DRAW, STRATEGY)

"""Decisions of a model by profile: a run whose draws are kept profile by profile."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from qalyst.axes import OUTCOME
from qalyst.collecting import most_draws_kept
from qalyst.decision._subgroups import by_profile, check_dimensions
from qalyst.decision.stratified import decision_rule, decisions_of, values_of
from qalyst.errors import ModelError
from qalyst.model.compared import compared_outcomes, thresholds_of
from qalyst.model.resolved import ResolvedModel
from qalyst.outcomes import DISCOUNTED
from qalyst.simulation import Progress, check_request, engine_for, simulate

if TYPE_CHECKING:
    import xarray as xr

    from qalyst.engines.engine import Engine


@dataclass(frozen=True)
class ProfileDecisions:
    """What to choose for whom.

    Attributes
    ----------
    by : dimensions that the decision may depend on.
    population, subgroups, rule : decisions of `decision.stratified` for all, for each subgroup, and
        for the subgroups put together that choose alike at every threshold.
    labels, rule_labels : of each subgroup: dimension -> label.
    values : what each dimension alone is worth, and all together.
    """

    model: ResolvedModel
    seed: int
    draws: int
    by: tuple[str, ...]
    population: xr.Dataset
    subgroups: xr.Dataset
    labels: tuple[dict[str, Hashable], ...]
    rule: xr.Dataset
    rule_labels: tuple[dict[str, Hashable], ...]
    values: xr.Dataset


def decide_by_profile(
    model: ResolvedModel,
    *,
    draws: int,
    seed: int,
    by: Sequence[str] = (),
    wtp: Sequence[float] = (),
    threads: int | None = None,
    progress: Progress | None = None,
) -> ProfileDecisions:
    """The best strategy of each subgroup, and the value of deciding by subgroup.

    Parameters
    ----------
    model : with a cost, an effect, two strategies and two profiles or more.
    draws, seed, threads, progress : see `simulate`.
    by : dimensions of profiles; all that tell profiles apart if none is given.
    wtp : thresholds; those of the model if none is given.

    Raises
    ------
    ModelError
        A model without profiles or without a decision, an unknown dimension, or more draws than
        can be kept profile by profile.
    """
    check_request(draws=draws, seed=seed, threads=threads)
    cost, effect = compared_outcomes(model)
    thresholds = tuple(sorted(thresholds_of(model, wtp)))
    engine = engine_for(model)
    labels = engine.shared.labels
    known = [name for name in labels[0] if len({each[name] for each in labels}) > 1]
    if not known:
        raise ModelError(
            "every patient of the model has the same profile: nothing to choose by",
            where=f"{model.file}  profiles",
            mend="write dimensions with two labels or more under `profiles:`",
        )
    asked = check_dimensions(by, known, where=f"command line  --by {','.join(by)}")
    _check_size(engine, draws)
    found = simulate(
        model, draws=draws, seed=seed, threads=threads, engine=engine, progress=progress
    ).profiles
    checked = by_profile(
        found[DISCOUNTED].sel({OUTCOME: cost}, drop=True),
        found[DISCOUNTED].sel({OUTCOME: effect}, drop=True),
        found["weight"],
        labels=labels,
    )
    dimensions = tuple(name for name in asked or known if name in checked.dimensions)
    groups = checked.subgroups(dimensions)
    decisions = decisions_of(checked.strategies, groups, thresholds)
    leaves = decision_rule(decisions.optimal, groups.labels)
    rule = checked.put_together([_leaf_of(each, leaves) for each in checked.labels])
    return ProfileDecisions(
        model=model,
        seed=seed,
        draws=draws,
        by=dimensions,
        population=decisions_of(checked.strategies, checked.subgroups(()), thresholds),
        subgroups=decisions,
        labels=groups.labels,
        rule=decisions_of(checked.strategies, rule, thresholds).sel(
            subgroup=[rule.names[rule.labels.index(leaf)] for leaf in leaves]
        ),
        rule_labels=tuple(leaves),
        values=values_of(checked, dimensions, thresholds),
    )


def _leaf_of(
    profile: dict[str, Hashable], leaves: Sequence[dict[str, Hashable]]
) -> dict[str, Hashable]:
    return next(leaf for leaf in leaves if leaf.items() <= profile.items())


def _check_size(engine: Engine, draws: int) -> None:
    """Refuse more draws than a run keeps profile by profile: of others it keeps their mean."""
    most = most_draws_kept(engine.shared)
    if draws > most:
        raise ModelError(
            f"{draws:,} draws of {len(engine.shared.labels)} profiles are more than a run keeps "
            "profile by profile",
            where=f"draws (--draws {draws})",
            mend=f"ask for {most // 1000 * 1000 or most:,} or fewer",
        )

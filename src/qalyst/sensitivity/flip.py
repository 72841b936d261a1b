"""The smallest joint change of the uncertain inputs that changes the recommendation."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from qalyst.axes import STRATEGY, Float
from qalyst.engines.engine import Engine
from qalyst.errors import ModelError
from qalyst.model.compared import compared_outcomes, thresholds_of
from qalyst.model.resolved import ResolvedModel
from qalyst.params.inputs import Input, uncertain_inputs
from qalyst.sensitivity.nearest_point import NearestPoint, nearest_points
from qalyst.sensitivity.scores import FARTHEST, Scores, scores_of, values_at
from qalyst.simulation import base_case, check_request, engine_for, simulate_points

LIMIT = 5.0  # standard deviations beyond which a change is no longer looked for
SAME = 1e-6  # of the margin at the base case: what counts as equal to the best at a flip


@dataclass(frozen=True)
class Move:
    """One input on the way: from its base value to the one at which the choice changes."""

    name: str
    unit: str
    start: float
    end: float


@dataclass(frozen=True)
class SourceMoves:
    """What one source of randomness contributes.

    Attributes
    ----------
    source : the input, or the record of several that are drawn together.
    share : of the squared distance; the shares of a flip sum to 1.
    scores : how far it moves by itself, in standard deviations.
    moves : of its inputs.
    """

    source: str
    share: float
    scores: float
    moves: tuple[Move, ...]


@dataclass(frozen=True)
class Flip:
    """How far it is to where another strategy overtakes the recommended one.

    Attributes
    ----------
    strategy : the one that overtakes.
    margin : net benefit of the recommended strategy over it in the base case, currency.
    distance : to the nearest such point in standard deviations of the inputs' joint distribution;
        None if there is none within reach.
    probability : that the inputs lie beyond, if the boundary were flat; None likewise.
    recommended_there : whether it is then the best of all, not only better than the recommended.
    sources : what moves, the largest share first.
    """

    strategy: str
    margin: float
    distance: float | None
    probability: float | None
    recommended_there: bool
    sources: tuple[SourceMoves, ...]


@dataclass(frozen=True)
class Flips:
    """The flips of one threshold, the nearest first; those out of reach by their margins.

    `left` are inputs that could not be moved: rows of a file, drawn as a whole.
    """

    model: ResolvedModel
    wtp: float
    recommended: str
    limit: float
    flips: tuple[Flip, ...]
    left: tuple[str, ...]


def recommendation_flips(
    model: ResolvedModel,
    *,
    wtp: float | None = None,
    inputs: Iterable[Input] | None = None,
    limit: float = LIMIT,
    seed: int = 0,
    threads: int | None = None,
    engine: Engine | None = None,
) -> Flips:
    """For each other strategy, the nearest joint change of the inputs by which it overtakes.

    Distances are those of Mahalanobis in the distribution of the probabilistic analysis: of
    independent standard normal scores from which each input comes by its own quantile function,
    jointly normal ones through their covariance, and shares through gamma numbers. They are
    counted from the base case. All points of a step go through the kernel side by side.

    Parameters
    ----------
    model : with a cost, an effect and two strategies or more.
    wtp : willingness to pay, currency per unit of effect; the model's first if None.
    inputs : what may move; every uncertain input of the model if None.
    limit : how far to look, in standard deviations.
    seed : of the random directions in which to look.
    threads, engine : see `simulate_points`.

    Raises
    ------
    ModelError
        Nothing to decide, or nothing uncertain.

    References
    ----------
    Hasofer & Lind (1974) J Eng Mech Div 100:111-121.
    """
    check_request(seed=seed, threads=threads)
    if not 0 < limit <= FARTHEST:
        raise ModelError(
            f"a limit of {limit:g} standard deviations",
            where=f"limit (--limit {limit:g})",
            mend=f"give a number between 0 and {FARTHEST:g}; 5 is usual",
        )
    cost, effect = compared_outcomes(model)
    wtp = thresholds_of(model, () if wtp is None else (wtp,))[0]
    if inputs is None:
        inputs = uncertain_inputs(model.parameters, model.used_parameters)
    scores = scores_of(inputs)
    if not scores.sources:
        raise ModelError(
            "no parameter of the model is uncertain: nothing can move",
            where=f"{model.file}  parameters",
            mend="give parameters an uncertainty, such as {family: normal, se: 0.1}",
        )
    engine = engine or engine_for(model)
    base = base_case(model, engine, threads=threads)
    names = list(model.strategies)

    def net_benefit(points: Float) -> Float:
        """[point, strategy]; nan where the model cannot be run."""
        try:
            found = simulate_points(model, scores.values(points), threads=threads, engine=engine)
        except ModelError:
            if len(points) == 1:
                return np.full((1, len(names)), np.nan)
            half = len(points) // 2
            return np.concatenate([net_benefit(points[:half]), net_benefit(points[half:])])
        net = wtp * found.total(effect) - found.total(cost)
        return np.asarray(net.sel({STRATEGY: names}).to_numpy())

    at_base = wtp * base.total(effect) - base.total(cost)
    best = int(at_base.isel(draw=0).sel({STRATEGY: names}).to_numpy().argmax())
    others = [place for place in range(len(names)) if place != best]

    def margins(points: Float) -> Float:
        net = net_benefit(points)
        return net[:, [best]] - net[:, others]

    found = nearest_points(margins, scores.base, len(others), limit=limit, seed=seed)
    reached = [place for place, each in enumerate(found) if each.point is not None]
    points = [each.point for each in found if each.point is not None]
    there = dict(zip(reached, net_benefit(np.stack(points)) if points else [], strict=True))
    flips = [
        _flip(names[other], each, scores, other, there.get(place))
        for place, (other, each) in enumerate(zip(others, found, strict=True))
    ]
    return Flips(
        model=model,
        wtp=wtp,
        recommended=names[best],
        limit=limit,
        flips=tuple(sorted(flips, key=lambda f: (f.distance is None, f.distance or 0.0, f.margin))),
        left=tuple(each.name for each in scores.left),
    )


def _flip(
    strategy: str, found: NearestPoint, scores: Scores, number: int, there: Float | None
) -> Flip:
    from scipy import special

    if found.point is None or found.distance is None or there is None:
        return Flip(strategy, found.margin, None, None, False, ())
    away = found.point - scores.base
    # the probability is counted from the medians, where all scores are 0, not from the base case
    normal = away / found.distance if found.distance else np.zeros_like(away)
    beyond = float(normal @ found.point)
    base, end = (
        values_at(scores, [each for source in scores.sources for each in source.inputs], point)
        for point in (scores.base, found.point)
    )
    sources = []
    for source, own in zip(scores.sources, scores.split(away), strict=True):
        moves = tuple(
            Move(each.name, each.parameter.unit_text, base[each.name], end[each.name])
            for each in source.inputs
        )
        square = float(own @ own)
        share = square / found.distance**2 if found.distance else 0.0
        sign = float(np.sign(own[0])) if own.size == 1 else 1.0
        sources.append(SourceMoves(source.name, share, sign * square**0.5, moves))
    return Flip(
        strategy=strategy,
        margin=found.margin,
        distance=found.distance,
        probability=float(special.ndtr(-beyond)),
        recommended_there=bool(there[number] >= there.max() - SAME * abs(found.margin)),
        sources=tuple(sorted(sources, key=lambda each: -each.share)),
    )

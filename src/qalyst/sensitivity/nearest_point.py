"""The nearest point at which a margin is lost: the design point of first-order reliability."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from qalyst.axes import Float
from qalyst.stats.addresses import uniforms

Margins = Callable[[Float], Float]  # [point, score] -> [point, target], nan where there is none

STEP = 1e-4  # of a gradient, in scores
SHORTER = (1.0, 0.5, 0.25, 0.1)  # parts of a step that are tried
MOST_STEPS = 20
CLOSE = 1e-3  # a last step: what it still takes off a distance is about its square
MERGED = 0.25  # of two searches for one target that have come so close, one goes on
ON_RAY, FINER, TIMES = 40, 24, 3  # points along a direction, in its bracket, how often
SCOUTS, INWARD = 32, 0.6


@dataclass(frozen=True)
class NearestPoint:
    """Where a margin is lost first.

    Attributes
    ----------
    point : [score] nearest point found at which the margin is 0; None if there is none in reach.
    distance : from the start, in standard deviations; None likewise.
    margin : at the start.
    """

    point: Float | None
    distance: float | None
    margin: float


@dataclass
class _Walk:
    """A search for one target: where it is, its margin there and the gradient of that."""

    target: int
    at: Float
    margin: float
    gradient: Float
    going: bool = True


def nearest_points(
    margins: Margins, start: Float, targets: int, *, limit: float = 5.0, seed: int = 0
) -> list[NearestPoint]:
    """The point nearest to `start` at which each margin falls to 0.

    From x, with gradient G of the margin m there and start s, the linearised boundary is nearest
    at ``s + (G (x - s) - m) G / |G|^2``: the step of Hasofer and Lind and of Rackwitz and Fiessler,
    shortened while it does not lower a merit function (Liu & Der Kiureghian). It is taken from
    the start and from the best of many points around; the margin is then followed along the
    direction found to where it is first lost.

    Parameters
    ----------
    margins : [point, score] -> [point, target], above 0 while nothing changes; nan where there is
        no value.
    start : [score]
    targets : how many margins.
    limit : how far to look, in standard deviations.
    seed : of the random directions in which to look.

    References
    ----------
    Hasofer & Lind (1974) J Eng Mech Div 100:111-121; Rackwitz & Fiessler (1978) Comput Struct
    9:489-494; Liu & Der Kiureghian (1991) Struct Saf 9:161-177.

    Examples
    --------
    >>> found, = nearest_points(lambda x: 10 - x @ [[3.0], [4.0]], np.zeros(2), 1)
    >>> round(found.distance, 6), found.point.round(3).tolist()
    (2.0, [1.2, 1.6])
    """
    start = np.asarray(start, np.float64)
    if start.size == 0:
        here = margins(start[None])[0]
        return [NearestPoint(None, None, float(each)) for each in here]
    walks = _begun(margins, start, targets, limit=limit, seed=seed)
    first = {walk.target: walk.margin for walk in reversed(walks) if (walk.at == start).all()}
    for _ in range(MOST_STEPS):
        active = [walk for walk in walks if walk.going]
        if not active:
            break
        _advance(margins, start, active, limit)
        _merge(active)
    crossings = _along(margins, start, walks, limit)
    found = []
    for target in range(targets):
        own = [
            point
            for walk, point in zip(walks, crossings, strict=True)
            if walk.target == target and point is not None
        ]
        lengths = [float(np.linalg.norm(point - start)) for point in own]
        nearest = int(np.argmin(lengths)) if own else None
        found.append(
            NearestPoint(None, None, first[target])
            if nearest is None
            else NearestPoint(own[nearest], lengths[nearest], first[target])
        )
    return found


def _begun(margins: Margins, start: Float, targets: int, *, limit: float, seed: int) -> list[_Walk]:
    """Two searches for each target: from the start, and from the best of the scouts."""
    from scipy import special

    axes = np.eye(start.size) * limit * INWARD
    u = np.stack([uniforms(seed, "flip", str(n), range(SCOUTS)) for n in range(start.size)], axis=1)
    random = special.ndtri(u)
    random *= limit * INWARD / np.linalg.norm(random, axis=1, keepdims=True)
    scouts = start + np.concatenate([axes, -axes, random])
    seen = margins(scouts)
    places = [start] * targets
    for target in range(targets):
        own = np.where(np.isnan(seen[:, target]), np.inf, seen[:, target])
        places.append(scouts[int(np.argmin(own))])
    values = _with_gradients(margins, places)
    return [
        _Walk(number % targets, place, *_of_target(values[number], number % targets))
        for number, place in enumerate(places)
    ]


def _advance(margins: Margins, start: Float, walks: Sequence[_Walk], limit: float) -> None:
    """One step of each search; the whole step is taken with its gradient at once."""
    wanted = [_aim(walk, start, limit) for walk in walks]
    tried = [
        walk.at + part * (aim - walk.at)
        for walk, aim in zip(walks, wanted, strict=True)
        for part in SHORTER[1:]
    ]
    shapes = _with_gradients(margins, wanted, tried)
    whole, shorter = shapes[: len(walks)], shapes[len(walks) :]
    again: list[_Walk] = []
    for number, (walk, aim) in enumerate(zip(walks, wanted, strict=True)):
        steepness = float(np.linalg.norm(walk.gradient))
        weight = 2 * float(np.linalg.norm(aim - start)) / steepness if steepness else 0.0
        few = len(SHORTER) - 1
        places = [aim, *tried[number * few : (number + 1) * few]]
        parts = shorter[number * few : (number + 1) * few]
        found = [float(whole[number][0, walk.target]), *(float(p[0, walk.target]) for p in parts)]

        def merit(place: Float, margin: float, weight: float = weight) -> float:
            if np.isnan(margin):
                return float("inf")
            return 0.5 * float(((place - start) ** 2).sum()) + weight * abs(margin)

        now = merit(walk.at, walk.margin)
        merits = [merit(place, margin) for place, margin in zip(places, found, strict=True)]
        best = int(np.argmin(merits))
        moved = float(np.linalg.norm(places[best] - walk.at))
        if not merits[best] < now or moved < CLOSE:
            walk.going = False
            if not merits[best] < now:
                continue
        walk.at, walk.margin = places[best], found[best]
        if best == 0:
            walk.margin, walk.gradient = _of_target(whole[number], walk.target)
        elif walk.going:
            again.append(walk)
    if again:
        for walk, values in zip(
            again, _with_gradients(margins, [walk.at for walk in again]), strict=True
        ):
            walk.margin, walk.gradient = _of_target(values, walk.target)


def _merge(walks: Sequence[_Walk]) -> None:
    """End the later of two searches that have met."""
    for number, walk in enumerate(walks):
        for other in walks[:number]:
            if other.target == walk.target and np.linalg.norm(other.at - walk.at) < MERGED:
                walk.going = False


def _aim(walk: _Walk, start: Float, limit: float) -> Float:
    """Nearest point of the linearised boundary, no farther than a little beyond the limit."""
    square = float(walk.gradient @ walk.gradient)
    if square == 0:
        return walk.at
    away = (walk.gradient @ (walk.at - start) - walk.margin) / square * walk.gradient
    length = float(np.linalg.norm(away))
    return np.asarray(start + away * min(1.0, 1.2 * limit / length if length else 1.0))


def _with_gradients(
    margins: Margins, places: Sequence[Float], alone: Sequence[Float] = ()
) -> list[Float]:
    """[place or neighbour, target] margins of each place and its neighbours; then those alone."""
    if not places and not alone:
        return []
    steps = np.concatenate([np.zeros((1, len(places[0]))), np.eye(len(places[0])) * STEP])
    points = np.concatenate([*(place + steps for place in places), *(one[None] for one in alone)])
    found = margins(points)
    ends = np.cumsum([len(steps)] * len(places) + [1] * len(alone))
    return np.split(found, ends[:-1])


def _of_target(values: Float, target: int) -> tuple[float, Float]:
    """Margin and gradient; a direction in which there is no value is none to go."""
    margin = float(values[0, target])
    return margin, np.nan_to_num((values[1:, target] - margin) / STEP)


def _along(
    margins: Margins, start: Float, walks: Sequence[_Walk], limit: float
) -> list[Float | None]:
    """The first point along the direction of each search at which its margin is lost."""
    lengths = [float(np.linalg.norm(walk.at - start)) for walk in walks]
    going = [number for number, length in enumerate(lengths) if length > 0]
    found: list[Float | None] = [None] * len(walks)
    ways = {n: (walks[n].at - start) / lengths[n] for n in going}
    brackets = {n: (0.0, limit) for n in going}
    ends: dict[int, float] = {}
    for turn in range(TIMES):
        if not brackets:
            break
        count = ON_RAY if turn == 0 else FINER
        grids = {n: np.linspace(*bracket, count) for n, bracket in brackets.items()}
        points = np.concatenate([start + grid[:, None] * ways[n] for n, grid in grids.items()])
        values = margins(points).reshape(len(grids), count, -1)
        for own, (n, grid) in zip(values, grids.items(), strict=True):
            margin = own[:, walks[n].target]
            lost = np.flatnonzero(margin <= 0)
            if not lost.size:
                brackets.pop(n)
                continue
            last = int(lost[0])
            before = max(last - 1, 0)
            brackets[n] = (float(grid[before]), float(grid[last]))
            fall = margin[before] - margin[last]
            part = margin[before] / fall if fall > 0 else 1.0
            ends[n] = float(grid[before] + part * (grid[last] - grid[before]))
    for n in brackets:
        found[n] = start + ends[n] * ways[n]
    return found

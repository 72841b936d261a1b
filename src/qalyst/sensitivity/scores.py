"""Uncertain inputs as independent standard normal scores, and back to values.

Each source of randomness of the probabilistic analysis (a number, a table with one draw, shares
drawn together, numbers that are jointly normal) is a map from scores, of which a draw has
independent standard normal ones, to values. A distance between scores is then a distance in
standard deviations, whatever the units and the correlations.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from qalyst.axes import Float
from qalyst.params.inputs import Changes, Input
from qalyst.params.parameter import Joint, Parameter, Path, bounds
from qalyst.stats.joint import cholesky, combined
from qalyst.stats.scalar_families import ScalarFamily
from qalyst.stats.uncertainty import Dirichlet

FARTHEST = 8.0  # scores beyond have uniforms that rounding makes 0 or 1


@dataclass(frozen=True)
class Source:
    """What a draw takes from scores of its own.

    Attributes
    ----------
    name : of the record, or of the cell.
    inputs : what it moves.
    base : [score] scores at which all inputs have their base values.
    values : scores [score, point] -> the values of the inputs.
    """

    name: str
    inputs: tuple[Input, ...]
    base: Float
    values: Callable[[Float], Changes]


@dataclass(frozen=True)
class Scores:
    """All sources side by side.

    Attributes
    ----------
    sources : in order.
    left : inputs that stay at their base, because they are drawn from the rows of a file.
    """

    sources: tuple[Source, ...]
    left: tuple[Input, ...]

    @property
    def base(self) -> Float:
        """[score] of the base case."""
        return np.concatenate([source.base for source in self.sources] or [np.zeros(0)])

    def values(self, points: Float) -> Changes:
        """The values at scores [point, score]."""
        changes: Changes = {}
        for source, own in zip(self.sources, self.split(points), strict=True):
            changes |= source.values(own.T)
        return changes

    def split(self, points: Float) -> list[Float]:
        """The scores [..., score] of each source."""
        ends = np.cumsum([source.base.size for source in self.sources])
        return np.split(points, ends[:-1], axis=-1) if self.sources else []


def scores_of(inputs: Iterable[Input]) -> Scores:
    """The scores that stand for some inputs.

    Shares that are drawn together have as many scores as shares, as in the draws: those of gamma
    numbers whose sum scales them. Cells with one draw for all keep their distances in scores.
    """
    inputs = tuple(inputs)
    sources: list[Source] = []
    left: list[Input] = []
    done: set[str] = set()
    for each in inputs:
        parameter, joint = each.parameter, each.parameter.joint
        family = parameter.uncertainty.get(each.paths[0])
        record = joint.record if joint is not None else parameter.name
        together = [other for other in inputs if _record(other) == record]
        if joint is not None and joint.covariance is not None:
            if record not in done:
                sources.append(_joint(joint, together))
        elif isinstance(family, Dirichlet):
            if record not in done:
                sources.append(_shares(parameter, family, together))
        elif joint is None and isinstance(family, ScalarFamily):
            sources.append(_number(each))
        else:
            left.append(each)
        done.add(record)
    return Scores(tuple(sources), tuple(left))


def score_of(family: ScalarFamily, value: float, at: float) -> float:
    """The score at which a family that is built round `value` has the number `at`.

    >>> from qalyst.stats.scalar_families import Normal
    >>> round(score_of(Normal(se=2.0), 10.0, 12.0), 10)
    1.0
    """
    from scipy import optimize, special

    def excess(score: float) -> float:
        return float(family.quantile(value, np.array([special.ndtr(score)]))[0]) - at

    if excess(-FARTHEST) >= 0:
        return -FARTHEST
    if excess(FARTHEST) <= 0:
        return FARTHEST
    return float(optimize.brentq(excess, -FARTHEST, FARTHEST, xtol=1e-13))


def _record(each: Input) -> str:
    joint = each.parameter.joint
    return joint.record if joint is not None else each.parameter.name


def _number(each: Input) -> Source:
    """A number, or cells that share one draw."""
    from scipy import special

    parameter = each.parameter
    own = {path: _scalar(parameter, path) for path in each.paths}
    starts = {
        path: score_of(family, parameter.values[path], parameter.values[path])
        for path, family in own.items()
    }

    def values(scores: Float) -> Changes:
        found: Changes = {}
        for path, family in own.items():
            beside = starts[path] - starts[each.paths[0]]
            shifted = np.clip(scores[0] + beside, -FARTHEST, FARTHEST)
            drawn = family.quantile(parameter.values[path], special.ndtr(shifted))
            found[parameter.name, path] = _within(parameter, drawn)
        return found

    return Source(each.name, (each,), np.array([starts[each.paths[0]]]), values)


def _scalar(parameter: Parameter, path: Path) -> ScalarFamily:
    family = parameter.uncertainty[path]
    assert isinstance(family, ScalarFamily)
    return family


def _shares(parameter: Parameter, family: Dirichlet, inputs: Sequence[Input]) -> Source:
    """Shares drawn together: gamma numbers divided by their sum."""
    from scipy import special

    counts = np.array(list(family.counts.values()), np.float64)
    base = special.ndtri(special.gammainc(counts, counts))  # each gamma number at its mean
    mean = family.implied_value()

    def values(scores: Float) -> Changes:
        u = special.ndtr(np.clip(scores, -FARTHEST, FARTHEST))
        shares = family.quantile(mean, u)
        return {
            (parameter.name, (cell,)): share
            for cell, share in zip(family.cells, shares, strict=True)
        }

    return Source(parameter.name, tuple(inputs), base, values)


def _joint(joint: Joint, inputs: Sequence[Input]) -> Source:
    """Numbers that are jointly normal, some on a logarithmic scale; others are left out of it."""
    keys = [_own(each) for each in inputs]
    places = [joint.names.index(key) for key in keys]
    factor = cholesky(np.asarray(joint.covariance)[np.ix_(places, places)])
    logs = [bool(joint.logarithm) and joint.logarithm[place] for place in places]
    centre = [
        np.log(each.base) if log else each.base for each, log in zip(inputs, logs, strict=True)
    ]

    def values(scores: Float) -> Changes:
        drawn = np.asarray(centre)[:, None] + combined(factor, scores)
        return {
            (each.parameter.name, each.paths[0]): _within(
                each.parameter, np.exp(row) if log else row
            )
            for each, row, log in zip(inputs, drawn, logs, strict=True)
        }

    return Source(joint.record, tuple(inputs), np.zeros(len(keys)), values)


def _own(each: Input) -> Path:
    return each.paths[0] if each.parameter.curve is not None else (each.parameter.name,)


def _within(parameter: Parameter, values: Float) -> Float:
    """Values that the unit can have: a normal number may leave them."""
    return np.clip(values, *bounds(parameter))


def values_at(scores: Scores, inputs: Iterable[Input], point: Float) -> Mapping[str, float]:
    """Name of an input -> its value (of the first cell) at the scores of one point."""
    changes = scores.values(point[None])
    return {each.name: float(changes[each.parameter.name, each.paths[0]][0]) for each in inputs}

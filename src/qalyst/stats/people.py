"""A fixed sample of people: uniform numbers for each of their attributes, stratified.

Each attribute has one number in each of n equal strata, so that its mean over the sample is close
to exact; the order of its strata gives the correlations with the others.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from qalyst.axes import Float, Int
from qalyst.stats.addresses import uniforms
from qalyst.stats.joint import cholesky, combined

SEED = 0  # of the sample, which is part of the model: no run changes it


def sampled_people(names: Sequence[str], correlation: Float, count: int) -> Float:
    """Uniform numbers of a sample of people, [name, person].

    The strata are put in the order of normal scores whose correlations over the sample are the
    stated ones: scores of strata at random, freed of the correlations that they happen to have,
    times the Cholesky factor of the stated ones. Those before a name do not depend on it.

    Parameters
    ----------
    names : of the attributes; their numbers are addressed by them.
    correlation : [name, name] of the normal scores; positive definite.
    count : how many people; more than there are names.

    Examples
    --------
    >>> u = sampled_people(["age"], np.eye(1), 4)
    >>> [int(stratum) for stratum in np.sort(u[0] * 4)]
    [0, 1, 2, 3]

    References
    ----------
    Latin hypercube: McKay, Beckman & Conover (1979) Technometrics 21:239-245. Order by normal
    scores: Iman & Conover (1982) Commun Stat Simul Comput 11:311-334.
    """
    from scipy import special

    people = range(count)
    orders = np.stack([uniforms(SEED, f"attribute {name}", "order", people) for name in names])
    within = np.stack([uniforms(SEED, f"attribute {name}", "within", people) for name in names])
    scores = special.ndtri((_ranks(orders) + 0.5) / count)
    own = np.atleast_2d(np.corrcoef(scores))
    factor = cholesky(correlation, names=names) @ np.linalg.inv(cholesky(own, names=names))
    ranks = _ranks(combined(factor, scores))
    return np.asarray((ranks + np.take_along_axis(within, ranks, axis=1)) / count)


def _ranks(values: Float) -> Int:
    """[name, person] rank of each value among those of its name, from 0."""
    return np.argsort(np.argsort(values, axis=1, kind="stable"), axis=1, kind="stable")

"""Means of net benefit given data, by their variance alone: moment matching."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from qalyst.axes import Float
from qalyst.decision.studies import Study
from qalyst.errors import ModelError

POSTERIORS = 50  # data sets whose posterior variance is computed
FEWEST_RESULTS = 4  # effective number of different data sets from which the shape can be trusted
FEW_RESULTS = 10
FEW_DRAWS = 20  # effective draws of a posterior


def matched_means(
    means: Float, study: Study, values: Mapping[str, Float], *, seed: int
) -> tuple[Float, str]:
    """Means of net benefit shrunk to the variance that they have given data of the study.

    The variance of the means given data is the variance of the means given the parameters, less the
    expected posterior variance. The latter is the mean over 50 data sets, at draws that are evenly
    spread over the means; each posterior is the draws weighted by their likelihood.

    Parameters
    ----------
    means : [draw, strategy] fitted means given the parameters of the study.
    study : its size is above 0.
    values : name of each parameter of the study -> [draw]
    seed : of the luck of the study.

    Returns
    -------
    shrunk, message
        [draw, strategy]; what a reader must know.

    Raises
    ------
    ModelError
        A study with so few possible results that the means given data have another shape than the
        means given parameters, or without a likelihood of its summaries.

    References
    ----------
    Heath, Manolopoulou & Baio (2018) Med Decis Making 38:163-173.
    """
    summaries = study.simulate(values, seed=seed, data_sets=1)
    words = _check_results(summaries, study)
    centred = means - means.mean(axis=0)
    prior = centred.T @ centred / len(centred)
    posterior, effective = np.zeros_like(prior), np.inf
    for draw in _spread_out(centred):
        seen = {name: float(summary[draw, 0]) for name, summary in summaries.items()}
        weight = _weights(study, seen, values)
        effective = min(effective, 1 / float((weight**2).sum()))
        about = centred - weight @ centred
        posterior += (about * weight[:, None]).T @ about / POSTERIORS
    if effective < FEW_DRAWS:
        words += (
            f"A posterior rests on {effective:.0f} effective draws: use more draws, or the "
            "regression."
        )
    turn = _root(prior, inverse=True) @ _root(prior - posterior)
    return means.mean(axis=0) + centred @ turn, words


def _check_results(summaries: Mapping[str, Float], study: Study) -> str:
    """Refuse, or warn of, few possible results: 1 over the chance that two studies agree."""
    rows = np.column_stack([summary[:, 0] for summary in summaries.values()])
    _, counts = np.unique(rows, axis=0, return_counts=True)
    results = 1 / float(((counts / len(rows)) ** 2).sum())
    if results < FEWEST_RESULTS:
        raise ModelError(
            f"a study of {study.n} persons has {results:.1f} different results, in effect: moment "
            "matching would be far too low",
            where=f"study {study.name}, method",
            mend="use the method 'regression', or a larger study",
        )
    if results < FEW_RESULTS:
        return f"Moment matching is rough for {results:.1f} different results, in effect. "
    return ""


def _spread_out(centred: Float) -> list[int]:
    """Draws at evenly spaced ranks of the direction in which the means vary most."""
    _, vectors = np.linalg.eigh(centred.T @ centred)
    order = np.argsort(centred @ vectors[:, -1], kind="stable")
    places = (np.arange(POSTERIORS) + 0.5) / POSTERIORS * len(order)
    return [int(order[int(place)]) for place in places]


def _weights(study: Study, seen: Mapping[str, float], values: Mapping[str, Float]) -> Float:
    """[draw] posterior weights, which sum to 1."""
    logs = study.log_likelihood(seen, values)
    if logs is None:
        raise ModelError(
            "the likelihood of this design is not known from its summaries",
            where=f"study {study.name}, method",
            mend="use the method 'regression'",
        )
    weight = np.exp(logs - logs.max())
    return np.asarray(weight / weight.sum())


def _root(matrix: Float, *, inverse: bool = False) -> Float:
    """Symmetric square root, or its inverse, on the directions in which the matrix is positive."""
    variances, vectors = np.linalg.eigh((matrix + matrix.T) / 2)
    positive = variances > 1e-12 * max(float(variances.max()), 0.0)
    roots = np.sqrt(np.where(positive, variances, 0.0))
    if inverse:
        roots = np.divide(1.0, roots, out=np.zeros_like(roots), where=positive)
    return np.asarray((vectors * roots) @ vectors.T)

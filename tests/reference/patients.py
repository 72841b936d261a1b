"""The sampled patients of a profile (language.md, section 12): plain quantiles by scipy.stats."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
from expression_values import Setting, evaluate
from scipy import stats

from qalyst.model.attributes import correlation_matrix
from qalyst.model.kinds import scale_of_argument
from qalyst.model.resolved import Label, ResolvedModel
from qalyst.params.draws import Values
from qalyst.stats.people import sampled_people


def patients(
    model: ResolvedModel, values: Values, profile: Mapping[str, Label]
) -> Iterator[dict[str, Any]]:
    """The labels of a profile with each patient's attributes, [draw]."""
    if not model.attributes:
        yield dict(profile)
        return
    names, correlations = correlation_matrix(model.attributes)
    everybody = sampled_people(names, correlations, model.patients_sampled)
    setting = Setting(model, values, profile=profile)
    families = {}
    for name in names:
        attribute = model.attributes[name]
        families[name] = _family(
            attribute.family,
            **{
                key: scale_of_argument(model, attribute, expression)
                * np.asarray(evaluate(expression, setting))
                for key, expression in attribute.arguments.items()
            },
        )
    for one in everybody.T:
        yield {**profile, **{n: families[n].ppf(u) for n, u in zip(names, one, strict=True)}}


def _family(
    word: str, mean: Any = 0.0, sd: Any = 1.0, low: Any = 0.0, high: Any = 1.0, mode: Any = 0.0
) -> Any:
    width = high - low
    match word:
        case "normal":
            return stats.norm(mean, sd)
        case "truncated_normal":
            return stats.truncnorm((low - mean) / sd, (high - mean) / sd, mean, sd)
        case "lognormal":
            sigma = np.sqrt(np.log(1 + sd**2 / mean**2))
            return stats.lognorm(sigma, scale=mean / np.exp(sigma**2 / 2))
        case "beta":
            size = mean * (1 - mean) / sd**2 - 1
            return stats.beta(mean * size, (1 - mean) * size)
        case "gamma":
            return stats.gamma(mean**2 / sd**2, scale=sd**2 / mean)
        case "uniform":
            return stats.uniform(low, width)
        case "triangular":
            return stats.triang((mode - low) / width, low, width)
        case "pert":
            a, b = 1 + 4 * (mode - low) / width, 1 + 4 * (high - mode) / width
            return stats.beta(a, b, low, width)
    raise AssertionError(word)

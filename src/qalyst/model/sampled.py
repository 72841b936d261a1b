"""The patients that stand for a profile: a fixed sample of the attributes.

Engines average over them as over profiles. In a place an attribute is a number, or what is left of
its family's quantile if that differs between draws.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from qalyst.model.attributes import correlation_matrix
from qalyst.model.evaluate import Evaluator
from qalyst.model.kinds import scale_of_argument
from qalyst.model.names import used_names
from qalyst.model.partial import PartialEvaluator
from qalyst.model.residual import Residual
from qalyst.model.resolved import Label
from qalyst.stats.people import sampled_people


class SampledPatients:
    """The sample of a model; one patient for each profile if nothing reads an attribute.

    Parameters
    ----------
    partial : evaluates the model's expressions.
    static : reads what no draw changes.
    """

    def __init__(self, partial: PartialEvaluator, static: Evaluator) -> None:
        self._partial, self._static = partial, static
        model = partial.model
        used, _ = used_names(model)
        self.count = model.patients_sampled if used & model.attributes.keys() else 1
        names, correlations = correlation_matrix(model.attributes)
        self._uniforms = (
            dict(zip(names, sampled_people(names, correlations, self.count), strict=True))
            if self.count > 1
            else {}
        )

    def of(self, profile: Mapping[str, Label]) -> list[dict[str, Any]]:
        """What is known of each patient of a profile: its labels, and the attributes.

        Raises
        ------
        ModelError
            Arguments that no distribution of the family has.
        """
        known: list[dict[str, Any]] = [dict(profile) for _ in range(self.count)]
        for name in self._uniforms:
            for patient, value in zip(known, self._values(name, profile), strict=True):
                patient[name] = value
        return known

    def _values(self, name: str, profile: Mapping[str, Label]) -> list[Residual]:
        model, make = self._partial.model, self._partial.residuals
        attribute = model.attributes[name]
        arguments = [
            make.times(
                make.constant(scale_of_argument(model, attribute, expression)),
                self._partial.value(expression, profile),
            )
            for expression in attribute.arguments.values()
        ]
        nodes = [
            make.node("quantile", attribute.family, float(u), attribute.where, *arguments)
            for u in self._uniforms[name]
        ]
        if nodes[0].axes:
            return nodes
        return [make.constant(float(self._static(node).item())) for node in nodes]

"""Records of a survival curve, or of one curve for each label."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np

from qalyst.errors import nearest
from qalyst.io.yaml import Section
from qalyst.params.parameter import Joint, Key, Parameter, Path, check_curve, show_path
from qalyst.params.record import RecordReader
from qalyst.stats import survival
from qalyst.stats.uncertainty import Fixed, ImpossibleMoments, LogNormal, Uncertainty
from qalyst.units import ONE, PER_YEAR, YEAR, parse_unit

CENTRAL = 1.96  # half the width of a 95 % interval, as in the rule (high - low) / 3.92
# the parameter to which the median is proportional, or inversely so
_CARRIES_MEDIAN = {
    "exponential": "rate",
    "weibull": "scale",
    "loglogistic": "scale",
    "gamma": "rate",
}


class CurveReader(RecordReader):
    """A curve of one of the survival families."""

    def parameters(self) -> Iterator[Parameter]:
        """The one parameter of the record."""
        self.of = self.family.pop("of", None)
        curve = str(self.raw.curve)
        if curve not in survival.FAMILIES:
            raise self.fault(f"no survival family '{curve}'", nearest(curve, survival.FAMILIES))
        value, unit = self.raw.value, self.raw.unit
        if not isinstance(value, dict) or not isinstance(unit, dict):
            raise self.fault(
                f"the curve '{self.name}' needs `value:` and `unit:` by parameter",
                "write for example value: {shape: 1.1, scale: 12.5}, unit: {shape: 1, scale: year}",
            )
        values: dict[Path, float] = {}
        design: dict[Path, tuple[float, ...] | str] = {}
        curves = dict(self._by_label(value, len(self.raw.by or []), ()))
        for labels, named in curves.items():
            for key, given in self._family_parameters(named).items():
                self._keep(values, design, (*labels, key), given)
        parameter = self.finish(
            ONE,
            ", ".join(f"{key}: {text}" for key, text in unit.items()),
            values,
            {},
            joint=self._joint(values) if self.kind == "normal" else None,
            curve_unit=self._unit_of_time(unit, "median" in next(iter(curves.values()))),
            design=design,
        )
        check_curve(parameter, self.where)  # before its median is worked out
        yield replace(parameter, uncertainty=self._uncertainty(values, curves))

    # -- values

    def _by_label(
        self, value: Any, depth: int, path: Path
    ) -> Iterator[tuple[Path, dict[Key, Any]]]:
        if not isinstance(value, dict) or not value:
            raise self.fault(
                f"the curve '{self.name}' has no parameters at {', '.join(map(str, path))}",
                f"it is by {', '.join(self.raw.by or [])}: nest so many levels",
            )
        if depth == 0:
            yield path, value
            return
        for key, below in value.items():
            yield from self._by_label(
                below, depth - 1, (*path, key if isinstance(key, str) else float(key))
            )

    def _family_parameters(self, given: dict[Key, Any]) -> dict[str, Any]:
        curve = str(self.raw.curve)
        if "median" in given:
            return self._from_median(curve, given)
        wanted = [parameter.name for parameter in survival.FAMILIES[curve].parameters]
        if set(map(str, given)) != set(wanted):
            raise self.fault(
                f"the {curve} curve '{self.name}' has {', '.join(map(str, given)) or 'nothing'}",
                f"give its parameters: {', '.join(wanted)}",
            )
        return {str(key): value for key, value in given.items()}

    def _from_median(self, curve: str, given: dict[Key, Any]) -> dict[str, float]:
        wanted = ["median"] if curve == "exponential" else ["median", "shape"]
        if set(map(str, given)) != set(wanted):
            raise self.fault(
                f"the {curve} curve '{self.name}' has {', '.join(map(str, given))}",
                f"give {' and '.join(wanted)}",
            )
        numbers = {str(key): self.number(value, str(key)) for key, value in given.items()}
        if numbers["median"] <= 0:
            raise self.fault(f"the median of '{self.name}' is {numbers['median']:g}", "above 0")
        if curve != "gompertz" and numbers.get("shape", 1.0) <= 0:
            raise self.fault(f"the shape of '{self.name}' is {numbers['shape']:g}", "above 0")
        return survival.from_median(curve, numbers["median"], shape=numbers.get("shape", 1.0))

    def _keep(
        self,
        values: dict[Path, float],
        design: dict[Path, tuple[float, ...] | str],
        path: Path,
        given: Any,
    ) -> None:
        """Sort what is drawn (numbers, by element if a vector) from what is the curve's design."""
        drawn = {p.name: p.drawn for p in survival.FAMILIES[str(self.raw.curve)].parameters}
        name = str(path[-1])
        if isinstance(given, str):
            design[path] = given
        elif isinstance(given, list) and not drawn.get(name, True):
            design[path] = tuple(self.number(item, name) for item in given)
        elif isinstance(given, list):
            for index, item in enumerate(given):
                values[(*path, float(index))] = self.number(item, name)
        else:
            values[path] = self.number(given, name)

    # -- units

    def _unit_of_time(self, unit: Section | dict[Any, Any], by_median: bool) -> float:
        """Years of the record's unit of time: all its parameters must use the same."""
        powers = {
            each.name: 1 if each.log_year else each.year
            for each in survival.FAMILIES[str(self.raw.curve)].parameters
        }
        if by_median:
            shape = -1 if self.raw.curve == "gompertz" else 0
            powers = (
                {"median": 1}
                if self.raw.curve == "exponential"
                else {
                    "median": 1,
                    "shape": shape,
                }
            )
        for key in unit:
            if key not in powers:
                raise self.fault(f"a unit of '{key}'", nearest(str(key), powers))
        lengths = set()
        for key, power in powers.items():
            if key not in unit:
                if power:
                    raise self.fault(f"'{key}' of '{self.name}' has no unit", f"add `{key}:`")
                continue
            parsed = parse_unit(str(unit[key]), self.where)
            fits = {0: parsed.pure, 1: parsed.dimension == YEAR.dimension}
            if not fits.get(power, parsed.dimension == PER_YEAR.dimension):
                wanted = {0: "1", 1: "a time, such as month"}.get(power, "1/time, such as 1/month")
                raise self.fault(f"'{key}' of the curve is in {unit[key]}", f"its unit is {wanted}")
            if power:
                lengths.add(parsed.factor**power)
        if len({round(length, 12) for length in lengths}) > 1:
            raise self.fault("the curve mixes units of time", "write all in the same unit")
        return float(lengths.pop())

    # -- uncertainty

    def _uncertainty(
        self, values: dict[Path, float], curves: dict[Path, dict[Key, Any]]
    ) -> dict[Path, Uncertainty]:
        """The uncertainty of a curve: fixed, jointly normal, or lognormal of its scale."""
        if self.kind == "fixed" and self.of is None:
            return dict.fromkeys(values, self.read_family(self.family))
        if self.kind == "normal" and self.of in (None, "log"):
            self.only_keys("covariance")
            return {}
        if self.kind != "lognormal" or self.of not in ("median", "scale", "rate"):
            raise self.fault(
                f"the uncertainty of the curve '{self.name}' cannot be read",
                "write {family: fixed, reason: ...}, {family: normal, covariance: [[...]], "
                "of: log} or {family: lognormal, ci95: [...], of: median}",
            )
        return self._scaled_curve(values, curves)

    def _scaled_curve(
        self, values: dict[Path, float], curves: dict[Path, dict[Key, Any]]
    ) -> dict[Path, Uncertainty]:
        """A lognormal median is a lognormal scale (or rate) with the same spread of logs."""
        curve = str(self.raw.curve)
        known = [each.name for each in survival.FAMILIES[curve].parameters if each.drawn]
        scaled = _CARRIES_MEDIAN.get(curve) if self.of == "median" else self.of
        if scaled not in known:
            raise self.fault(
                f"`of: {self.of}` does not spread a {curve} curve",
                "give the covariance of its parameters: {family: normal, covariance: [[...]]}",
            )
        stated = self.read_family(self.family)
        assert isinstance(stated, LogNormal)
        if stated.ci95 is None:
            raise self.fault(
                f"the uncertainty of the curve '{self.name}' has `se`",
                f"give the 95 % interval of its {self.of}: {{family: lognormal, "
                f"ci95: [low, high], of: {self.of}}}",
            )
        for labels, named in curves.items():
            self._check_centre(stated, labels, self._centre(named, labels, values))
        spread = stated.log_moments(1.0)[1]  # that of an interval is the same about any value
        fixed = Fixed(reason="given with the curve")
        return {
            path: _lognormal_about(value, spread) if path[-1] == scaled else fixed
            for path, value in values.items()
        }

    def _centre(self, named: dict[Key, Any], labels: Path, values: dict[Path, float]) -> float:
        """The median, scale or rate of a curve, in the unit of the record."""
        if self.of != "median":
            return values[(*labels, str(self.of))]
        if "median" in named:  # as it is written, without rounding
            return self.number(named["median"], "median")
        curve = str(self.raw.curve)
        scaled = _CARRIES_MEDIAN[curve]
        shape = values.get((*labels, "shape"), 1.0)
        ratio = values[(*labels, scaled)] / survival.from_median(curve, 1.0, shape=shape)[scaled]
        return ratio if scaled == "scale" else 1 / ratio

    def _check_centre(self, stated: LogNormal, labels: Path, centre: float) -> None:
        try:
            stated.check(centre)
        except ImpossibleMoments as error:
            raise self.fault(
                f"the uncertainty of the {self.of} of '{self.name}{show_path(labels)}' is "
                f"impossible: {error}",
                "mend its interval, in the unit of time of the record",
            ) from error

    def _joint(self, values: dict[Path, float]) -> Joint:
        if self.raw.by:
            raise self.fault("a covariance of curves by label is not supported", "split the record")
        curve = survival.FAMILIES[str(self.raw.curve)]
        positive = {p.name for p in curve.parameters if p.positive}
        names = tuple(values)
        logs = tuple(self.of == "log" and str(path[0]) in positive for path in names)
        return Joint(self.name, names, covariance=self.covariance(len(names)), logarithm=logs)


def _lognormal_about(value: float, spread: float) -> LogNormal:
    """A lognormal with this median and this standard deviation of the log."""
    half = np.exp(CENTRAL * spread)
    return LogNormal(ci95=(float(value / half), float(value * half)))

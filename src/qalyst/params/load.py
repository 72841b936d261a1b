"""Parameter files: records read, checked and made into parameters."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path as FilePath
from typing import Annotated, Any, Literal

import numpy as np
from pydantic import Field, TypeAdapter, ValidationError, field_validator

from qalyst.errors import Mistakes, ModelError, nearest
from qalyst.io.files import inside, read_table
from qalyst.io.records import Record, read
from qalyst.io.yaml import Mark, Section, load, merge
from qalyst.params.parameter import (
    Joint,
    Key,
    Parameter,
    Path,
    Source,
    check_value,
    show_path,
)
from qalyst.stats import survival
from qalyst.stats.joint import cholesky
from qalyst.stats.uncertainty import (
    Dirichlet,
    Fixed,
    ImpossibleMoments,
    LogNormal,
    ScalarFamily,
    Uncertainty,
)
from qalyst.units import ONE, PER_YEAR, YEAR, Unit, currencies, parse_unit

CENTRAL = 1.96  # half the width of a 95 % interval, as in the rule (high - low) / 3.92
_FAMILY: TypeAdapter[Uncertainty] = TypeAdapter(Uncertainty)
_PER_CELL = ("se", "ci95", "low", "high", "events", "of")
_SECTIONS = ("common", "parameters")


class SourceRecord(Record):
    """Citation of a record."""

    cite: str
    locator: str | None = None
    doi: str | None = None


class RawParameter(Record):
    """A record of a parameter file as it is written."""

    label: str
    unit: Any
    value: Any = None
    uncertainty: dict[str, Any]
    source: dict[str, Any]
    status: Literal["retrieved", "recalled", "assumption"]
    by: list[str] | None = None
    file: str | None = None
    names: list[str] | None = None
    curve: str | None = None
    price_year: int | Literal["unknown"] | None = None
    range: Annotated[list[float | int], Field(min_length=2, max_length=2)] | None = None

    @field_validator("label")
    @classmethod
    def _not_empty(cls, label: str) -> str:
        if not label.strip():
            raise ValueError("is empty")
        return label


def load_parameters(path: FilePath, name: str | None = None) -> dict[str, Parameter]:
    """The parameters of a file by name, in its order.

    Raises
    ------
    ModelError
        All that is wrong with the file, each mistake with its line.
    """
    shown = name or str(path)
    document = load(path, shown)
    mistakes = Mistakes()
    for key in document:
        if key not in _SECTIONS:
            mistakes.add(
                f"unknown section '{key}'",
                where=str(document.at(key)),
                mend=nearest(str(key), _SECTIONS),
            )
    common = document.get("common") or Section(mark=document.mark)
    records = document.get("parameters")
    if not isinstance(records, Section):
        raise ModelError(
            "the file has no section `parameters:`", where=shown, mend="add it, one record a row"
        )
    found: dict[str, Parameter] = {}
    for key, record in records.items():
        with mistakes.caught():
            mark = records.at(key)
            if not isinstance(record, Section):
                raise ModelError(
                    f"'{key}' is not a record", where=str(mark), mend="write {label: ..., ...}"
                )
            for parameter in _parameters(str(key), _with(common, record), mark, path.parent):
                if parameter.name in found:
                    raise ModelError(
                        f"'{parameter.name}' is defined twice",
                        where=f"{found[parameter.name].mark} and {mark}",
                        mend="rename one of the two",
                    )
                found[parameter.name] = parameter
    mistakes.raise_if_any()
    return found


def _with(common: Section, record: Section) -> Section:
    """The record with what the file has in common; its own family replaces the common one."""
    uncertainty = record.get("uncertainty")
    if isinstance(uncertainty, Section) and "family" in uncertainty:
        common = Section(common, mark=common.mark)
        common.pop("uncertainty", None)
    return merge(common, record)


def _parameters(name: str, section: Section, mark: Mark, folder: FilePath) -> Iterator[Parameter]:
    where = f"{mark}  parameters.{name}"
    section = _plain(section)
    if not section.get("source"):
        raise ModelError(
            f"'{name}' has no source",
            where=where,
            mend="add `source: {cite: ..., locator: ..., doi: ...}`; an assumption is a source too",
        )
    if not section.get("uncertainty"):
        raise ModelError(
            f"'{name}' has no uncertainty",
            where=where,
            mend="add `uncertainty:`; none is said by {family: fixed, reason: ...}",
        )
    raw = read(RawParameter, section, f"parameters.{name}")
    reader = _Reader(name, raw, section, mark, where, folder)
    yield from reader.joint() if raw.names else (reader.parameter(),)


def _plain(section: Section) -> Section:
    """The record with ``unit: 1`` as text."""
    unit = section.get("unit")
    if isinstance(unit, int | float):
        section.place("unit", f"{unit:g}", section.at("unit"))
    return section


class _Reader:
    """One record on its way to a parameter."""

    def __init__(
        self,
        name: str,
        raw: RawParameter,
        section: Section,
        mark: Mark,
        where: str,
        folder: FilePath,
    ) -> None:
        self.name, self.raw, self.section = name, raw, section
        self.mark, self.where, self.folder = mark, where, folder
        citation = read(SourceRecord, section["source"], f"parameters.{name}.source")
        self.source = Source(citation.cite, citation.locator or "", citation.doi or "")
        self.family = dict(raw.uncertainty)
        self.together = bool(self.family.pop("together", False))
        self.of = self.family.pop("of", None) if raw.curve else None

    def fault(self, what: str, mend: str) -> ModelError:
        return ModelError(what, where=self.where, mend=mend)

    # -- numbers and tables

    def parameter(self) -> Parameter:
        if self.raw.curve is not None:
            return self._curve()
        unit = self._unit(self.raw.unit)
        self._check_money(unit)
        stated = self._table() if self.raw.by else self._scalar()
        uncertainty = {path: self._cell_family(path, stated) for path in stated}
        if self.family.get("family") == "draws":
            raise self.fault(
                f"'{self.name}' is drawn from a file",
                "write a joint record: `names:` and {family: draws, file: ...}",
            )
        values = {
            path: self._checked_value(path, value, uncertainty[path])
            for path, value in stated.items()
        }
        return self._finish(unit, str(self.raw.unit), values, uncertainty)

    def _scalar(self) -> dict[Path, float | None]:
        if self.family.get("family") == "dirichlet":
            raise self.fault(f"'{self.name}' is a dirichlet and needs an axis", "add `by: [to]`")
        return {(): self._number(self.raw.value, "value") if self.raw.value is not None else None}

    def _table(self) -> dict[Path, float | None]:
        axes = list(self.raw.by or [])
        if self.family.get("family") == "dirichlet" and self.raw.value is None:
            counts = self.family.get("counts")
            if not isinstance(counts, dict):
                raise self.fault("a dirichlet needs `counts:`", "write {b: 350, c: 116}")
            return {(key,): None for key in counts}
        if (self.raw.file is None) == (self.raw.value is None):
            raise self.fault(
                f"the table '{self.name}' needs `value:` or `file:`", "give one of the two"
            )
        if self.raw.file is not None:
            path = inside(self.folder, self.raw.file, self.where)
            rows = read_table(path, [*axes, "value"], self.where)
            table: dict[Path, float | None] = {}
            for *keys, value in rows:
                cell = tuple(keys)
                if cell in table:
                    raise self.fault(
                        f"{self.raw.file} holds the cell {show_path(cell)} twice", "keep one"
                    )
                table[cell] = self._number(value, show_path(cell))
            return table
        return dict(self._nested(self.raw.value, len(axes), ()))

    def _nested(self, value: Any, depth: int, path: Path) -> Iterator[tuple[Path, float]]:
        if depth == 0:
            yield path, self._number(value, show_path(path))
            return
        if not isinstance(value, dict):
            raise self.fault(
                f"the value of '{self.name}' at {show_path(path) or 'its top'} is not a table",
                f"it is by {', '.join(self.raw.by or [])}: nest so many levels",
            )
        for key, below in value.items():
            yield from self._nested(
                below, depth - 1, (*path, key if isinstance(key, str) else float(key))
            )

    def _number(self, value: Any, what: str) -> float:
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise self.fault(f"'{self.name}' {what} is {value!r}, not a number", "write a number")
        return float(value)

    def _cell_family(self, path: Path, values: dict[Path, float | None]) -> Uncertainty:
        family = dict(self.family)
        if family.get("family") == "dirichlet":
            family.pop("by", None)
        if "cv" in family:
            value = values[path]
            if value is None:
                raise self.fault("`cv` needs a value", "add `value:`")
            family["se"] = abs(float(family.pop("cv")) * value)
        for key in _PER_CELL:
            if isinstance(family.get(key), dict):
                family[key] = self._cell_of(family[key], path, key)
        if family.get("se") == 0:
            return Fixed(reason="standard error 0")
        try:
            return _FAMILY.validate_python(family)
        except ValidationError as error:
            raise self._family_fault(error, path) from error

    def _family_fault(self, error: ValidationError, path: Path) -> ModelError:
        first = error.errors()[0]
        key = ".".join(str(part) for part in first["loc"][1:]) or "family"
        reason = first["msg"].removeprefix("Value error, ")
        cell = show_path(path)
        return self.fault(
            f"the uncertainty of '{self.name}{cell}' cannot be read: '{key}': {reason}",
            "see the table of uncertainty families in docs/language.md",
        )

    def _cell_of(self, table: Any, path: Path, key: str) -> Any:
        for step in path:
            if not isinstance(table, dict) or step not in table:
                raise self.fault(
                    f"`{key}` of '{self.name}' has no cell {show_path(path)}",
                    "give it in the shape of the value",
                )
            table = table[step]
        return table

    def _checked_value(self, path: Path, value: float | None, family: Uncertainty) -> float:
        if isinstance(family, Dirichlet):
            implied: float | None = dict(zip(family.cells, family.implied_value(), strict=True))[
                str(path[-1])
            ]
        else:
            implied = family.implied_value()
        if value is None:
            if implied is None:
                raise self.fault(f"'{self.name}{show_path(path)}' has no value", "add `value:`")
            value = implied
        try:
            if isinstance(family, ScalarFamily):
                family.check(value)
        except ImpossibleMoments as error:
            raise self.fault(
                f"the uncertainty of '{self.name}{show_path(path)}' is impossible: {error}",
                "mend its se or interval, or choose another family",
            ) from error
        return value

    # -- curves

    def _curve(self) -> Parameter:
        raw = self.raw
        assert raw.curve is not None
        if raw.curve not in survival.FAMILIES:
            raise self.fault(
                f"no survival family '{raw.curve}'", nearest(raw.curve, survival.FAMILIES)
            )
        if not isinstance(raw.value, dict) or not isinstance(raw.unit, dict):
            raise self.fault(
                f"the curve '{self.name}' needs `value:` and `unit:` by parameter",
                "write for example value: {shape: 1.1, scale: 12.5}, unit: {shape: 1, scale: year}",
            )
        values: dict[Path, float] = {}
        design: dict[Path, tuple[float, ...] | str] = {}
        for labels, named in self._by_label(raw.value, len(raw.by or []), ()):
            for key, given in self._family_parameters(named).items():
                self._keep(values, design, (*labels, key), given)
        text = ", ".join(f"{key}: {value}" for key, value in raw.unit.items())
        parameter = self._finish(
            ONE,
            text,
            values,
            self._curve_cells(values),
            curve_unit=self._curve_unit(),
            design=design,
        )
        self._check_curve(parameter)
        return parameter

    def _by_label(
        self, value: Any, depth: int, path: Path
    ) -> Iterator[tuple[Path, dict[Key, Any]]]:
        if depth == 0:
            yield path, value
            return
        for key, below in value.items():
            if not isinstance(below, dict):
                raise self.fault(f"the curve at {key} has no parameters", "nest one level more")
            yield from self._by_label(below, depth - 1, (*path, key))

    def _family_parameters(self, given: dict[Key, Any]) -> dict[str, Any]:
        curve = self.raw.curve
        assert curve is not None
        if "median" in given:
            numbers = {str(key): self._number(value, str(key)) for key, value in given.items()}
            return survival.from_median(curve, numbers["median"], shape=numbers.get("shape", 1.0))
        wanted = [parameter.name for parameter in survival.FAMILIES[curve].parameters]
        if set(map(str, given)) != set(wanted):
            raise self.fault(
                f"the {curve} curve '{self.name}' has {', '.join(map(str, given)) or 'nothing'}",
                f"give its parameters: {', '.join(wanted)}",
            )
        return {str(key): value for key, value in given.items()}

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
            design[path] = tuple(self._number(item, name) for item in given)
        elif isinstance(given, list):
            for index, item in enumerate(given):
                values[(*path, float(index))] = self._number(item, name)
        else:
            values[path] = self._number(given, name)

    def _curve_unit(self) -> float:
        """Years of the record's unit of time: all its parameters must use the same."""
        unit = self.raw.unit
        assert isinstance(unit, dict)
        lengths = set()
        for key, text in unit.items():
            parsed = parse_unit(str(text), self.where)
            if parsed.dimension == YEAR.dimension:
                lengths.add(parsed.factor)
            elif parsed.dimension == PER_YEAR.dimension:
                lengths.add(1 / parsed.factor)
            elif not parsed.pure:
                raise self.fault(f"'{key}' of a curve is in {text}", "use a time, 1/time or 1")
        if len({round(length, 12) for length in lengths}) > 1:
            raise self.fault("the curve mixes units of time", "write all in the same unit")
        return lengths.pop() if lengths else 1.0

    def _curve_cells(self, values: dict[Path, float]) -> dict[Path, Uncertainty]:
        """The uncertainty of a curve: fixed, or lognormal of its median or scale."""
        kind = self.family.get("family")
        if kind == "fixed":
            family = _FAMILY.validate_python(self.family)
            return dict.fromkeys(values, family)
        if kind == "normal" and "covariance" in self.family:
            return {}
        if kind != "lognormal" or self.of not in ("median", "scale", "rate"):
            raise self.fault(
                f"the uncertainty of the curve '{self.name}' cannot be read",
                "write {family: fixed, reason: ...}, {family: normal, covariance: [[...]], "
                "of: log} or {family: lognormal, ci95: [...], of: median}",
            )
        return self._scaled_curve(values)

    def _scaled_curve(self, values: dict[Path, float]) -> dict[Path, Uncertainty]:
        """A lognormal median is a lognormal scale (or rate) with the same spread of logs."""
        try:
            stated = LogNormal.model_validate(self.family)
        except ValidationError as error:
            raise self._family_fault(error, ()) from error
        spread = stated.log_moments(self._stated_centre())[1]
        scaled = ("scale", "rate") if self.of == "median" else (self.of,)
        fixed = Fixed(reason="given with the curve")
        return {
            path: _lognormal_about(value, spread) if path[-1] in scaled else fixed
            for path, value in values.items()
        }

    def _stated_centre(self) -> float:
        value = self.raw.value
        centre = value.get(self.of) if isinstance(value, dict) else None
        if not isinstance(centre, int | float):
            if "se" in self.family:
                raise self.fault("`se` of a curve by label is not supported", "give ci95")
            return 1.0
        return float(centre)

    def _check_curve(self, parameter: Parameter) -> None:
        depth = len(parameter.by)
        for labels in {path[:depth] for path in (*parameter.values, *parameter.design)}:
            own = parameter.curve_values(labels, lambda path: np.array([parameter.values[path]]))
            survival.check(str(parameter.curve), own, self.where)

    # -- joint draws

    def joint(self) -> Iterator[Parameter]:
        names = tuple(self.raw.names or ())
        unit = self._unit(self.raw.unit)
        kind = self.family.get("family")
        base = self.raw.value
        joint: Joint | None = None
        if kind == "draws":
            file = inside(self.folder, str(self.family.get("file")), self.where)
            rows = [
                tuple(self._number(cell, file.name) for cell in row)
                for row in read_table(file, list(names), self.where)
            ]
            columns = list(zip(*rows, strict=True))
            base = {name: sum(c) / len(c) for name, c in zip(names, columns, strict=True)}
            joint = Joint(self.name, tuple((name,) for name in names), rows=tuple(rows))
        elif kind == "normal":
            joint = Joint(
                self.name, tuple((name,) for name in names), covariance=self._covariance(len(names))
            )
        elif kind != "fixed":
            raise self.fault(
                "a joint record is normal with a covariance, draws from a file, or fixed",
                "write {family: normal, covariance: [[...]]}",
            )
        if not isinstance(base, dict) or set(base) != set(names):
            raise self.fault(f"`value:` of '{self.name}' must give each of its names", "add them")
        fixed = Fixed(reason=str(self.family.get("reason", "")) or "drawn with its record")
        for name in names:
            value = self._number(base[name], name)
            yield self._finish(
                unit, str(self.raw.unit), {(): value}, {(): fixed}, name=name, joint=joint
            )

    def _covariance(self, size: int) -> tuple[tuple[float, ...], ...]:
        given = self.family.get("covariance")
        if (
            not isinstance(given, list)
            or len(given) != size
            or any(not isinstance(row, list) or len(row) != size for row in given)
        ):
            raise self.fault(
                f"the covariance of '{self.name}' is not {size} by {size}",
                "one row and one column a name, in order",
            )
        matrix = tuple(tuple(self._number(cell, "covariance") for cell in row) for row in given)
        try:
            cholesky(np.array(matrix))
        except ImpossibleMoments as error:
            raise self.fault(
                f"the covariance of '{self.name}' is impossible: {error}", "mend the matrix"
            ) from error
        return matrix

    # -- all

    def _unit(self, text: Any) -> Unit:
        return parse_unit(str(text), self.where)

    def _check_money(self, unit: Unit) -> None:
        if currencies(unit) and self.raw.price_year is None:
            raise self.fault(
                f"'{self.name}' is in {unit} and has no price year",
                "add `price_year: 2022`, say, or `price_year: unknown`",
            )

    def _finish(
        self,
        unit: Unit,
        text: str,
        values: dict[Path, float],
        uncertainty: dict[Path, Uncertainty],
        *,
        name: str | None = None,
        joint: Joint | None = None,
        curve_unit: float = 1.0,
        design: dict[Path, tuple[float, ...] | str] | None = None,
    ) -> Parameter:
        raw = self.raw
        if raw.curve is not None and self.family.get("family") == "normal":
            joint = self._curve_joint(values)
        reason = next((f.reason for f in uncertainty.values() if isinstance(f, Fixed)), "")
        parameter = Parameter(
            name=name or self.name,
            label=raw.label,
            unit=unit,
            unit_text=text,
            values=values,
            uncertainty=uncertainty,
            source=self.source,
            status=raw.status,
            mark=self.mark,
            by=tuple(raw.by or ()),
            curve=raw.curve,
            curve_unit=curve_unit,
            design=design or {},
            together=self.together,
            dirichlet=any(isinstance(f, Dirichlet) for f in uncertainty.values()),
            joint=joint,
            price_year=raw.price_year if currencies(unit) else None,
            range=(float(raw.range[0]), float(raw.range[1])) if raw.range else None,
            reason=reason,
        )
        for path, value in values.items():
            check_value(parameter, path, value, self.where)
        return parameter

    def _curve_joint(self, values: dict[Path, float]) -> Joint:
        if self.raw.by:
            raise self.fault("a covariance of curves by label is not supported", "split the record")
        curve = survival.FAMILIES[str(self.raw.curve)]
        positive = {p.name for p in curve.parameters if p.positive}
        names = tuple(values)
        logs = tuple(self.of == "log" and str(path[0]) in positive for path in names)
        return Joint(self.name, names, covariance=self._covariance(len(names)), logarithm=logs)


def _lognormal_about(value: float, spread: float) -> LogNormal:
    """A lognormal with this median and this standard deviation of the log."""
    half = np.exp(CENTRAL * spread)
    return LogNormal(ci95=(float(value / half), float(value * half)))

"""One record of a parameter file on its way to parameters: what all kinds of records share."""

from __future__ import annotations

from pathlib import Path as FilePath
from typing import Annotated, Any, Literal, get_args

import numpy as np
from pydantic import Field, TypeAdapter, ValidationError, field_validator

from qalyst.errors import ModelError, nearest
from qalyst.io.records import Record, read
from qalyst.io.yaml import Mark, Section
from qalyst.params.parameter import Joint, Parameter, Path, Source, check_value, show_path
from qalyst.stats.joint import cholesky
from qalyst.stats.uncertainty import Dirichlet, ImpossibleMoments, Uncertainty
from qalyst.units import Unit, currencies, parse_unit

_FAMILY: TypeAdapter[Uncertainty] = TypeAdapter(Uncertainty)
_FAMILIES = {
    kind.model_fields["family"].default: kind for kind in get_args(get_args(Uncertainty)[0])
}


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

    @field_validator("by", "names")
    @classmethod
    def _each_once(cls, words: list[str] | None) -> list[str] | None:
        if words is not None and (not words or len(set(words)) < len(words)):
            raise ValueError("must name each once, and at least one")
        return words

    @field_validator("range")
    @classmethod
    def _ordered(cls, ends: list[float | int] | None) -> list[float | int] | None:
        if ends is not None and ends[0] > ends[1]:
            raise ValueError("must be [low, high]")
        return ends


class RecordReader:
    """A record with its place; its kinds are in `numbers`, `curves` and `joints`.

    Parameters
    ----------
    name, raw, section, mark : the record, as checked and as read.
    folder : of the parameter file, for files that the record names.
    """

    def __init__(
        self, name: str, raw: RawParameter, section: Section, mark: Mark, folder: FilePath
    ) -> None:
        self.name, self.raw, self.mark, self.folder = name, raw, mark, folder
        self.where = f"{mark}  parameters.{name}"
        citation = read(SourceRecord, section["source"], f"parameters.{name}.source")
        self.source = Source(citation.cite, citation.locator or "", citation.doi or "")
        self.family = dict(raw.uncertainty)
        self.together = self.family.pop("together", False)
        if not isinstance(self.together, bool):
            raise self.fault(f"`together: {self.together}`", "write true or false")
        if raw.file is not None and (raw.curve or raw.names or not raw.by):
            raise self.fault(
                f"'{name}' has `file:`, which belongs to a table", "drop it, or add `by: [...]`"
            )

    @property
    def kind(self) -> Any:
        """The family of the record's uncertainty."""
        return self.family.get("family")

    def fault(self, what: str, mend: str) -> ModelError:
        """An error at this record."""
        return ModelError(what, where=self.where, mend=mend)

    def number(self, value: Any, what: str) -> float:
        """A number of the record, and nothing else."""
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise self.fault(f"'{self.name}' {what} is {value!r}, not a number", "write a number")
        return float(value)

    def read_family(self, family: dict[str, Any], path: Path = ()) -> Uncertainty:
        """An uncertainty of the closed list of families."""
        try:
            return _FAMILY.validate_python(family)
        except ValidationError as error:
            first = error.errors()[0]
            what, mend = _explained(first, family)
            raise self.fault(
                f"the uncertainty of '{self.name}{show_path(path)}' cannot be read: {what}", mend
            ) from error

    def only_keys(self, *known: str) -> None:
        """Refuse keys of the uncertainty that its family does not take."""
        stray = [key for key in self.family if key not in ("family", *known)]
        if stray:
            raise self.fault(
                f"the uncertainty of '{self.name}' has '{stray[0]}', which {self.kind} does not "
                "take here",
                f"drop it; it takes {', '.join(known)}",
            )

    def covariance(self, size: int) -> tuple[tuple[float, ...], ...]:
        """The covariance of the record, [name, name]: symmetric and positive definite."""
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
        matrix = tuple(tuple(self.number(cell, "covariance") for cell in row) for row in given)
        try:
            cholesky(np.array(matrix))
        except ImpossibleMoments as error:
            raise self.fault(
                f"the covariance of '{self.name}' is impossible: {error}", "mend the matrix"
            ) from error
        return matrix

    def unit(self) -> Unit:
        """The unit of a record of numbers; money needs the year of its prices."""
        unit = parse_unit(str(self.raw.unit), self.where)
        if currencies(unit) and self.raw.price_year is None:
            raise self.fault(
                f"'{self.name}' is in {unit} and has no price year",
                "add `price_year: 2022`, say, or `price_year: unknown`",
            )
        return unit

    def finish(
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
        """The parameter, its values within what the unit can have."""
        raw = self.raw
        reason = str(self.family.get("reason", ""))
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
            together=bool(self.together),
            dirichlet=any(isinstance(f, Dirichlet) for f in uncertainty.values()),
            joint=joint,
            price_year=raw.price_year if currencies(unit) else None,
            reason=reason,
        )
        for path, value in values.items():
            check_value(parameter, path, value, self.where)
        return parameter


def _explained(item: Any, family: dict[str, Any]) -> tuple[str, str]:
    """What is wrong with an uncertainty, and how to mend it."""
    name = str(family.get("family"))
    if item["type"] == "union_tag_invalid":
        return f"no family '{name}'", nearest(name.lower(), _FAMILIES)
    key = ".".join(str(part) for part in item["loc"][1:]) or "family"
    if item["type"] == "extra_forbidden":
        known = [word for word in _FAMILIES[name].model_fields if word != "family"]
        return f"{name} takes no '{key}'", nearest({"sd": "se"}.get(key, key), known)
    reason = item["msg"].removeprefix("Value error, ")
    return f"'{key}': {reason}", "see the table of uncertainty families in docs/language.md"

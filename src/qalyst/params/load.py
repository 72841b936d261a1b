"""Parameter files: records read, checked and made into parameters."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path as FilePath

from qalyst.errors import Mistakes, ModelError, nearest
from qalyst.io.records import read
from qalyst.io.yaml import Mark, Section, load, merge
from qalyst.params.curves import CurveReader
from qalyst.params.joints import JointReader
from qalyst.params.numbers import NumberReader
from qalyst.params.parameter import Parameter
from qalyst.params.record import RawParameter
from qalyst.units import currencies

_SECTIONS = ("common", "parameters")


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
    if not isinstance(common, Section):
        raise ModelError(
            "`common:` is not a mapping",
            where=str(document.at("common")),
            mend="write {status: ..., source: ...}: keys that the records share",
        )
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
                _refuse_idle(str(key), record, parameter)
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
    return merge(common, record, keep_stray=True)


def _refuse_idle(name: str, record: Section, parameter: Parameter) -> None:
    """Refuse a key of the record itself that nothing reads; a common one is for other records."""
    if record.get("price_year") is not None and not currencies(parameter.unit):
        raise ModelError(
            f"'{name}' has `price_year:`, and {parameter.unit_text} is no money",
            where=f"{record.at('price_year')}  parameters.{name}.price_year",
            mend="drop it, or write the unit with its currency",
        )
    uncertainty = record.get("uncertainty")
    table_of_numbers = parameter.by and not parameter.curve and not parameter.dirichlet
    if isinstance(uncertainty, Section) and "together" in uncertainty and not table_of_numbers:
        raise ModelError(
            f"'{name}' has `together:`, which belongs to a table of numbers",
            where=f"{uncertainty.at('together')}  parameters.{name}.uncertainty.together",
            mend="drop it",
        )


def _parameters(name: str, section: Section, mark: Mark, folder: FilePath) -> Iterator[Parameter]:
    where = f"{mark}  parameters.{name}"
    unit = section.get("unit")
    if isinstance(unit, int | float):  # `unit: 1` is text
        section.place("unit", f"{unit:g}", section.at("unit"))
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
    kind = JointReader if raw.names else CurveReader if raw.curve else NumberReader
    yield from kind(name, raw, section, mark, folder).parameters()

"""Attributes of a model file: numbers that differ between patients, read and checked."""

from __future__ import annotations

import re
from collections.abc import Mapping

import numpy as np

from qalyst.axes import Float
from qalyst.errors import Mistakes, ModelError, nearest
from qalyst.io.records import read
from qalyst.io.yaml import Section
from qalyst.model.names import used_names
from qalyst.model.resolved import Attribute, ResolvedModel
from qalyst.model.schema import AttributeSection
from qalyst.model.sections import Sections
from qalyst.stats.differences import FAMILIES
from qalyst.units import currencies, parse_unit

SAMPLED = "patients_sampled"  # the one key of the section that is no attribute
USUAL, LEAST, MOST = 128, 16, 100_000
_NOT_HERE = {
    "fixed": "a number that all patients share is a definition or a parameter",
    "dirichlet": "shares of patients are profiles: write them as weights under `profiles:`",
    "draws": "patients from a file are profiles: write them as weights under `profiles:`",
}
SMALLEST_EIGENVALUE = 1e-10


def attributes(sections: Sections) -> dict[str, Attribute]:
    """The attributes in the order of the file."""
    found = {}
    for name, row, where in sections.rows("attributes", besides=SAMPLED):
        with sections.mistakes.caught():
            found[name] = _attribute(sections, name, row, where)
    return found


def _attribute(sections: Sections, name: str, row: Section, where: str) -> Attribute:
    raw = read(AttributeSection, row, f"attributes.{name}")
    unit = parse_unit(str(raw.unit), f"{row.at('unit')}  attributes.{name}.unit")
    if currencies(unit):
        raise ModelError(
            f"the attribute '{name}' is in {unit}, and money needs a price year",
            where=f"{row.at('unit')}  attributes.{name}.unit",
            mend="make it a pure number in `quantity`, times a parameter in `price`",
        )
    if raw.family not in FAMILIES:
        raise ModelError(
            f"no family '{raw.family}' of attributes",
            where=f"{row.at('family')}  attributes.{name}.family",
            mend=_NOT_HERE.get(raw.family, nearest(raw.family.lower(), FAMILIES)),
        )
    wanted = FAMILIES[raw.family].arguments
    for key in ("mean", "sd", "low", "mode", "high"):
        if (row.get(key) is None) == (key in wanted):
            raise ModelError(
                f"the attribute '{name}' needs `{key}:`"
                if key in wanted
                else f"{raw.family} takes no '{key}'",
                where=f"{row.at(key) if key in row else where.split('  ')[0]}  attributes.{name}",
                mend=f"write {{family: {raw.family}, {', '.join(f'{w}: ...' for w in wanted)}}}",
            )
    return Attribute(
        name=name,
        unit=unit,
        unit_text=str(raw.unit),
        family=raw.family,
        arguments={key: sections.expression(row, key, where) for key in wanted},
        correlation={other: float(r) for other, r in raw.correlation.items()},
        where=where,
    )


def patients_sampled(sections: Sections) -> int:
    """How many patients stand for each profile; 1 without attributes.

    Raises
    ------
    ModelError
        Too few for the strata of as many attributes, or too many to run.
    """
    section = sections.section("attributes")
    rows = len([key for key in section if key != SAMPLED])
    given = section.get(SAMPLED, USUAL)
    least = max(LEAST, 2 * rows)
    whole = isinstance(given, int) and not isinstance(given, bool)
    if not whole or not least <= given <= MOST:
        raise ModelError(
            f"`{SAMPLED}: {given}` is no sample of patients",
            where=f"{section.at(SAMPLED)}  attributes.{SAMPLED}",
            mend=f"write a whole number from {least} to {MOST:,}; {USUAL} are usual",
        )
    return int(given) if rows else 1


def check_attributes(model: ResolvedModel, scenarios: str, mistakes: Mistakes) -> None:
    """Note correlations that cannot be, and attributes that nothing reads.

    Parameters
    ----------
    model : the resolved model.
    scenarios : text of the file's scenarios, which may read what the file does not.
    mistakes : where they are noted.
    """
    before = len(mistakes)
    for attribute in model.attributes.values():
        for other in attribute.correlation:
            with mistakes.caught():
                _check_pair(model, attribute, other)
    if len(mistakes) == before:
        with mistakes.caught():
            _check_matrix(model)
    used, _ = used_names(model)
    for name, attribute in model.attributes.items():
        if name not in used and not re.search(rf"\b{name}\b", scenarios):
            known = [other for other in model.attributes if other in used]
            mistakes.add(
                f"nothing reads the attribute '{name}'",
                where=attribute.where,
                mend=f"{nearest(name, known)} Drop it if it is not needed" if known else "drop it",
            )


def _check_pair(model: ResolvedModel, attribute: Attribute, other: str) -> None:
    name, r = attribute.name, attribute.correlation[other]
    where = f"{attribute.where}.correlation"
    if other not in model.attributes or other == name:
        others = [each for each in model.attributes if each != name]
        raise ModelError(
            f"'{name}' is correlated with '{other}', "
            + ("which is itself" if other == name else "which is no attribute"),
            where=where,
            mend=nearest(other, others) if others else "drop it: there is no other attribute",
        )
    if not -1 <= r <= 1:
        raise ModelError(
            f"the correlation of '{name}' and '{other}' is {r:g}",
            where=where,
            mend="write a number between -1 and 1",
        )
    back = model.attributes[other].correlation.get(name, r)
    if back != r:
        raise ModelError(
            f"the correlation of '{name}' and '{other}' is {r:g} once and {back:g} once",
            where=f"{where} and {model.attributes[other].where}.correlation",
            mend="state it once, with either of the two",
        )


def _check_matrix(model: ResolvedModel) -> None:
    names, matrix = correlation_matrix(model.attributes)
    joined = [n for n, row in zip(names, matrix, strict=True) if np.count_nonzero(row) > 1]
    least = float(np.linalg.eigvalsh(matrix)[0]) if names else 1.0
    if least < SMALLEST_EIGENVALUE:
        raise ModelError(
            f"the correlations of {', '.join(joined)} cannot hold together: the matrix is not "
            f"positive definite (smallest eigenvalue {least:.3g})",
            where=model.attributes[joined[0]].where,
            mend="bring the correlations nearer to 0; of two attributes that are one (1 or -1), "
            "write one as an expression of the other",
        )


def correlation_matrix(attributes: Mapping[str, Attribute]) -> tuple[list[str], Float]:
    """Names in their alphabetical order, and their correlations [name, name]."""
    names = sorted(attributes)
    matrix = np.eye(len(names))
    for name, attribute in attributes.items():
        for other, r in attribute.correlation.items():
            i, j = names.index(name), names.index(other)
            matrix[i, j] = matrix[j, i] = r
    return names, matrix

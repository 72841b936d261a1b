"""The general population: deaths and utilities by sex and year of age."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from qalyst.axes import Float
from qalyst.errors import ModelError, nearest
from qalyst.io.files import find_table_of_people
from qalyst.params.load import load_parameters
from qalyst.params.parameter import Parameter

SEXES = ("female", "male")


@dataclass(frozen=True)
class GeneralPopulation:
    """Yearly values from age 0 to the end of the life table.

    Attributes
    ----------
    hazards : sex -> [age] of death, 1/year.
    utilities : sex -> [age]; the last value of the norm holds for older ages.
    sources : of the life table and of the norm.
    """

    hazards: dict[str, Float]
    utilities: dict[str, Float]
    sources: tuple[str, str]


def general_population(life_table: str, norm: str, where: str) -> GeneralPopulation:
    """The population of two parameter files: a life table, and a norm of utilities.

    Parameters
    ----------
    life_table, norm : names of parameter files that hold one table by sex and age each.
    where : what names them, for messages.

    Raises
    ------
    ModelError
        A file that is not there, or that holds no such table.
    """
    deaths, utilities = _table(life_table, where), _table(norm, where)
    last = int(max(float(path[1]) for path in deaths.values))
    return GeneralPopulation(
        hazards={sex: _by_age(deaths, sex, last, where) for sex in SEXES},
        utilities={sex: _by_age(utilities, sex, last, where) for sex in SEXES},
        sources=(str(deaths.source), str(utilities.source)),
    )


def _table(name: str, where: str) -> Parameter:
    found = load_parameters(find_table_of_people(name, where), f"params/{name}.yaml")
    tables = [each for each in found.values() if each.by == ("sex", "age")]
    if len(tables) != 1:
        raise ModelError(
            f"'{name}' holds {len(tables)} tables by sex and age",
            where=where,
            mend="name a parameter file that holds one",
        )
    return tables[0]


def _by_age(table: Parameter, sex: str, last: int, where: str) -> Float:
    """[age] values from 0 to `last`; a value holds until the next."""
    values = {float(path[1]): table.base(path) for path in table.values if path[0] == sex}
    if not values or min(values) > 0:
        raise ModelError(
            f"'{table.name}' has no values for {sex} from age 0",
            where=where,
            mend=nearest(sex, {str(path[0]) for path in table.values}),
        )
    ages = np.array(sorted(values))
    steps = np.searchsorted(ages, np.arange(last + 1), side="right") - 1
    return np.array([values[age] for age in ages])[steps]

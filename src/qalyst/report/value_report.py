"""The folder and the words of `qalyst voi`."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.text import Text

from qalyst.report.consoles import open_console
from qalyst.report.figures_value import evppi_bars
from qalyst.report.folders import write_tables_and_figures
from qalyst.report.labels import currency
from qalyst.report.numbers import money
from qalyst.report.provenance import command_words, origin, write_provenance
from qalyst.report.value_words import information_table, tell_information
from qalyst.simulation import engine_name

if TYPE_CHECKING:
    from qalyst.decision.evppi import Evppi
    from qalyst.decision.nested import NestedEvppi
    from qalyst.decision.population import Population
    from qalyst.information import Information
    from qalyst.model.resolved import ResolvedModel


@dataclass(frozen=True)
class Checked:
    """A value by regression, and by running the model again.

    Attributes
    ----------
    name : of what would be known, as it was asked for.
    wtp : willingness to pay.
    regression, nested : the two values.
    """

    name: str
    wtp: float
    regression: Evppi
    nested: NestedEvppi

    @property
    def apart(self) -> float:
        """Standard errors by which regression is above."""
        return self.nested.disagreement(self.regression.value, self.regression.se)


@dataclass(frozen=True)
class Valued:
    """Values of information of a model.

    Attributes
    ----------
    model : the model.
    found : at each threshold.
    labels : name of an input -> what it is called in print.
    population : who are affected; None if nobody said.
    checks : values that were checked by running the model again.
    """

    model: ResolvedModel
    found: tuple[Information, ...]
    labels: Mapping[str, str]
    population: Population | None
    checks: tuple[Checked, ...] = ()


def check_data(each: Checked) -> dict[str, Any]:
    """A check as plain data."""
    return {
        "name": each.name,
        "wtp": each.wtp,
        "regression": each.regression.value,
        "regression_se": each.regression.se,
        "nested": each.nested.value,
        "nested_se": each.nested.se,
        "apart": each.apart,
        "evaluations": each.nested.evaluations,
        "reached": each.nested.reached,
    }


def write_value(valued: Valued, folder: Path, settings: Mapping[str, Any]) -> list[Path]:
    """Write the table, a figure for each threshold with something to learn, and the provenance.

    `settings` are what was asked for: `model`, `values`, `wtp`, `groups`, `draws`, `seed`.
    """
    table = information_table(valued.found, valued.labels)
    if valued.population is not None:
        table["population_evppi"] = table["evppi"] * valued.population.persons()
    files = write_tables_and_figures(
        folder,
        {"evppi": table},
        lambda: (
            evppi_bars(valued.model, each, valued.labels) for each in valued.found if each.evpi > 0
        ),
    )
    record = {
        **{key: settings[key] for key in ("draws", "seed", "wtp")},
        "patients": None,
        "engine": engine_name(valued.model),
        "rerun": _rerun(valued, settings),
    }
    return [*files, write_provenance(origin(valued.model, settings, record), folder, files)]


def _rerun(valued: Valued, settings: Mapping[str, Any]) -> str:
    """The command line that gives the same files."""
    words = command_words("voi", valued.model, settings)
    words += [word for each in settings["wtp"] for word in ("--wtp", f"{each:.15g}")]
    words += [word for each in settings["groups"] for word in ("--group", each)]
    if valued.population is not None:
        for name, given in (
            ("persons", valued.population.incidence),
            ("horizon", valued.population.horizon),
            ("discount", valued.population.discount),
        ):
            words += [f"--{name}", f"{given:.15g}"]
    words += ["--draws", str(settings["draws"]), "--seed", str(settings["seed"])]
    return shlex.join(words)


def tell_value(valued: Valued, found: dict[str, Any]) -> None:
    """The most valuable inputs at each threshold, and the sentences at the end."""
    console = open_console()
    console.print(Text(valued.model.title, style="bold"))
    console.print(Text(f"{valued.model.name}; {found['draws']:,} draws, seed {found['seed']}"))
    for each in valued.found:
        tell_information(console, valued.model, each, valued.labels)
        for value in (*each.groups.values(), *each.singles):
            if value.detected and value.message:
                console.print(Text(f"note: {value.message}"))
    for check in valued.checks:
        console.print(Text(_check_words(valued, check)))
    if valued.population is not None:
        persons = valued.population.persons()
        code = currency(valued.model, str(valued.model.decision.cost))
        for each in valued.found:
            console.print(
                Text(
                    f"population EVPI at {each.wtp:,.10g}: {money(persons * each.evpi, code)} "
                    f"({persons:,.0f} persons, discounted)"
                )
            )
    console.print(Text(f"results: {found['folder']}, {len(found['files'])} files"))
    console.print()
    for sentence in found["sentences"]:
        console.print(Text(sentence, style="bold"))


def _check_words(valued: Valued, each: Checked) -> str:
    code = currency(valued.model, str(valued.model.decision.cost))
    one, other = (
        f"{money(value, code)} (error {money(error, code, significant=2)})"
        for value, error in (
            (each.nested.value, each.nested.se),
            (each.regression.value, each.regression.se),
        )
    )
    words = (
        f"check of {each.name} at {each.wtp:,.10g}: {one} by {each.nested.evaluations:,} runs of "
        f"the model, {other} by regression: {abs(each.apart):.1f} standard errors apart"
    )
    return words if each.nested.reached else f"{words}; a larger --budget makes it sharper"

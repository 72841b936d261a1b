"""What the commands take, and how it is read."""

from __future__ import annotations

import math
import re
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from qalyst.errors import ModelError
from qalyst.io.typed import plain_number

if TYPE_CHECKING:
    from qalyst.model.resolved import ResolvedModel
    from qalyst.outcomes import Rates

DEFAULT_DRAWS = 1000
DESIGN_DRAWS = 1024  # 8 replicates of a power of two
DEFAULT_SEED = 20260101
DEFAULT_PATIENTS = 1000
LONGEST_NAME = 200  # of a folder; file systems allow 255 bytes

ModelName = Annotated[
    str, typer.Argument(help="Name of a model (`qalyst list`), or path of a model file.")
]
Scenarios = Annotated[
    list[str] | None,
    typer.Option(
        "--scenario", metavar="NAME", help="Apply a scenario of the model file. Repeatable."
    ),
]
Values = Annotated[
    list[str] | None,
    typer.Option(
        "--set",
        metavar="NAME=VALUE",
        help="Fix a parameter, in the unit of its record; a cell: TABLE[label]=VALUE. Repeatable.",
    ),
]
Thresholds = Annotated[
    list[str] | None,
    typer.Option(
        "--wtp",
        metavar="MONEY",
        help="Willingness to pay for a unit of effect: 50000, or 20000,30000. Repeatable.",
    ),
]
AsJson = Annotated[
    bool, typer.Option("--json", help="One JSON object on standard output (docs/json.md).")
]
RateNames = Annotated[
    str,
    typer.Option(
        "--rates",
        metavar="all|none|NAME,...",
        help="Guidelines at whose discount rates totals are kept too; see `qalyst guidelines`.",
    ),
]
SeveralDraws = Annotated[
    int, typer.Option("--draws", help="Draws of the probabilistic analysis, 2 or more.")
]
Seed = Annotated[int, typer.Option(help="The same seed gives the same results, bit by bit.")]
Threads = Annotated[int | None, typer.Option(help="Threads; all processors if not given.")]


def load(name: str, scenario: list[str] | None, values: list[str] | None) -> ResolvedModel:
    """The model, with scenarios and values applied."""
    from qalyst.model.resolve import load_model

    return load_model(name, scenarios=scenario or (), values=parsed(values or []))


def parsed(values: list[str], option: str = "--set") -> dict[str, float]:
    """Values given by ``--set`` or the like: plain finite numbers only."""
    found: dict[str, float] = {}
    for text in values:
        name, equals, number = text.partition("=")
        where = f"command line  {option} {text}"
        if not equals:
            raise ModelError(f"'{text}' is not NAME=VALUE", where=where, mend="write name=0.5")
        value = plain_number(number)
        if value is None:
            raise ModelError(
                f"'{number}' is no number for '{name}'", where=where, mend="write a plain number"
            )
        if not math.isfinite(value):
            raise ModelError(
                f"'{name}' is set to {number}", where=where, mend="write a finite number"
            )
        if name.strip() in found:
            raise ModelError(f"'{name}' is set twice", where=where, mend="keep one of the two")
        found[name.strip()] = value
    return found


def thresholds(given: list[str] | None) -> list[float]:
    """Thresholds as they are written: amounts, several with commas between them.

    Raises
    ------
    ModelError
        What is no finite amount of 0 or more.
    """
    found = []
    for text in [part for words in given or [] for part in words.split(",")]:
        where = f"command line  --wtp {text}"
        value = plain_number(text)
        if value is None:
            raise ModelError(
                f"'{text}' is no amount", where=where, mend="write a number, such as 50000"
            )
        if not math.isfinite(value) or value < 0:
            raise ModelError(
                f"a willingness to pay of {text}", where=where, mend="write an amount of 0 or more"
            )
        found.append(value)
    return list(dict.fromkeys(found))


def named(text: str | None) -> tuple[str, ...]:
    """Names with commas between them, as they are typed."""
    return tuple(word.strip() for word in (text or "").split(",") if word.strip())


def rates_of(names: str) -> tuple[Rates, ...]:
    """The different discount rates of the guidelines named by ``--rates``."""
    from qalyst.params.guidelines import distinct_rates, guideline, guidelines

    if names == "none":
        return ()
    if names == "all":
        return distinct_rates(guidelines().values())
    where = f"command line  --rates {names}"
    return distinct_rates(guideline(name.strip(), where) for name in names.split(","))


def check_folder(out: Path | None) -> None:
    """Refuse the folder that the user is in."""
    if out == Path():  # also what an empty text becomes
        raise ModelError(
            "the results would take the place of the folder you are in",
            where="command line  --out",
            mend="name a folder, such as results/mine",
        )


def default_folder(model: ResolvedModel, values: dict[str, float], *kind: str) -> Path:
    """A folder of its own for each model, scenarios and values, so that none replaces another."""
    words = (f"{name}={value:.15g}" for name, value in sorted(values.items()))
    name = re.sub(r"[^\w.=+-]+", "_", "-".join([model.name, *kind, *model.scenarios, *words]))
    if len(name) > LONGEST_NAME:
        raise ModelError(
            f"the results would go into a folder with a name of {len(name)} letters",
            where="command line  --scenario, --set",
            mend="name a folder: --out results/mine",
        )
    return Path("results") / name

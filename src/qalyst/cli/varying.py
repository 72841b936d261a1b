"""What the commands of sensitivity analysis share: options, and how they write."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from qalyst.cli.options import DEFAULT_SEED, default_folder, parsed
from qalyst.errors import ModelError
from qalyst.io.typed import plain_number

if TYPE_CHECKING:
    import pandas as pd

    from qalyst.model.resolved import ResolvedModel
    from qalyst.report.drawing import Drawing
    from qalyst.sensitivity.points import Study
    from qalyst.sensitivity.standing import Standing

Wtp = Annotated[
    float | None,
    typer.Option(help="Willingness to pay; the first threshold of the model if not given."),
]
Strategy = Annotated[
    str | None,
    typer.Option(
        help="Whose increments are told; if not given, of the two best in the base case the more "
        "effective."
    ),
]
Comparator = Annotated[
    str | None,
    typer.Option(help="Strategy that it is compared with; the other of those two if not given."),
]
Out = Annotated[
    Path | None,
    typer.Option(help="Folder of the results; results/MODEL-COMMAND-... if not given."),
]


@dataclass(frozen=True)
class Asked:
    """What was typed: the model, its values, the folder, and draws if there are any."""

    model: str
    values: list[str] | None
    out: Path | None
    draws: int | None = None
    seed: int = DEFAULT_SEED


def written(
    resolved: ResolvedModel,
    compared: Standing,
    kind: str,
    asked: Asked,
    *,
    options: list[str],
    data: dict[str, Any],
    tables: Mapping[str, pd.DataFrame],
    drawings: Callable[[], Iterable[Drawing]],
    command: str | None = None,
    pair: bool = True,
    price: bool = True,
) -> dict[str, Any]:
    """Write the folder; the data of the command with what was compared."""
    from qalyst.report.sensitivity_data import model_data
    from qalyst.report.sensitivity_report import write_sensitivity

    words = [*options]
    words += ["--wtp", f"{compared.wtp:.17g}"] if price else []
    words += ["--strategy", compared.strategy, "--comparator", compared.comparator] if pair else []
    if asked.draws is not None:
        words += ["--draws", str(asked.draws), "--seed", str(asked.seed)]
    files = write_sensitivity(
        resolved,
        asked.out or default_folder(resolved, parsed(asked.values or []), kind),
        tables=tables,
        drawings=drawings,
        command={
            "name": command or kind,
            "model": asked.model,
            "values": list(asked.values or ()),
            "options": words,
        },
        draws=asked.draws,
        seed=None if asked.draws is None else asked.seed,
    )
    settings = {"draws": asked.draws, "seed": None if asked.draws is None else asked.seed}
    return {**model_data(resolved, compared), **settings, **data, **files}


def opened(
    model: str, scenario: list[str] | None, values: list[str] | None, threads: int | None
) -> Study:
    """The model, ready to be run at many values."""
    from qalyst.sensitivity.points import open_study
    from qalyst.simulation import check_request

    check_request(threads=threads)
    return open_study(model, scenarios=scenario or (), values=parsed(values or []), threads=threads)


def range_of(text: str, option: str = "--range") -> tuple[str, tuple[float, float]]:
    """A range as it is typed.

    >>> range_of("p_a[a, b]=0.1:0.5")
    ('p_a[a, b]', (0.1, 0.5))
    """
    name, equals, ends = text.rpartition("=")
    low, colon, high = ends.partition(":")
    if not equals or not colon:
        raise ModelError(
            f"'{text}' is not NAME=LOW:HIGH",
            where=f"command line  {option}",
            mend="write c_drug=1500:3000",
        )
    return name.strip(), (_number(low, text), _number(high, text))


def _number(text: str, whole: str) -> float:
    value = plain_number(text)
    if value is None or not math.isfinite(value):
        raise ModelError(
            f"'{text}' is no finite number", where=f"command line  {whole}", mend="write 0.5"
        )
    return value


def repeated(option: str, given: list[str] | None) -> list[str]:
    """The words of an option that was given several times."""
    return [word for each in given or () for word in (option, each)]

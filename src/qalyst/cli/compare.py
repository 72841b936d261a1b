"""The command compare."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from qalyst.cli.answering import answer
from qalyst.cli.application import app, examples
from qalyst.cli.options import (
    DEFAULT_DRAWS,
    DEFAULT_SEED,
    AsJson,
    ModelName,
    Scenarios,
    Seed,
    SeveralDraws,
    Threads,
    Thresholds,
    Values,
    check_folder,
    load,
    named,
    thresholds,
)

if TYPE_CHECKING:
    from qalyst.sensitivity.by_outcome import OutcomeComparison


@app.command(
    epilog=examples(
        "qalyst compare nelm --effects life_years,symptom_free_months",
        "qalyst compare hiv --out results/hiv-outcomes",
    )
)
def compare(
    model: ModelName,
    scenario: Scenarios = None,
    values: Values = None,
    effects: Annotated[
        str | None,
        typer.Option(
            metavar="NAME,NAME",
            help="Outcomes to judge the strategies by; all but the cost if not given.",
        ),
    ] = None,
    wtp: Thresholds = None,
    draws: SeveralDraws = DEFAULT_DRAWS,
    seed: Seed = DEFAULT_SEED,
    threads: Threads = None,
    out: Annotated[
        Path | None, typer.Option(help="Folder of the tables; none is written if not given.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Judge strategies by several outcomes, one after another.

    Each with its incremental table and intervals of its ICERs.
    """
    compared: list[OutcomeComparison] = []

    def work() -> dict[str, Any]:
        from qalyst.report.compare_words import comparison_data
        from qalyst.report.progress import progress_bar
        from qalyst.sensitivity.by_outcome import compare_outcomes

        check_folder(out)
        names, amounts = named(effects), thresholds(wtp)
        resolved = load(model, scenario, values)
        with progress_bar(resolved.name, draws) as progress:
            found = compare_outcomes(
                resolved,
                draws=draws,
                seed=seed,
                effects=names,
                wtp=amounts,
                threads=threads,
                progress=progress,
            )
        compared.append(found)
        data = comparison_data(found)
        if out is None:
            return {**data, "folder": None, "files": []}
        asked = ["--effects", ",".join(names)] if names else []
        asked += [word for each in amounts for word in ("--wtp", f"{each:.15g}")]
        command = {"model": model, "values": list(values or ())}
        return {**data, "folder": str(out), "files": _written(found, out, command, asked)}

    def tell(data: dict[str, Any]) -> None:
        from qalyst.report.compare_words import tell_comparison

        tell_comparison(compared[0], data)

    answer(work, tell, as_json)


def _written(
    found: OutcomeComparison, folder: Path, command: dict[str, Any], asked: list[str]
) -> list[str]:
    """Write the tables with their provenance; names of the files."""
    from qalyst.io.files import names_in, written_whole
    from qalyst.report.compare_words import comparison_tables
    from qalyst.report.csv_files import write_tables
    from qalyst.report.provenance import command_words, origin, write_provenance
    from qalyst.simulation import engine_name

    rerun = command_words("compare", found.model, command) + asked
    rerun += ["--draws", str(found.draws), "--seed", str(found.seed), "--out", str(folder)]
    with written_whole(folder) as place:
        files = write_tables(comparison_tables(found), place)
        settings = {
            "draws": found.draws,
            "patients": None,
            "seed": found.seed,
            "engine": engine_name(found.model),
            "rerun": shlex.join(rerun),
        }
        files.append(write_provenance(origin(found.model, command, settings), place, files))
        return names_in(place, files)

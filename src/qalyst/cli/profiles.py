"""The command profiles."""

from __future__ import annotations

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
    default_folder,
    load,
    named,
    parsed,
    thresholds,
)

if TYPE_CHECKING:
    from qalyst.sensitivity.by_profile import ProfileDecisions


@app.command(
    epilog=examples("qalyst profiles nelm", "qalyst profiles nelm --by burden,grade --wtp 100000")
)
def profiles(
    model: ModelName,
    scenario: Scenarios = None,
    values: Values = None,
    by: Annotated[
        str | None,
        typer.Option(
            metavar="NAME,NAME",
            help="Dimensions of profiles that the choice may depend on; all if not given.",
        ),
    ] = None,
    wtp: Thresholds = None,
    draws: SeveralDraws = DEFAULT_DRAWS,
    seed: Seed = DEFAULT_SEED,
    threads: Threads = None,
    out: Annotated[
        Path | None,
        typer.Option(
            help="Folder of the results; results/MODEL-profiles-SCENARIOS-VALUES if not given."
        ),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Find the best strategy for each kind of patient.

    And what it is worth to choose by kind rather than once for all.
    """
    decided: list[ProfileDecisions] = []

    def work() -> dict[str, Any]:
        from qalyst.io.files import names_in, written_whole
        from qalyst.report.profiles_report import write_profiles
        from qalyst.report.profiles_words import profiles_data
        from qalyst.report.progress import progress_bar
        from qalyst.sensitivity.by_profile import decide_by_profile

        check_folder(out)
        names, amounts = named(by), thresholds(wtp)
        resolved, given = load(model, scenario, values), parsed(values or [])
        folder = out or default_folder(resolved, given, "profiles")
        with written_whole(folder) as place:
            with progress_bar(resolved.name, draws) as progress:
                found = decide_by_profile(
                    resolved,
                    draws=draws,
                    seed=seed,
                    by=names,
                    wtp=amounts,
                    threads=threads,
                    progress=progress,
                )
            settings = {
                "model": model,
                "values": list(values or ()),
                "by": names,
                "wtp": amounts,
            }
            files = write_profiles(found, place, command=settings)
            written = names_in(place, files)
        decided.append(found)
        return {**profiles_data(found), "folder": str(folder), "files": written}

    def tell(found: dict[str, Any]) -> None:
        from qalyst.report.profiles_words import tell_profiles

        tell_profiles(decided[0], found)

    answer(work, tell, as_json)

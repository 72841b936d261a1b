"""The command flip."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from qalyst.cli.answering import answer
from qalyst.cli.application import app, examples
from qalyst.cli.options import AsJson, ModelName, Scenarios, Seed, Threads, Values, load
from qalyst.cli.varying import Wtp

if TYPE_CHECKING:
    from qalyst.sensitivity.flip import Flips


@app.command(
    epilog=examples("qalyst flip hiv --wtp 8000", "qalyst flip sick_sicker --wtp 100000 --json")
)
def flip(
    model: ModelName,
    scenario: Scenarios = None,
    values: Values = None,
    wtp: Wtp = None,
    limit: Annotated[
        float | None,
        typer.Option(help="How far to look, in standard deviations; 5 if not given."),
    ] = None,
    seed: Seed = 0,
    threads: Threads = None,
    as_json: AsJson = False,
) -> None:
    """Find the smallest joint change that flips the choice."""
    found: list[Flips] = []

    def work() -> dict[str, Any]:
        from rich.console import Console

        from qalyst.report.flip_words import flip_data
        from qalyst.sensitivity.flip import LIMIT, recommendation_flips

        resolved = load(model, scenario, values)
        with Console(stderr=True).status(f"{resolved.name}: looking for the nearest flip"):
            found.append(
                recommendation_flips(
                    resolved,
                    wtp=wtp,
                    limit=LIMIT if limit is None else limit,
                    seed=seed,
                    threads=threads,
                )
            )
        return flip_data(found[0])

    def tell(data: dict[str, Any]) -> None:
        from qalyst.report.flip_words import tell_flips

        tell_flips(found[0], data)

    answer(work, tell, as_json)

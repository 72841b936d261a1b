"""The command guidelines: presets of discount rates, thresholds and severity."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from qalyst.cli.answering import answer
from qalyst.cli.application import app, examples
from qalyst.cli.options import AsJson


@app.command("guidelines", epilog=examples("qalyst guidelines", "qalyst guidelines nice_2026"))
def show_guidelines(
    name: Annotated[
        str | None, typer.Argument(help="Name of a guideline; all are listed if not given.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """List the known guidelines, or show one with its sources.

    Discount rates, thresholds, and what severity counts for.
    """

    def work() -> dict[str, Any]:
        from qalyst.params.guidelines import guideline, guidelines

        if name is not None:
            return guideline(name, f"command line  {name}").model_dump(mode="json")
        return {
            "guidelines": [
                {
                    "name": key,
                    "title": each.title,
                    "country": each.country,
                    "currency": each.currency,
                    "discount_costs": each.rates.costs,
                    "discount_effects": each.rates.effects,
                    "thresholds": list(each.wtp),
                    "severity": each.severity.gives if each.severity else None,
                }
                for key, each in guidelines().items()
            ]
        }

    def tell(found: dict[str, Any]) -> None:
        from qalyst.report import guideline_words

        if name is None:
            guideline_words.listed(found["guidelines"])
        else:
            guideline_words.shown(found)

    answer(work, tell, as_json)

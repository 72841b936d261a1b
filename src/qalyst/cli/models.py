"""Commands about models: list, check, show."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from qalyst.cli.answering import answer
from qalyst.cli.application import app
from qalyst.cli.options import AsJson, ModelName, Scenarios, Values, load

if TYPE_CHECKING:
    from qalyst.model.resolved import ResolvedModel


@app.command("list", epilog="Example: qalyst list")
def list_models(as_json: AsJson = False) -> None:
    """List the models that come with qalyst."""

    def work() -> dict[str, Any]:
        from qalyst.io.files import catalogue_models
        from qalyst.io.yaml import load

        models = []
        for path in catalogue_models():
            document = load(path, path.name)
            models.append({"name": path.stem, "title": str(document.get("title", ""))})
        return {"models": models}

    def tell(found: dict[str, Any]) -> None:
        from qalyst.report import terminal

        terminal.models(found["models"])

    answer(work, tell, as_json)


@app.command(epilog="Example: qalyst check models/nelm.yaml")
def check(model: ModelName, scenario: Scenarios = None, as_json: AsJson = False) -> None:
    """Check a model and all its scenarios: names, units, structure, and bounds at base values."""

    def work() -> dict[str, Any]:
        from qalyst.checks import check_model

        return check_model(model, tuple(scenario or ()))

    def tell(found: dict[str, Any]) -> None:
        from qalyst.report import terminal

        terminal.checked(found)

    answer(work, tell, as_json)


@app.command(epilog="Example: qalyst show hiv --scenario half_cycle")
def show(
    model: ModelName, scenario: Scenarios = None, values: Values = None, as_json: AsJson = False
) -> None:
    """Show the resolved model: its diagram, rows, parameters with sources, and timing ledger."""
    resolved: list[ResolvedModel] = []

    def work() -> dict[str, Any]:
        from qalyst.report.shown import shown_model

        resolved.append(load(model, scenario, values))
        return shown_model(resolved[0])

    def tell(found: dict[str, Any]) -> None:
        from qalyst.report import terminal

        terminal.shown(resolved[0], found, values or ())

    answer(work, tell, as_json)

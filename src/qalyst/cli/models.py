"""Commands about models: list, check, show."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from qalyst.cli.answering import answer
from qalyst.cli.application import app, examples
from qalyst.cli.options import AsJson, ModelName, Scenarios, Values, load

if TYPE_CHECKING:
    from qalyst.model.resolved import ResolvedModel


@app.command("list", epilog=examples("qalyst list"))
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


@app.command(epilog=examples("qalyst check models/nelm.yaml"))
def check(model: ModelName, scenario: Scenarios = None, as_json: AsJson = False) -> None:
    """Check a model and each of its scenarios.

    Names, units and structure; and whether base values keep to their bounds.
    """

    def work() -> dict[str, Any]:
        from qalyst.commands.check import check_model

        return check_model(model, tuple(scenario or ()))

    def tell(found: dict[str, Any]) -> None:
        from qalyst.report import terminal

        terminal.checked(found)

    answer(work, tell, as_json)


@app.command(epilog=examples("qalyst show hiv --scenario half_cycle"))
def show(
    model: ModelName, scenario: Scenarios = None, values: Values = None, as_json: AsJson = False
) -> None:
    """Show the model that is run: rows, parameters, sources.

    Its diagram, every parameter with its source, and when each row is counted and discounted.
    """
    resolved: list[ResolvedModel] = []

    def work() -> dict[str, Any]:
        from qalyst.report.shown import shown_model

        resolved.append(load(model, scenario, values))
        return shown_model(resolved[0])

    def tell(found: dict[str, Any]) -> None:
        from qalyst.report import terminal

        terminal.shown(resolved[0], found, values or ())

    answer(work, tell, as_json)

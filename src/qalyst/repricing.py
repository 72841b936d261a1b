"""Other prices, discount rates and thresholds on quantities that are known: no new simulation.

A total is the sum over cells of quantity times price. So what enters prices alone is answered by
a product; whatever changes a quantity needs a new run, and it is said why.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np

from qalyst.analysis import Analysis, analyse
from qalyst.axes import OUTCOME, PATIENT, STATE, Float
from qalyst.engines.engine import Engine
from qalyst.errors import ModelError, nearest
from qalyst.model.evaluate import Evaluator
from qalyst.model.names import PRICE, expressions, names_below
from qalyst.model.resolved import ResolvedModel
from qalyst.model.weights import at_rates
from qalyst.outcomes import ROW, Outcomes, Rates
from qalyst.params.draws import BaseCase, Values
from qalyst.params.guidelines import Guideline
from qalyst.params.parameter import Parameter, Path, show_path
from qalyst.revalued import with_prices, with_rates
from qalyst.saved_runs import SavedRun
from qalyst.simulation import (
    base_case,
    draws_of,
    engine_for,
    individuals_for,
    simulate,
    simulate_points,
)
from qalyst.units import currencies

QALY = "QALY"  # what thresholds and shortfalls of guidelines are counted in
Kept = Mapping[tuple[str, Path], float]  # (record, path) -> share of the drawn value that is left


@dataclass(frozen=True)
class Question:
    """What is asked of a run.

    Attributes
    ----------
    values : parameter (or ``table[label]``) -> its new value, in the unit of its record.
    discounts : parameter (or ``table[label]``) -> the share that is taken off in every draw.
    rates : other discount rates; those of the model if None.
    thresholds : other willingness to pay; that of the model if empty.
    """

    values: Mapping[str, float] = field(default_factory=dict)
    discounts: Mapping[str, float] = field(default_factory=dict)
    rates: Rates | None = None
    thresholds: tuple[float, ...] = ()


@dataclass(frozen=True)
class Answer:
    """The decision as it is then.

    Attributes
    ----------
    analysis : the decision analysis.
    new_run : why the model had to be run again; empty if it was not.
    """

    analysis: Analysis
    new_run: tuple[str, ...]


class _Reduced:
    """Values of parameters, some of which are reduced by a share."""

    def __init__(self, values: Values, kept: Kept) -> None:
        self._values, self._kept = values, kept

    def cell(self, name: str, path: Path) -> Float:
        """[draw] of a cell, reduced."""
        return self._values.cell(name, path) * self._kept.get((name, path), 1.0)

    def curve(self, name: str, labels: Path) -> dict[str, Float]:
        """[draw] of each parameter of a curve."""
        return self._values.curve(name, labels)


def answer(
    run: SavedRun, question: Question, *, threads: int | None = None, may_run: bool = True
) -> Answer:
    """The decision of a run under other prices, discount rates or thresholds.

    Prices, rates and thresholds are answered from the quantities of the run; the result is that of
    a fresh run with ``--set``, to rounding. What needs a new run is run again.

    Parameters
    ----------
    run : a run that was kept; see `saved_runs.read_run`.
    question : what is other than in the run.
    threads : of a new run.
    may_run : whether to run again where that is needed.

    Raises
    ------
    ModelError
        A name or a value that the model cannot have; or a new run is needed and not wanted.
    """
    old = run.identity.load()
    _check_names(old, question)
    fixed, kept = _split_discounts(old, question.discounts)
    values = {**question.values, **fixed}
    model = run.identity.load(values) if values else old
    reasons = reasons_for_a_new_run(run, old, question)
    if reasons and not may_run:
        raise ModelError(
            f"this needs a new run: {'; '.join(reasons)}",
            where="command line  --no-run",
            mend="leave out --no-run, or keep to prices",
        )
    if question.rates is not None:
        model = at_rates(model, question.rates)
    if question.thresholds:
        decision = replace(model.decision, thresholds=question.thresholds)
        model = replace(model, decision=decision)
    if reasons:
        base, psa = _run_again(run, model, kept, threads)
    else:
        base, psa = _priced_again(run, old, model, kept, question.rates)
    design = run.identity.design(model if reasons else old)
    found = analyse(model, base, psa, seed=run.identity.seed, design=design)
    return Answer(found, tuple(reasons))


def by_guideline(
    model: ResolvedModel, question: Question, guideline: Guideline
) -> tuple[Question, list[str]]:
    """The question at the rates of a guideline, and what must be said about it.

    Its thresholds are taken if none are asked for and they are in the money of the model, for the
    QALY that the model counts.
    """
    question = replace(question, rates=guideline.rates)
    if question.thresholds or not guideline.wtp:
        return question, []
    own = money_of(model)
    name, taken = guideline.guideline, "those of the model were taken"
    if own != guideline.currency:
        note = (
            f"thresholds of {name} are in {guideline.currency}, costs of the model "
            f"in {own or 'no currency'}: {taken}"
        )
        return question, [note]
    unit = effect_unit(model)
    if unit != QALY:
        return question, [f"thresholds of {name} are for a QALY, the effect is in {unit}: {taken}"]
    return replace(question, thresholds=guideline.wtp), []


def effect_unit(model: ResolvedModel) -> str:
    """The unit of the effect that is compared, as it is written; `nothing` without one."""
    effect = model.decision.effect
    known = effect is not None and effect in model.outcomes
    return model.outcomes[str(effect)].unit_text if known else "nothing"


def money_of(model: ResolvedModel) -> str | None:
    """The currency of the costs that are compared; None without them."""
    cost = model.decision.cost
    if cost is None or cost not in model.outcomes:
        return None
    return next(iter(currencies(model.outcomes[cost].unit)), None)


def reasons_for_a_new_run(run: SavedRun, model: ResolvedModel, question: Question) -> list[str]:
    """Why a question cannot be answered from the quantities of a run; empty if it can.

    Parameters
    ----------
    run : the run.
    model : the model that was run.
    question : what is asked.
    """
    names = [*question.values, *question.discounts]
    found = []
    for name, places in elsewhere(model, names).items():
        more = f" and {len(places) - 1} more" if len(places) > 1 else ""
        found.append(f"'{name}' changes quantities ({places[0]}{more})")
    rates = question.rates
    if rates is not None and rates not in run.base.rates:
        found.append(f"the run kept no totals at these rates ({rates})")
    if not names and rates is None:
        return found
    outcomes = run.psa or run.base
    if outcomes.patients:
        found.append("the spread between patients is known at the prices and rates of the run only")
    elif outcomes.by_patient.sizes[PATIENT] > 1:
        found.append("the sampled patients are known at the prices and rates of the run only")
    if names and run.psa is not None and not run.psa.kept_by_draw:
        found.append("the run was too long to keep the quantities of each draw")
    return found


def elsewhere(model: ResolvedModel, names: list[str]) -> dict[str, list[str]]:
    """Name -> where a model reads it other than in prices; names that enter prices alone are out.

    Parameters
    ----------
    model : the resolved model.
    names : of parameters, or ``table[label]``.
    """
    found: dict[str, list[str]] = {}
    for expression, scope in expressions(model):
        if scope is PRICE:
            continue
        below = names_below(model, expression)
        for name in names:
            if _record(name) in below:
                found.setdefault(name, []).append(expression.where)
    return found


# -- a product


def _priced_again(
    run: SavedRun,
    old: ResolvedModel,
    model: ResolvedModel,
    kept: Kept,
    rates: Rates | None,
) -> tuple[Outcomes, Outcomes | None]:
    """The base case and the draws of a run with the prices of another model."""
    base, psa = run.base, run.psa
    if kept or model.parameters != old.parameters:
        engine = engine_for(old)

        def priced(outcomes: Outcomes, values: Values) -> Outcomes:
            prices = _prices(engine, old, outcomes, _Reduced(values, kept))
            return with_prices(outcomes, np.broadcast_to(prices, (outcomes.draws, prices.shape[1])))

        base = priced(base, BaseCase(model.parameters))
        if psa is not None:
            identity = run.identity
            design = identity.design(old)
            drawn = draws_of(model, identity.seed, np.arange(psa.draws), design)
            psa = priced(psa, drawn)
    if rates is not None:
        base = with_rates(base, rates)
        psa = None if psa is None else with_rates(psa, rates)
    return base, psa


def _prices(engine: Engine, model: ResolvedModel, outcomes: Outcomes, values: Values) -> Float:
    """[draw, cell] prices of the cells of a run, for other values of the parameters."""
    kept = outcomes.quantities
    labels = zip(*(kept[key].values for key in (OUTCOME, ROW, STATE, "price_text")), strict=True)
    wanted = [tuple(map(str, label)) for label in labels]
    if _cell_labels(engine)[: len(wanted)] != wanted:
        base_case(model, engine, threads=1)  # its trace by state may count cells that come later
    if _cell_labels(engine)[: len(wanted)] != wanted:
        raise ModelError(
            "the quantities of the run are not those of this version of qalyst",
            where=model.file,
            mend="run the model again",
        )
    timing = model.timing
    evaluate = Evaluator(model.parameters, values, timing.cycle, timing.cycles)
    cells = engine.shared.cells[: len(wanted)]
    found = [engine.shared.price(evaluate, cell) for cell in cells]
    return np.stack(np.broadcast_arrays(*found), axis=1) if found else np.zeros((1, 0))


def _cell_labels(engine: Engine) -> list[tuple[str, str, str, str]]:
    payoffs = engine.shared.model.payoffs
    return [
        (payoffs[cell.payoff].outcome, payoffs[cell.payoff].name, cell.state, str(cell.price))
        for cell in engine.shared.cells
    ]


# -- a new run


def _run_again(
    run: SavedRun, model: ResolvedModel, kept: Kept, threads: int | None
) -> tuple[Outcomes, Outcomes | None]:
    identity = run.identity
    if identity.patients is None:
        engine = engine_for(model)
    else:
        engine = individuals_for(
            model,
            patients=identity.patients,
            seed=identity.seed,
            luck=identity.luck,  # type: ignore[arg-type]
        )
    # what is kept is drawn, so the engine reads its base value from the model that it is given
    base = base_case(_with_base_values(model, kept), engine, threads=threads)
    draws, seed = identity.draws, identity.seed
    if draws is None:
        return base, None
    design = identity.design(model)
    if not kept:
        psa = simulate(model, draws=draws, seed=seed, design=design, engine=engine, threads=threads)
        return base, psa
    drawn = draws_of(model, seed, np.arange(draws), design)
    changes = {
        (name, path): drawn.raw(model.parameters[name], path) * share
        for (name, path), share in kept.items()
    }
    psa = simulate_points(model, changes, seed=seed, design=design, engine=engine, threads=threads)
    return base, psa


def _with_base_values(model: ResolvedModel, kept: Kept) -> ResolvedModel:
    """The model with the base values that are left of some cells."""
    parameters = dict(model.parameters)
    for (name, path), share in kept.items():
        parameter = parameters[name]
        left = {**parameter.values, path: parameter.values[path] * share}
        parameters[name] = replace(parameter, values=left)
    return replace(model, parameters=parameters)


# -- names


def _record(name: str) -> str:
    """The record that a name or a cell belongs to."""
    return name.partition("[")[0].strip()


def cells_of(parameters: Mapping[str, Parameter], name: str) -> list[tuple[str, Path]]:
    """The cells that a name stands for: one, or all of a table.

    Raises
    ------
    ModelError
        No parameter, or no cell, has this name.
    """
    record, bracket, _ = name.partition("[")
    record = record.strip()
    if record not in parameters:
        raise ModelError(
            f"no parameter '{record}'",
            where=f"command line  {name}",
            mend=nearest(record, parameters),
        )
    paths = list(parameters[record].values)
    if not bracket:
        return [(record, path) for path in paths]
    wanted = name[len(record) :].replace(" ", "")
    found = [path for path in paths if show_path(path).replace(" ", "") == wanted]
    if not found:
        raise ModelError(
            f"'{record}' has no cell {wanted}",
            where=f"command line  {name}",
            mend=nearest(wanted, map(show_path, paths)),
        )
    return [(record, found[0])]


def _check_names(model: ResolvedModel, question: Question) -> None:
    """Refuse what the model does not have, does not use, or is asked for twice."""
    asked = {"new value": question.values, "discount": question.discounts}
    seen: dict[tuple[str, Path], str] = {}
    for what, names in asked.items():
        for name in names:
            where = f"command line  {name}"
            for cell in cells_of(model.parameters, name):
                if cell in seen:
                    raise ModelError(
                        f"'{cell[0]}{show_path(cell[1])}' is asked for twice, "
                        f"by '{seen[cell]}' and as a {what} of '{name}'",
                        where=where,
                        mend="keep one of the two",
                    )
                seen[cell] = name
            if _record(name) not in model.used_parameters:
                raise ModelError(
                    f"the model does not use '{_record(name)}', so nothing would change",
                    where=where,
                    mend=nearest(_record(name), model.used_parameters),
                )
    for name, share in question.discounts.items():
        if not 0 <= share <= 1:
            raise ModelError(
                f"a discount of {100 * share:g} % on '{name}'",
                where=f"command line  {name}",
                mend="write a per cent from 0 to 100",
            )


def _split_discounts(
    model: ResolvedModel, discounts: Mapping[str, float]
) -> tuple[dict[str, float], Kept]:
    """New values of the cells that no draw changes, and what is left of those that draws change.

    Cell by cell: a table may have both, if one of its cells was set.
    """
    fixed: dict[str, float] = {}
    kept: dict[tuple[str, Path], float] = {}
    for name, share in discounts.items():
        for record, path in cells_of(model.parameters, name):
            parameter = model.parameters[record]
            if _is_drawn(parameter, path):
                kept[record, path] = 1 - share
            else:
                fixed[f"{record}{show_path(path)}"] = parameter.values[path] * (1 - share)
    return fixed, kept


def _is_drawn(parameter: Parameter, path: Path) -> bool:
    from qalyst.stats.uncertainty import Fixed

    family = parameter.uncertainty.get(path)
    return parameter.joint is not None or (family is not None and not isinstance(family, Fixed))

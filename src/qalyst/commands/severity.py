"""What `qalyst severity` does: the shortfall of patients of a run, and the decision it gives."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from qalyst.analysis import Analysis, analyse
from qalyst.axes import OUTCOME, STRATEGY
from qalyst.decision.severity import (
    Band,
    Shortfall,
    quality_adjusted_life_expectancy,
    shortfall,
)
from qalyst.errors import ModelError, nearest
from qalyst.outcomes import DISCOUNTED, Outcomes
from qalyst.params.guidelines import Guideline, Severity
from qalyst.params.populations import general_population
from qalyst.report.run_data import run_data
from qalyst.repricing import QALY, Question, answer, by_guideline, effect_unit, money_of
from qalyst.saved_runs import read_run

if TYPE_CHECKING:
    from qalyst.model.resolved import ResolvedModel


def severity_of(
    folder: Path,
    guideline: Guideline,
    *,
    strategy: str,
    age: float,
    female: float,
    life_table: str | None = None,
    norm: str | None = None,
    threads: int | None = None,
) -> tuple[Analysis, dict[str, Any]]:
    """The severity of a condition by a guideline, and the decision with its weight or threshold.

    Parameters
    ----------
    folder : of a run that was kept.
    guideline : gives rates, cut-offs and, unless others are named, the general population.
    strategy : established care, under which QALYs are lost.
    age : of the patients at the start, years.
    female : share of women among them.
    life_table, norm : parameter files of another general population.
    threads : of a new run, if the run kept no totals at the rates of the guideline.

    Raises
    ------
    ModelError
        A guideline without severity, effects that are no QALYs, or a strategy that is not there.
    """
    rule = guideline.severity
    if rule is None:
        raise ModelError(
            f"the guideline '{guideline.guideline}' does not weigh severity",
            where="command line  --guideline",
            mend="name one that does; `qalyst guidelines` says which",
        )
    if not 0 <= female <= 1:
        raise ModelError(
            f"{female:g} is no share of women",
            where="command line  --female",
            mend="write a share from 0 to 1",
        )
    run = read_run(folder)
    model = run.identity.load()
    effect = _qalys(model)
    question, said = by_guideline(model, Question(), guideline)
    found = answer(run, question, threads=threads)
    analysis = found.analysis
    if strategy not in analysis.model.strategies:
        raise ModelError(
            f"no strategy '{strategy}'",
            where="command line  --strategy",
            mend=nearest(strategy, analysis.model.strategies),
        )
    tables = _tables(rule, life_table, norm)
    general = _expected(*tables, age=age, female=female, rate=guideline.rates.effects)
    outcomes = analysis.psa or analysis.base
    disease = outcomes.total(effect).sel({STRATEGY: strategy}).to_numpy()
    severity = shortfall(general, disease, _bands(rule), decimals=rule.decimals)
    decided = _decided(analysis, guideline, severity, effect)
    identity = run.identity
    plain = run_data(decided, seed=identity.seed, draws=identity.draws, patients=identity.patients)
    return decided, {
        "run": str(folder),
        "guideline": guideline.guideline,
        "strategy": strategy,
        "age": age,
        "female": female,
        "life_table": tables[0],
        "norm": tables[1],
        "discount_effects": guideline.rates.effects,
        "qalys_general_population": severity.general,
        "qalys_patients": severity.disease,
        "absolute_shortfall": severity.absolute,
        "proportional_shortfall": severity.proportional,
        "gives": rule.gives,
        "currency": guideline.currency,
        "value": severity.value if rule.gives == "threshold" else severity.value or 1.0,
        "chances": [
            {"value": 1.0 if value is None and rule.gives == "weight" else value, "share": share}
            for value, share in severity.chances.items()
        ],
        "incremental": plain["incremental"] or plain["base_case_incremental"],
        "thresholds": plain["thresholds"],
        "new_run": list(found.new_run),
        "notes": [*said, *_notes(severity, decided.model, guideline)],
    }


def _qalys(model: ResolvedModel) -> str:
    """The effect of the model, which must be QALYs."""
    effect, unit = model.decision.effect, effect_unit(model)
    if effect is None or unit != QALY:
        raise ModelError(
            f"the effect of '{model.name}' is in {unit}",
            where=f"{model.file}  decision.effect",
            mend="a shortfall is one of QALYs: compare by an outcome in QALY",
        )
    return effect


def _tables(rule: Severity, life_table: str | None, norm: str | None) -> tuple[str, str]:
    own = rule.population
    life_table = life_table or (own.life_table if own else None)
    norm = norm or (own.norm if own else None)
    if life_table is None or norm is None:
        raise ModelError(
            "the guideline names no general population",
            where="command line  --life-table, --norm",
            mend="name parameter files with a table by sex and age each",
        )
    return life_table, norm


def _expected(life_table: str, norm: str, *, age: float, female: float, rate: float) -> float:
    """Expected discounted QALYs of the general population."""
    people = general_population(life_table, norm, "command line  --life-table, --norm")
    found = {
        sex: quality_adjusted_life_expectancy(
            people.hazards[sex], people.utilities[sex], age=age, rate=rate
        )
        for sex in people.hazards
    }
    return female * found["female"] + (1 - female) * found["male"]


def _bands(rule: Severity) -> list[Band]:
    found = []
    for band in rule.bands:
        value = band.weight if rule.gives == "weight" else band.threshold
        assert value is not None  # the loader saw to it
        found.append(Band(band.absolute, band.proportional, value))
    return found


def _decided(
    analysis: Analysis, guideline: Guideline, severity: Shortfall, effect: str
) -> Analysis:
    """The decision with weighted QALYs, or at the threshold of the severity."""
    model, rule = analysis.model, guideline.severity
    if severity.value is None or rule is None:
        return analysis
    if rule.gives == "threshold":
        if money_of(model) != guideline.currency:
            return analysis
        decision = replace(model.decision, thresholds=(severity.value,))
        return analyse(replace(model, decision=decision), analysis.base, analysis.psa)
    weight = severity.value

    def weighted(outcomes: Outcomes) -> Outcomes:
        totals = outcomes.totals.copy(deep=True)
        totals[DISCOUNTED].loc[{OUTCOME: effect}] *= weight
        return replace(outcomes, totals=totals)

    psa = None if analysis.psa is None else weighted(analysis.psa)
    return analyse(model, weighted(analysis.base), psa)


def _notes(severity: Shortfall, model: ResolvedModel, guideline: Guideline) -> list[str]:
    found = []
    gives = guideline.severity.gives if guideline.severity else ""
    if (
        gives == "threshold"
        and severity.value is not None
        and money_of(model) != guideline.currency
    ):
        found.append(
            f"the threshold is in {guideline.currency}, costs of the model in "
            f"{money_of(model) or 'no currency'}: the decision is at those of the model"
        )
    if severity.absolute < 0:
        found.append("patients expect more QALYs than the general population: check age and sex")
    if len(severity.chances) > 1:
        found.append("draws differ in what the severity gives; the mean QALYs decide")
    return found

"""What a reader must know before trusting a result: notes of the model, and doubts."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from qalyst.axes import OUTCOME, PATIENT, STATE, STRATEGY, WTP
from qalyst.report.convergence_words import design_note, threshold_words, unsettled
from qalyst.report.labels import currency, outcome_label, strategy_label
from qalyst.report.numbers import money, percent, short
from qalyst.report.words import choices, headline

if TYPE_CHECKING:
    from qalyst.analysis import Analysis

ALIVE_AT_HORIZON = 0.01
LOUD = 0.05  # share of noise in the variance between draws


def notes(analysis: Analysis) -> list[str]:
    """Notes of the model, then warnings about the result."""
    found = list(analysis.model.notes)
    found += _assumptions(analysis)
    found += _truncated(analysis)
    found += _uncertainty(analysis)
    found += _patients(analysis)
    found += _sample(analysis)
    if analysis.compares:
        found += _two_answers(analysis)
        found += unsettled(analysis) if analysis.varies else []
    found += design_note(analysis)
    return found


def counts_by_status(analysis: Analysis) -> dict[str, int]:
    """How many of the parameters that the model reads are retrieved, recalled, assumptions."""
    used = [analysis.model.parameters[name].status for name in analysis.model.used_parameters]
    return {status: used.count(status) for status in ("retrieved", "recalled", "assumption")}


def _assumptions(analysis: Analysis) -> list[str]:
    counts, total = counts_by_status(analysis), len(analysis.model.used_parameters)
    found = []
    if counts["assumption"]:
        found.append(f"{counts['assumption']} of {total} parameters are assumptions.")
    if counts["recalled"]:
        found.append(
            f"{counts['recalled']} of {total} parameters were written from memory and not checked "
            "against their source."
        )
    return found


def _truncated(analysis: Analysis) -> list[str]:
    """People who are still in the model when it ends."""
    trace = analysis.base.trace
    if trace is None or analysis.model.is_tree:
        return []
    states = analysis.model.states
    gone = np.array([states[str(state)].absorbing for state in trace[STATE].to_numpy()])
    if not gone.any():
        return []
    last = trace.isel(point=-1).transpose(STRATEGY, "place").to_numpy()
    left = last[:, ~gone].sum(axis=1)
    names = [str(name) for name in trace[STRATEGY].to_numpy()]
    most, least = int(left.argmax()), int(left.argmin())
    if left[most] <= ALIVE_AT_HORIZON:
        return []
    words = f"{percent(float(left[most]))} of the cohort"
    if len(names) > 1:
        words += f" with {strategy_label(analysis.model, names[most])} (with others, "
        words += f"{percent(float(left[least]))} or more)"
    return [
        f"At the horizon {words} is not yet in an absorbing state: what happens later does not "
        "count."
    ]


def _patients(analysis: Analysis) -> list[str]:
    """How much of the spread between draws is the luck of their patients."""
    outcomes = analysis.psa or analysis.base
    if not outcomes.patients:
        return []
    found = [
        f"Patient by patient: {outcomes.patients:,} in each draw; the deterministic results are "
        f"means of {analysis.base.patients:,} patients."
        if analysis.psa
        else f"Patient by patient: all results are means of {outcomes.patients:,} patients."
    ]
    noisy = [
        split.noise / (split.noise + split.parameters)
        for split in analysis.variance
        if split.comparator is not None and split.parameters is not None and split.noise > 0
    ]
    if noisy and max(noisy) > LOUD:
        found.append(
            f"The luck of the patients is up to {percent(max(noisy))} of the variance of an "
            "incremental net benefit between draws: probabilities, and the curve of EVPI, hold it "
            "too. More patients in each draw make it smaller."
        )
    if analysis.information:
        found.append(
            "EVPI at the thresholds is by regression on the inputs, without the patients' luck."
        )
    return found


def _sample(analysis: Analysis) -> list[str]:
    """What the sample of patients leaves open if the model has attributes."""
    from qalyst.decision.sample import sample_error

    model = analysis.model
    totals = (analysis.psa or analysis.base).by_patient
    if totals.sizes[PATIENT] < 2:
        return []
    errors = []
    if analysis.compares and model.decision.thresholds:
        code, comparator = currency(model, analysis.cost), headline(analysis).rows[0].strategy
        cost, effect = (totals.sel({OUTCOME: o}) for o in (analysis.cost, analysis.effect))
        for wtp in model.decision.thresholds:
            net = wtp * effect - cost
            error = sample_error(net - net.sel({STRATEGY: comparator}))
            worst = str(error.idxmax(STRATEGY).item())
            errors.append(
                f"{money(float(error.max()), code, significant=2)} at "
                f"{threshold_words(analysis, wtp)} "
                f"({strategy_label(model, worst)} against {strategy_label(model, comparator)})"
            )
        of = "an incremental net benefit"
    else:
        of = "the outcomes"
        for outcome in model.outcomes:
            error = sample_error(totals.sel({OUTCOME: outcome}))
            worst = str(error.idxmax(STRATEGY).item())
            errors.append(
                f"{short(float(error.max()), significant=2)} of {outcome_label(model, outcome)} "
                f"({strategy_label(model, worst)})"
            )
    return [
        f"{model.patients_sampled} sampled patients stand for each profile. The standard error "
        f"that this leaves of {of} is {', '.join(errors)}: that of independent patients, an upper "
        "bound since the sample is stratified. A larger `patients_sampled` makes it smaller."
    ]


def _uncertainty(analysis: Analysis) -> list[str]:
    if analysis.psa is None:
        return ["The uncertainty was not analysed: all results are of the base case."]
    if analysis.psa.draws > 1 and not analysis.varies:
        return ["No parameter of the model is uncertain: all draws are equal."]
    return []


def _two_answers(analysis: Analysis) -> list[str]:
    """Thresholds at which base case and means over draws disagree."""
    from qalyst.decision.cea import optimal

    if analysis.incremental is None or analysis.base_incremental is None:
        return []
    model, found = analysis.model, []
    for choice in choices(analysis):
        rows = analysis.base_incremental.rows
        base = optimal(
            {row.strategy: row.cost for row in rows},
            {row.strategy: row.effect for row in rows},
            choice.wtp,
        )
        best = base.is_optimal.isel({WTP: 0})
        names = {str(name) for name in best[STRATEGY].values[best.values]}
        if not names & set(choice.strategies):
            found.append(
                f"At {threshold_words(analysis, choice.wtp)} the base case favours "
                f"{' and '.join(strategy_label(model, name) for name in sorted(names))}, the means "
                f"over draws {strategy_label(model, choice.strategies[0])}; the means count."
            )
    return found

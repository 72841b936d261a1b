from dataclasses import replace

import numpy as np
import pytest

from qalyst.analysis import analyse
from qalyst.outcomes import totals_dataset
from qalyst.report.notes import notes
from qalyst.report.words import choices, committee_sentence


def with_totals(analysis, costs, qalys, *, draws=50, spread=1.0, thresholds=(20_000.0,)):
    """The analysis of invented totals [strategy]; each draw changes costs by up to `spread` %."""
    model = replace(
        analysis.model, decision=replace(analysis.model.decision, thresholds=thresholds)
    )
    values = np.stack([costs, qalys, qalys], axis=-1)[None].astype(float)
    names = list(model.strategies), list(model.outcomes)
    base = replace(analysis.base, totals=totals_dataset(np.stack([values] * 2, -1), *names))
    if not draws:
        return analyse(model, base)
    scale = 1 + spread / 100 * np.sin(np.arange(draws))[:, None, None]
    drawn = values * np.concatenate([scale, np.ones((draws, 1, 2))], axis=2)
    return analyse(
        model, base, replace(analysis.psa, totals=totals_dataset(np.stack([drawn] * 2, -1), *names))
    )


def test_it_names_strategy_threshold_probability_error_and_cost(three):
    sentence = committee_sentence(three)
    (low, middle, high) = choices(three)
    assert low.strategies == middle.strategies == ("generic",)
    assert high.strategies == ("infusion",)
    assert high.mcse == pytest.approx(np.sqrt(high.probability * (1 - high.probability) / 100))
    assert "At EUR 20,000 and EUR 30,000 per QALY the best value is Generic tablet" in sentence
    assert "at EUR 50,000 per QALY the best value is Monthly infusion" in sentence
    assert f"(probability {100 * high.probability:.0f} %" in sentence
    assert f"Monte Carlo standard error {100 * high.mcse:.1f} points)" in sentence
    icer = three.incremental["infusion"].icer
    assert f"EUR {icer:,.0f} per QALY" in sentence
    assert sentence.endswith(", from 100 draws.")


def test_thresholds_with_one_choice_are_told_together(two):
    assert "each threshold from EUR 20,000 to EUR 50,000 per QALY" in committee_sentence(two)


def test_dominance_is_called_dominance(two):
    sentence = committee_sentence(with_totals(two, costs=[300, 200], qalys=[1, 2]))
    assert "it dominates Watchful waiting" in sentence
    assert "(in every draw)" in sentence
    assert "at EUR 200 per person" in sentence


def test_equal_strategies_are_called_equal(two):
    sentence = committee_sentence(with_totals(two, costs=[200, 200], qalys=[2, 2]))
    assert "Watchful waiting and Generic tablet are equally good value" in sentence
    assert "they cost EUR 200 per person" in sentence


def test_equal_strategies_without_a_threshold_are_called_equal(two):
    tied = with_totals(two, costs=[200, 200], qalys=[2, 2], thresholds=())
    assert "Watchful waiting and Generic tablet are equal in cost and effect" in (
        committee_sentence(tied)
    )


def test_a_threshold_that_is_the_icer_makes_equals(two):
    tied = with_totals(two, costs=[0, 20_000], qalys=[1, 2], spread=0)
    (choice,) = choices(tied)
    assert choice.strategies == ("watch", "generic")
    assert choice.probability == 1


def test_without_thresholds_there_is_an_icer_and_no_probability(two):
    sentence = committee_sentence(
        with_totals(two, costs=[1_000, 4_000], qalys=[1, 1.5], thresholds=())
    )
    assert "Generic tablet costs EUR 3,000 more than Watchful waiting for 0.5 more" in sentence
    assert "EUR 6,000 per QALY" in sentence
    assert "names no threshold" in sentence
    assert "probability" not in sentence


def test_without_thresholds_a_longer_frontier_is_told_in_order(three):
    sentence = committee_sentence(
        with_totals(three, costs=[0, 1_000, 4_000], qalys=[1, 2, 3], thresholds=())
    )
    first, then = sentence.index("first Watchful waiting"), sentence.index("then Generic tablet")
    assert first < then < sentence.index("then Monthly infusion")
    assert "from EUR 1,000" in sentence
    assert "from EUR 3,000" in sentence


def test_without_draws_it_says_so(undrawn):
    sentence = committee_sentence(undrawn)
    assert "uncertainty was not analysed" in sentence
    assert "probability" not in sentence


def test_one_strategy_has_nothing_to_compare(one):
    sentence = committee_sentence(one)
    assert "Generic tablet is the only strategy, so there is nothing to compare" in sentence
    assert "QALYs 5." in sentence


def test_outcomes_without_a_cost_make_no_decision(three):
    model = replace(three.model, decision=replace(three.model.decision, cost=None))
    assert "no cost and effect to compare" in committee_sentence(analyse(model, three.base))


def test_a_model_without_uncertainty_gives_no_probability(two):
    fixed = {
        name: replace(parameter, uncertainty={}, joint=None)
        for name, parameter in two.model.parameters.items()
    }
    sentence = committee_sentence(replace(two, model=replace(two.model, parameters=fixed)))
    assert "no parameter of the model is uncertain" in sentence


def test_notes_warn_of_survivors_at_the_horizon(three):
    (warning,) = [note for note in notes(three) if "horizon" in note]
    left = 1 - three.base.trace.sel(strategy="infusion", place="dead").isel(point=-1).item()
    assert f"{100 * left:.0f} % of the cohort with Monthly infusion" in warning


def test_notes_warn_where_draws_are_too_few_to_choose(two):
    close = with_totals(two, costs=[0, 19_990], qalys=[1, 2], spread=5)
    assert any("too few to tell" in note for note in notes(close))


def test_notes_count_assumptions(three):
    used = [three.model.parameters[name].status for name in three.model.used_parameters]
    count = used.count("assumption")
    assert f"{count} of {len(used)} parameters are assumptions." in notes(three)

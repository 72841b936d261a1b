"""One fault each, and the words that the message must hold: what, where, how to mend it."""

from __future__ import annotations

from pathlib import Path

import pytest

from qalyst.checks import check_model
from qalyst.errors import ModelError, ModelErrors
from qalyst.model.resolve import load_model

HERE = Path(__file__).parent
MODEL = (HERE / "base.yaml").read_text()
PARAMETERS = (HERE / "base_parameters.yaml").read_text()

# fault, (text of the model -> other text), (of the parameters -> other text), words of the message
MODEL_FAULTS = {
    "a negative rate": ("strategy.hr_drug * hazard(slow, years)", "strategy.hr_drug * (0 - r_worsen)",
                        ["rate of 'worsen' is -0.2", "state stable", "0 or more"]),
    "probabilities over one": ('rate: "strategy.hr_drug * hazard(slow, years)"}\n  die:     {from: alive,  to: dead,  rate: "r_death[sex, age]"}',
                               'probability: "where(strategy.hr_drug == 1, 0.7, 0.6)"}\n  die:     {from: alive,  to: dead, probability: 0.6}',
                               ["sum to 1.3", "worsen, die", "state stable", "strategy old"]),
    "a misspelt parameter": ("price: c_dying", "price: c_dyin", ["unknown name 'c_dyin'", "did you mean 'c_dying'?", "base.yaml:40", "payoffs.costs.dying"]),
    "a misspelt column": ("state.utility", "state.utilty", ["no column 'utilty' in states", "did you mean 'state.utility'?"]),
    "a misspelt section": ("payoffs:", "payofs:", ["unknown section 'payofs'", "did you mean 'payoffs'?"]),
    "a misspelt key of a row": ("to: worse, rate", "to: worse, rat", ["unknown key 'rat'", "did you mean 'rate'?", "base.yaml:34"]),
    "an unknown state": ("from: stable, to: worse", "from: stabel, to: worse", ["unknown state 'stabel'", "did you mean 'stable'?"]),
    "an unknown treatment": ("old: {hr_drug: 1, ", "old: {sequence: [surgery], hr_drug: 1, ", ["unknown treatment 'surgery'", "old"]),
    "a column that nothing reads": ("c_drug: 0}", "c_drug: 0, colour: 1}", ["nothing reads the column 'colour'", "strategies"]),
    "a probability where a rate is due": ("strategy.hr_drug * hazard(slow, years)", "p_event", ["the rate of 'worsen' is in probability per year, not 1/year", "rate_of(p)"]),
    "a rate where a probability is due": ('rate: "strategy.hr_drug * hazard(slow, years)"', "probability: r_worsen", ["in 1/year, not probability per month", "probability_of(rate)"]),
    "a yearly probability in a monthly cycle": ('rate: "strategy.hr_drug * hazard(slow, years)"', "probability: p_event", ["in probability per year, not probability per month", "probability_of(rate_of(p))"]),
    "money and health added": ("price: c_dying", "price: c_dying + u_worse", ["USD and utility do not add"]),
    "a cost per year paid at an event": ("price: c_dying", "price: c_new", ["'dying' comes out in USD/year", "outcome 'costs' is in USD"]),
    "a hazard ratio times an event probability": ("strategy.hr_drug * hazard(slow, years)", "rate_of(hr_new * p_event)", ["hazard ratio times probability per year", "probability_of(hr * rate_of(p))"]),
    "a duplicate key": ("groups:", "groups:\n  alive: [stable]", ["the key 'alive' stands twice", "base.yaml:24", "base.yaml:25"]),
    "a cyclic definition": ("age: 60 + years", "age: 60 + old_age\n  old_age: age + 1", ["a definition uses itself", "age", "old_age"]),
    "a curve that uses itself": ('slow: {hazard: "0.5 * hazard(pfs, time)"}', 'slow: {hazard: "0.5 * hazard(slow, time)"}', ["uses itself", "curves.slow"]),
    "an attack expression": ("age: 60 + years", "age: \"__import__('os').system('true')\"", ["is not part of the language", "define.age", "base.yaml:27"]),
    "an attribute of an attribute": ("age: 60 + years", "age: years.real.imag", ["is not part of the language"]),
    "a lambda": ("age: 60 + years", 'age: "(lambda: 60)()"', ["is not part of the language"]),
    "a huge power": ("age: 60 + years", "age: 9**9**9**9", ["no number", "define.age"]),
    "a name defined twice": ("age: 60 + years", "age: 60 + years\n  c_new: 1", ["'c_new' is defined twice", "nothing shadows"]),
    "a table without its axes": ("r_death[sex, age]", "r_death", ["'r_death' is a table by sex, age", "write r_death[sex, age]"]),
    "a table with too few axes": ("r_death[sex, age]", "r_death[sex]", ["'r_death' is a table by sex, age"]),
    "a label missing in a table": ("female: 0.5, male: 0.5", "female: 0.5, mail: 0.5", ["has no label 'mail' on its axis sex", "did you mean 'male'?"]),
    "a number below the first step": ("age: 60 + years", "age: 40 + years", ["'r_death' starts at 50; asked for 40"]),
    "a curve used as a number": ("price: c_dying", "price: c_dying * pfs", ["'pfs' is a survival curve"]),
    "a clock in a price": ("price: c_dying", "price: years * c_dying", ["'years' means nothing in a price", "put what runs into `quantity`"]),
    "weights that do not sum to one": ("female: 0.5, male: 0.5", "female: 0.5, male: 0.4", ["weights of the profiles sum to 0.9"]),
    "rows out of an absorbing state": ("  die:     {from: alive", "  rise:    {from: dead, to: stable, rate: r_worsen}\n  die:     {from: alive", ["'dead' is absorbing", "rise"]),
    "a state without rows": ("  dead:   {absorbing: true}", "  dead:   {absorbing: true}\n  limbo:  {utility: 0}", ["no row leads out of 'limbo'", "absorbing: true"]),
    "rates and probabilities in one state": ('rate: "strategy.hr_drug * hazard(slow, years)"', "probability: probability_of(r_worsen)", ["'stable' mixes rates and probabilities", "worsen", "die"]),
    "rates without events per cycle": (", events_per_cycle: one", "", ["does not say `events_per_cycle`"]),
    "two events per cycle": ("events_per_cycle: one", "events_per_cycle: two", ["not available yet"]),
    "a horizon that is no whole number of cycles": ("horizon: 5 years", "horizon: 100 days", ["not a whole number of cycles", "base.yaml:5"]),
    "simpson with an odd number of cycles": ("horizon: 5 years, events_per_cycle: one, correction: half-cycle", "horizon: 61 months, events_per_cycle: one, correction: simpson", ["61 cycles contradict", "even"]),
    "exact with one_off": ("correction: half-cycle", "correction: exact, one_off: end", ["`correction: exact` and `one_off` contradict"]),
    "a correction that does not exist": ("correction: half-cycle", "correction: halfcycle", ["correction", "half-cycle", "base.yaml:5"]),
    "nobody starts": ("  begin:   {from: start,  to: stable}\n", "", ["nobody starts"]),
    "a chance without a rest": ("begin:   {from: start,  to: stable}", "begin:   {from: start,  to: stable, probability: p_branch}", ["no row of 'start' takes the rest (0.6)"]),
    "two rests": ("begin:   {from: start,  to: stable}", "begin:   {from: start,  to: stable}\n  again:   {from: start,  to: worse}", ["two rows of 'start' take the rest", "begin", "again"]),
    "an unknown transition in a payoff": ("{to: dead,   price", "{event: dye, price", ["no transition 'dye'", "did you mean 'die'?"]),
    "a payoff that counts nothing": ("{to: dead,   price", "{price", ["must say where it counts"]),
    "an unknown outcome": ("  qalys:\n    health", "  qaly:\n    health", ["payoffs of 'qaly'", "did you mean 'qalys'?"]),
    "a tag": ("age: 60 + years", "age: !!python/object/apply:os.system [true]", ["tags", "base.yaml:27"]),
    "an alias": ("groups:\n  alive: [stable, worse]", "groups:\n  alive: &a [stable, worse]\n  same: *a", ["anchors and aliases", "base.yaml:24"]),
    "not a number": ("discount: 0.03}\n  qalys", "discount: .nan}\n  qalys", [".nan", "finite number", "base.yaml:8"]),
    "infinity": ("discount: 0.03}\n  qalys", "discount: .inf}\n  qalys", [".inf", "finite number"]),
    "a discount rate above one": ("discount: 0.03}\n  qalys", "discount: 3}\n  qalys", ["discount rate of 'costs' is 3"]),
    "attributes": ("profiles:", "attributes:\n  bmi: {family: normal, mean: 25, sd: 3, unit: 1}\nprofiles:", ["`attributes:` is not available yet"]),
    "a model file of another name": ("model: base", "model: bases", ["called 'bases'", "base.yaml"]),
    "an unknown parameter file": ("parameters: [base]", "parameters: [bass]", ["no parameter file 'bass.yaml'", "did you mean 'base'?"]),
    "a parameter file by path": ("parameters: [base]", "parameters: [../base]", ["is not the name of a parameter file"]),
    "a threshold below zero": ("time:", "decision: {cost: costs, effect: qalys, thresholds: [-1]}\ntime:", ["threshold -1"]),
    "an unknown effect": ("time:", "decision: {cost: costs, effect: qaly}\ntime:", ["effect 'qaly' is no outcome", "did you mean 'qalys'?"]),
    "an unknown index": ("time:", "money: {currency: USD, year: 2025, index: us_pcee}\ntime:", ["no parameter 'us_pcee'", "did you mean 'us_pce'?"]),
    "another currency": ("time:", "money: {currency: GBP, year: 2024}\ntime:", ["is in USD", "money is GBP"]),
    "text in place of a row": ("dying:  {to: dead,   price: c_dying}", "dying: c_dying", ["'dying' is not a row"]),
    "an unknown scenario word": ("cheap: {parameters", "cheap: {paramters", ["'paramters'", "did you mean 'parameters'?"]),
    "an unknown parameter in a scenario": ("cheap: {parameters: {c_new", "cheap: {parameters: {c_nwe", ["no parameter 'c_nwe'", "did you mean 'c_new'?"]),
}  # fmt: skip

PARAMETER_FAULTS = {
    "a missing source": ("  source: {cite: assumption, locator: tests}\n", "", ["has no source", "hr_new", "add `source:"]),
    "a missing uncertainty": ("  uncertainty: {family: fixed, reason: made up}\n", "", ["has no uncertainty", "p_branch"]),
    "a beta whose se is too large": ("family: beta, se: 0.02", "family: beta, se: 0.5", ["uncertainty of 'p_event' is impossible", "0.3"]),
    "a negative standard error": ("family: beta, se: 0.02", "family: beta, se: -0.02", ["p_event", "se", "greater than 0"]),
    "an unknown family": ("family: beta, se: 0.02", "family: betta, se: 0.02", ["p_event", "betta"]),
    "a probability above one": ("value: 0.1, unit: probability per year", "value: 1.1, unit: probability per year", ["p_event"]),
    "a negative cost": ("value: 9000, unit: USD", "value: -9000, unit: USD", ["'c_dying' is -9000", "0 or more"]),
    "a value that is no number": ("value: 9000, unit: USD", "value: lots, unit: USD", ["'c_dying' value is 'lots', not a number"]),
    "not a number": ("value: 9000, unit: USD", "value: .nan, unit: USD", [".nan", "finite number"]),
    "infinity": ("value: 9000, unit: USD", "value: 1e999, unit: USD", ["1e999", "finite number"]),
    "a missing value": ("value: 9000, unit: USD", "unit: USD", ["'c_dying' has no value"]),
    "a misspelt unit": ("unit: 1/year}", "unit: 1/yr}", ["'yr' is not a unit", "did you mean 'year'?"]),
    "money without a price year": ("  price_year: 2024\n", "", ["has no price year", "c_new"]),
    "two price years without an index": ("{label: Dying, value: 9000, unit: USD}", "{label: Dying, value: 9000, unit: USD, price_year: 2010}", ["two price years without an index", "c_dying", "2010", "2024"]),
    "two currencies": ("{label: Dying, value: 9000, unit: USD}", "{label: Dying, value: 9000, unit: GBP}", ["comes out in GBP", "'costs' is in USD"]),
    "an unknown key": ("label: Dying, value", "label: Dying, vale: 1, value", ["unknown key 'vale'", "did you mean 'value'?", "base.yaml:16"]),
    "an unknown status": ("status: assumption", "status: guess", ["status", "retrieved", "guess"]),
    "a file outside the parameter folder": ("value: {female: {50: 0.01, 70: 0.03}, male: {50: 0.02, 70: 0.05}}", "file: ../../secret.csv", ["lies outside the parameter folder"]),
    "an absolute path": ("value: {female: {50: 0.01, 70: 0.03}, male: {50: 0.02, 70: 0.05}}", "file: /etc/passwd", ["lies outside the parameter folder"]),
    "a table file that does not exist": ("value: {female: {50: 0.01, 70: 0.03}, male: {50: 0.02, 70: 0.05}}", "file: rates.csv", ["no file 'rates.csv'"]),
    "an unknown survival family": ("curve: weibull", "curve: weibul", ["no survival family 'weibul'", "did you mean 'weibull'?"]),
    "a curve without its scale": ("value: {shape: 1.2, scale: 30}", "value: {shape: 1.2}", ["pfs", "scale"]),
    "a negative shape": ("value: {shape: 1.2, scale: 30}", "value: {shape: -1.2, scale: 30}", ["shape", "pfs"]),
    "a record twice": ("  c_dying:", "  c_new: {label: Again, value: 1, unit: USD/year}\n  c_dying:", ["'c_new' stands twice"]),
}  # fmt: skip


def folder_with(tmp_path: Path, model: str, parameters: str) -> str:
    (tmp_path / "models").mkdir()
    (tmp_path / "params").mkdir()
    (tmp_path / "models" / "base.yaml").write_text(model)
    (tmp_path / "params" / "base.yaml").write_text(parameters)
    indices = HERE.parents[1] / "params" / "indices.yaml"
    (tmp_path / "params" / "indices.yaml").write_text(indices.read_text())
    return str(tmp_path / "models" / "base.yaml")


def changed(text: str, old: str, new: str) -> str:
    assert old in text
    return text.replace(old, new)


def check_words(path: str, words: list[str]) -> None:
    with pytest.raises(ModelError) as caught:
        check_model(path)
    message = str(caught.value)
    for word in words:
        assert word in message, message
    assert "where:" in message
    assert "mend:" in message


def test_the_model_without_a_fault_passes(tmp_path):
    assert check_model(folder_with(tmp_path, MODEL, PARAMETERS))["strategies"] == ["old", "new"]


@pytest.mark.parametrize(("old", "new", "words"), MODEL_FAULTS.values(), ids=MODEL_FAULTS.keys())
def test_a_fault_of_the_model_is_told(tmp_path, old, new, words):
    check_words(folder_with(tmp_path, changed(MODEL, old, new), PARAMETERS), words)


@pytest.mark.parametrize(
    ("old", "new", "words"), PARAMETER_FAULTS.values(), ids=PARAMETER_FAULTS.keys()
)
def test_a_fault_of_the_parameters_is_told(tmp_path, old, new, words):
    check_words(folder_with(tmp_path, MODEL, changed(PARAMETERS, old, new)), words)


def test_all_mistakes_of_a_file_are_told_together(tmp_path):
    text = changed(MODEL, "price: c_dying", "price: c_dyin")
    text = changed(text, "state.utility", "state.utilty")
    with pytest.raises(ModelErrors) as caught:
        load_model(folder_with(tmp_path, text, PARAMETERS))
    assert len(caught.value.errors) == 2


def test_a_file_of_ten_megabytes_is_refused_before_it_is_read(tmp_path):
    bomb = "a: &a [x]\n" + "\n".join(f"k{i}: [" + "*a, " * 50 + "*a]" for i in range(40_000))
    assert len(bomb) > 8_000_000
    path = folder_with(tmp_path, bomb + " " * 2_000_000, PARAMETERS)
    check_words(path, ["MB are read"])


def test_a_bomb_of_aliases_is_refused_at_its_first_alias(tmp_path):
    bomb = "a: &a [x, x]\nb: &b [*a, *a]\nc: &c [*b, *b]\n"
    check_words(folder_with(tmp_path, bomb, PARAMETERS), ["anchors and aliases", "base.yaml:1"])


def test_a_file_nested_too_deep_is_refused(tmp_path):
    check_words(folder_with(tmp_path, "a: " + "[" * 500 + "]" * 500, PARAMETERS), ["nested"])


def test_a_loop_of_chances_is_told(tmp_path):
    text = changed(
        MODEL, "  dead:   {absorbing: true}", "  dead:   {absorbing: true}\n"
        "  here:   {instant: true}\n  there:  {instant: true}",
    )  # fmt: skip
    text = changed(text, "to: worse, rate", "to: here, rate").replace(
        "  die:  ",
        "  on:      {from: here, to: there}\n  back:    {from: there, to: here}\n  die:  ",
    )
    check_words(folder_with(tmp_path, text, PARAMETERS), ["loop", "here -> there -> here"])


def test_stepping_beyond_the_last_line_is_told(tmp_path):
    text = changed(MODEL, "old: {hr_drug: 1, ", "old: {sequence: [pill], hr_drug: 1, ")
    text = changed(text, "new: {hr_drug: hr_new, ", "new: {sequence: [pill], hr_drug: hr_new, ")
    text = changed(
        text, "states:\n  stable: {", "treatments:\n  pill: {}\nstates:\n  stable: {per: line, "
    )
    text = changed(text, "{from: start,  to: stable}", "{from: start, to: first stable}")
    text = changed(text, "to: worse, rate", "to: next stable, rate")
    text = changed(text, "  worse:  {utility: u_worse}\n", "").replace(
        "[stable, worse]", "[stable]"
    )
    check_words(
        folder_with(tmp_path, text, PARAMETERS),
        ["strategy 'old' has 1 lines", "'worsen' leads beyond the last", "never left"],
    )


def test_curves_that_cross_are_told(tmp_path):
    text = changed(MODEL, MODEL[MODEL.index("transitions:") : MODEL.index("payoffs:")],
                   'occupancy:\n  stable: "survival(pfs, years)"\n'
                   '  worse: "survival(os, years) - survival(pfs, years)"\n'
                   '  dead: "1 - survival(os, years)"\n\n')  # fmt: skip
    text = changed(text, "old: {hr_drug: 1,       c_drug: 0}", "old: {c_drug: 0}")
    text = changed(text, "new: {hr_drug: hr_new,  c_drug: c_new}", "new: {c_drug: c_new}")
    text = text.replace(", events_per_cycle: one", "")
    path = folder_with(tmp_path, text, PARAMETERS.replace("{rate: 0.2}", "{rate: 2}"))
    model = load_model(path)
    from qalyst.simulation import base_case

    with pytest.raises(ModelError) as caught:
        base_case(model)
    assert "the share of 'worse' is" in str(caught.value)
    assert "cap the curve with min(...)" in str(caught.value)


def test_a_draw_out_of_bounds_is_told_with_its_number(tmp_path):
    parameters = changed(PARAMETERS, "family: gamma, se: 1000", "family: normal, se: 9000")
    model = load_model(folder_with(tmp_path, MODEL, parameters))
    from qalyst.simulation import simulate

    with pytest.raises(ModelError) as caught:
        simulate(model, draws=500, seed=1)
    assert "of 'c_new' is -" in str(caught.value)
    assert "draw" in str(caught.value)
    assert "gamma" in str(caught.value)

"""One fault each, and the words that the message must hold: what, where, how to mend it."""

from __future__ import annotations

from pathlib import Path

import pytest

from qalyst.commands.check import check_model
from qalyst.errors import ModelError, ModelErrors
from qalyst.model.resolve import load_model
from qalyst.simulation import base_case, simulate

HERE = Path(__file__).parent
MODEL = (HERE / "base.yaml").read_text()
PARAMETERS = (HERE / "base_parameters.yaml").read_text()


def changed(text: str, old: str, new: str) -> str:
    assert old in text
    return text.replace(old, new)


def with_attributes(
    rows: str, words: list[str], *, by: tuple[str, str] = ('"r_death', '"x * r_death')
) -> tuple[str, str, list[str]]:
    """A fault of the section `attributes`; `x` is read by the rate of death, or as `by` says."""
    old = MODEL[MODEL.index("profiles:") :]
    new = changed(f"attributes:\n  {rows}\n\n{old}", *by)
    return old, new, words


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
    "two events per cycle with exact integrals": ("events_per_cycle: one, correction: half-cycle", "events_per_cycle: two, correction: exact", ["`correction: exact` and `events_per_cycle: two` contradict", "base.yaml:5", "half-cycle"]),
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
    "a number of 400 digits": ("utility: u_worse}", f"utility: {10**399}}}", ["the number 1000000000000000... is too large", "finite number", "base.yaml:20"]),
    "a number of 400 digits in an expression": ("age: 60 + years", f"age: {'9' * 400} + years", ["is not part of the language", "write a finite number", "define.age"]),
    "a discount rate above one": ("discount: 0.03}\n  qalys", "discount: 3}\n  qalys", ["discount rate of 'costs' is 3"]),
    "an attribute that nothing reads": with_attributes("x: {family: normal, mean: 25, sd: 3, unit: 1}", ["nothing reads the attribute 'x'", "base.yaml:12", "attributes.x"], by=("r_death[", "r_death[")),
    "an attribute without a unit": with_attributes("x: {family: gamma, mean: 1, sd: 0.5}", ["attributes.x lacks 'unit'", "base.yaml:12", "add `unit:`"]),
    "an unknown family of attributes": with_attributes("x: {family: gama, mean: 1, sd: 0.5, unit: 1}", ["no family 'gama' of attributes", "did you mean 'gamma'?", "base.yaml:12"]),
    "a fixed attribute": with_attributes("x: {family: fixed, mean: 1, unit: 1}", ["no family 'fixed' of attributes", "a definition or a parameter"]),
    "an attribute without its spread": with_attributes("x: {family: gamma, mean: 1, unit: 1}", ["the attribute 'x' needs `sd:`", "base.yaml:12", "{family: gamma, mean: ..., sd: ...}"]),
    "an argument of another family": with_attributes("x: {family: uniform, low: 0, high: 1, mean: 0.5, unit: 1}", ["uniform takes no 'mean'", "{family: uniform, low: ..., high: ...}"]),
    "a standard error of an attribute": with_attributes("x: {family: gamma, mean: 1, se: 0.5, unit: 1}", ["unknown key 'se' in attributes.x", "base.yaml:12"]),
    "an impossible attribute": with_attributes("x: {family: beta, mean: 0.5, sd: 0.6, unit: 1}", ["the attribute is impossible", "a beta by mean 0.5, sd 0.6", "base.yaml:12  attributes.x"]),
    "an attribute that makes a rate negative": with_attributes("x: {family: normal, mean: 1, sd: 0.5, unit: 1}", ["the rate of 'die' is -0.00", "x -0.", "look at x"]),
    "an attribute of money": with_attributes("x: {family: gamma, mean: 1, sd: 0.5, unit: USD}", ["the attribute 'x' is in USD", "price year", "in `quantity`"]),
    "an argument in another unit": with_attributes("x: {family: gamma, mean: r_worsen, sd: 0.5, unit: hazard ratio}", ["`mean` of the attribute 'x' is in 1/year, not hazard ratio", "base.yaml:12"]),
    "an attribute in a price": with_attributes("x: {family: gamma, mean: 1, sd: 0.5, unit: 1}", ["the attribute 'x' means nothing in a price", "put it into `quantity`", "base.yaml:43"], by=("price: c_dying", "price: c_dying * x")),
    "an attribute in another one": with_attributes("x: {family: gamma, mean: y, sd: 0.5, unit: 1}\n  y: {family: gamma, mean: 1, sd: 0.5, unit: 1}", ["the attribute 'y' means nothing in an argument of an attribute", "`correlation:`"]),
    "a strategy in an attribute": with_attributes("x: {family: gamma, mean: strategy.hr_drug, sd: 0.5, unit: hazard ratio}", ["'strategy' means nothing in an argument of an attribute"]),
    "an attribute named like a parameter": with_attributes("x: {family: gamma, mean: 1, sd: 0.5, unit: 1}\n  c_new: {family: gamma, mean: 1, sd: 0.5, unit: 1}", ["'c_new' is defined twice", "base.yaml:13"]),
    "a correlation with nothing": with_attributes("x: {family: gamma, mean: 1, sd: 0.5, unit: 1, correlation: {agee: 0.5}}\n  ages: {family: gamma, mean: 1, sd: 0.5, unit: 1}", ["'x' is correlated with 'agee', which is no attribute", "did you mean 'ages'?", "base.yaml:12"]),
    "a correlation above one": with_attributes("x: {family: gamma, mean: 1, sd: 0.5, unit: 1, correlation: {y: 1.5}}\n  y: {family: gamma, mean: 1, sd: 0.5, unit: 1}", ["the correlation of 'x' and 'y' is 1.5", "between -1 and 1", "base.yaml:12"]),
    "a correlation stated twice": with_attributes("x: {family: gamma, mean: 1, sd: 0.5, unit: 1, correlation: {y: 0.5}}\n  y: {family: gamma, mean: 1, sd: 0.5, unit: 1, correlation: {x: 0.4}}", ["the correlation of 'x' and 'y' is 0.5 once and 0.4 once", "base.yaml:12", "base.yaml:13", "state it once"]),
    "correlations that cannot hold together": with_attributes("x: {family: gamma, mean: 1, sd: 0.5, unit: 1, correlation: {y: 0.9, z: 0.9}}\n  y: {family: gamma, mean: 1, sd: 0.5, unit: 1, correlation: {z: -0.9}}\n  z: {family: gamma, mean: 1, sd: 0.5, unit: 1}", ["the correlations of x, y, z cannot hold together", "not positive definite", "smallest eigenvalue -0.8", "base.yaml:12"]),
    "attributes that are one": with_attributes("x: {family: gamma, mean: 1, sd: 0.5, unit: 1, correlation: {y: 1}}\n  y: {family: gamma, mean: 1, sd: 0.5, unit: 1}", ["the correlations of x, y cannot hold together", "write one as an expression of the other"]),
    "a sample of nobody": with_attributes("patients_sampled: 0\n  x: {family: gamma, mean: 1, sd: 0.5, unit: 1}", ["`patients_sampled: 0` is no sample of patients", "from 16 to 100,000", "base.yaml:12"]),
    "a model file of another name": ("model: base", "model: bases", ["called 'bases'", "base.yaml"]),
    "an unknown parameter file": ("parameters: [base]", "parameters: [bass]", ["no parameter file 'bass.yaml'", "did you mean 'base'?"]),
    "a parameter file by path": ("parameters: [base]", "parameters: [../base]", ["is not the name of a parameter file"]),
    "a threshold below zero": ("time:", "decision: {cost: costs, effect: qalys, thresholds: [-1]}\ntime:", ["threshold -1"]),
    "an unknown effect": ("time:", "decision: {cost: costs, effect: qaly}\ntime:", ["effect 'qaly' is no outcome", "did you mean 'qalys'?"]),
    "an unknown index": ("time:", "money: {currency: USD, year: 2025, index: us_pcee}\ntime:", ["no parameter 'us_pcee'", "did you mean 'us_pce'?"]),
    "another currency": ("time:", "money: {currency: GBP, year: 2024}\ntime:", ["is in USD", "money is GBP"]),
    "text in place of a row": ("dying:  {to: dead,   price: c_dying}", "dying: c_dying", ["'dying' is not a row"]),
    "an unknown scenario word": ("cheap: {parameters", "cheap: {paramters", ["'paramters'", "did you mean 'parameters'?"]),
    "a section that is a list": ("scenarios:\n  cheap: {parameters: {c_new: 10}}", "scenarios: [cheap]", ["'scenarios' is not a mapping", "base.yaml:44"]),
    "a section that is text": ("title:", "source: Smith 2000\ntitle:", ["'source' is not a mapping"]),
    "no strategies": ("strategies:\n  old: {hr_drug: 1,       c_drug: 0}\n  new: {hr_drug: hr_new,  c_drug: c_new}", "strategies: {}", ["'strategies' has no rows"]),
    "a scenario without states": ("cheap: {parameters: {c_new: 10}}", "cheap: {states: null}", ["the section 'states' is missing"]),
    "a move from the end": ("  die:     {from: alive", "  odd:     {from: end, to: dead, probability: 1}\n  die:     {from: alive", ["'end' means nothing here", "transitions.odd"]),
    "time in the start": ("{in: stable, price", "{in: start, price", ["'start' means nothing here", "base.yaml:39"]),
    "a move that no row makes": ("{to: dead,   price: c_dying}", "{from: worse, to: stable, price: c_dying}", ["'dying' counts moves that no row makes"]),
    "two states called alike": ("stable: {utility: u_stable}", "stable: {utility: u_stable, label: worse}", ["the states 'stable' and 'worse' are both called 'worse'", "base.yaml:19", "base.yaml:20", "a `label:` of its own"]),
    "two strategies called alike": ("old: {hr_drug: 1,       c_drug: 0}", "old: {hr_drug: 1, c_drug: 0, label: new}", ["the strategies 'old' and 'new' are both called 'new'"]),
    "a group named like a state": ("groups:", "groups:\n  stable: [worse]", ["the group 'stable' has the name of a state"]),
    "an unused group of unknown states": ("groups:", "groups:\n  g: [stabel]", ["unknown state 'stabel' in the group 'g'", "did you mean 'stable'?"]),
    "an unused definition with an unknown name": ("define:", "define:\n  x: r_worsn + 1", ["unknown name 'r_worsn'", "did you mean 'r_worsen'?", "define.x"]),
    "an unused curve that uses itself": ("curves:", 'curves:\n  x: {hazard: "hazard(x, time)"}', ["uses itself", "curves.x"]),
    "deep definitions": ("define:", "define:\n  x0: 1\n" + "\n".join(f"  x{i}: x{i - 1} + 1" for i in range(1, 200)), ["nest more than 50 deep"]),
    "a duration of two dots": ("cycle: 1 month", "cycle: 1.2.3 month", ["'1.2.3 month' is not a duration"]),
    "a label of another axis": ("quantity: state.utility", 'quantity: "state.utility * where(sex == stable, 0, 1)"', ["'stable' is no label of sex"]),
    "labels in order": ("quantity: state.utility", 'quantity: "state.utility * where(sex < male, 0, 1)"', ["labels have no order"]),
    "a label and a number compared": ("quantity: state.utility", 'quantity: "state.utility * where(sex == 1, 0, 1)"', ["a label is compared with a number"]),
    "arithmetic with a label": ("quantity: state.utility", 'quantity: "state.utility * (sex + 1)"', ["a label is not a number", "sex"]),
    "a label for a condition": ("quantity: state.utility", 'quantity: "where(sex, state.utility, 0)"', ["it is not a condition: sex"]),
    "every nothing": ("{in: stable, price: strategy.c_drug}", '{in: stable, when: "every(years, 0)", price: "c_dying * (strategy.c_drug / c_new)"}', ["every 0 is never"]),
    "a clock of the model in a curve": ("0.5 * hazard(pfs, time)", "0.5 * hazard(pfs, time) * where(years < 2, 1, 2)", ["'years' means nothing in a curve", "`time`"]),
    "a bare number hidden by a zero": ("price: c_dying", "price: c_dying + 5 + 0", ["a bare number and USD do not add"]),
    "a power of a probability over time": ("strategy.hr_drug * hazard(slow, years)", "strategy.hr_drug * rate_of((1 - p_event) ** 12)", ["a power of a probability per year", "probability_of(rate_of(p))"]),
    "exchanged indices": ("r_death[sex, age]", "r_death[age, sex]", ["the axis sex of 'r_death' has labels, not year"]),
    "money for an index": ("r_death[sex, age]", "r_death[sex, c_dying]", ["the axis age of 'r_death' has numbers, not USD"]),
    "a survival curve that rises": ('{hazard: "0.5 * hazard(pfs, time)"}', '{survival: "exp(time / year - 5)"}', ["the survival of the curve 'slow' rises", "base.yaml:30"]),
    "a negative hazard of a curve": ("0.5 * hazard(pfs, time)", "(0 - 0.5) * hazard(pfs, time)", ["its hazard is negative", "base.yaml:30"]),
    "a residence shorter than a cycle": ("worse:  {utility: u_worse}", "worse:  {utility: u_worse, residence: 1 day}", ["the residence of 'worse' is shorter than a cycle"]),
    "half a count": ("define:", "track:\n  n: {count: worse, up_to: 2.5}\ndefine:", ["`up_to: 2.5` is not a count", "whole number"]),
    "a tracker that nothing sets": ("  dead:   {absorbing: true}\n", "  dead:   {absorbing: true}\n  gone:   {absorbing: true}\ntrack:\n  n: {count: gone, up_to: 2}\n", ["nothing ever sets the tracker 'n': no row leads to 'gone'", "track.n"]),
    "a rate of history that explodes": ("transitions:\n  begin:   {from: start,  to: stable}\n  worsen:  {from: stable, to: worse, rate: \"strategy.hr_drug * hazard(slow, years)\"}", "track:\n  n: {count: worse, up_to: 2}\ntransitions:\n  begin:   {from: start,  to: stable}\n  worsen:  {from: stable, to: worse, rate: \"strategy.hr_drug * hazard(slow, years) * exp(900 * n)\"}\n  heal:    {from: worse, to: stable, rate: \"hazard(slow, years)\"}", ["is inf; a rate is 0 or more", "state stable", "n 1", "transitions.worsen"]),
    "a tracker of the end": ("define:", "track:\n  n: {count: end, up_to: 2}\ndefine:", ["'end' means nothing here", "track.n"]),
    "a threshold twice": ("time:", "decision: {cost: costs, effect: qalys, thresholds: [5, 5]}\ntime:", ["a threshold stands twice"]),
    "a truth value for a parameter": ("{c_new: 10}", "{c_new: true}", ["'true' is no number for 'c_new'"]),
    "a price that is no number": ("price: c_dying", "price: c_dying * c_new / (c_new - c_new)", ["the price of 'dying' in 'dead' is no number at base values", "base.yaml:40", "division by 0"]),
    "a quantity that is no number": ("quantity: state.utility", "quantity: state.utility * year / years", ["the quantity of 'health' in 'stable' is no number at base values", "base.yaml:42", "division by 0"]),
    "a comma in the number of a scenario": ("{c_new: 10}", "{c_new: 1,000}", ["'1,000' is 2 entries, not a number", "write 1000 (a decimal comma: 1)", "base.yaml:45"]),
    "a decimal comma in a cell": ("c_drug: c_new}", "c_drug: 0,9}", ["'0,9' is 2 entries", "write 0.9"]),
    "commas in a list of numbers": ("time:", "decision: {cost: costs, effect: qalys, thresholds: [20,000]}\ntime:", ["the number 000 begins with 0", "without commas", "base.yaml:5"]),
    "a scenario that removes nothing": ("cheap: {parameters: {c_new: 10}}", "cheap: {profiles: {sex: {female: 1, mail: null}}}", ["'cheap' removes 'mail', which is not there", "did you mean 'male'?", "base.yaml:45"]),
    "a parameter without a value in a scenario": ("{c_new: 10}", "{c_new: null}", ["'cheap' removes 'c_new', which is not there", "give it a value"]),
    "a column with a number for its name": ("c_drug: 0}", "12: 0}", ["'12' is not the name of a column", "base.yaml:15", "strategies.old.12", "lower-case words"]),
    "a definition with a number for its name": ("age: 60 + years", "age: 60 + years\n  12: 1", ["'12' is not a name", "base.yaml:28"]),
    "a strategy with an umlaut": ("  old: {", "  \xfcblich: {", ["'\xfcblich' is not a name", "base.yaml:15", "ASCII"]),
    "a state in capitals": ("  dead:   {absorbing: true}", "  Dead:   {absorbing: true}", ["'Dead' is not a name", "base.yaml:21"]),
    "a group with a number for its name": ("groups:", "groups:\n  12: [stable]", ["'12' is not a name", "base.yaml:24"]),
    "a reserved key in capitals": ("old: {hr_drug", "old: {Label: Usual care, hr_drug", ["'Label' is not the name of a column", "did you mean 'label'?", "base.yaml:15"]),
    "a mistake in the outcomes": ("costs: {unit: USD,  discount: 0.03}", "costs: {unit: USD,  discount: 3.5%}", ["'3.5%' is not part of the language", "base.yaml:8"]),
    "a horizon without its unit": ("horizon: 5 years", "horizon: 5", ["'horizon' must be text (found 5)", "write 5 years", "base.yaml:5"]),
    "a truth value in capitals": ("absorbing: true", "absorbing: True", ["'absorbing' must be true or false", "write true", "base.yaml:21"]),
    "a threshold that is no list": ("time:", "decision: {cost: costs, effect: qalys, thresholds: 20000}\ntime:", ["'thresholds' must be a list", "write [20000]"]),
    "a number for a key of a row": ("price: c_dying}", "price: c_dying, 3: x}", ["unknown key '3' in payoffs.costs.dying", "base.yaml:40"]),
    "a misspelt correction": ("correction: half-cycle", "correction: halfcycle", ["did you mean 'half-cycle'?"]),
    "a tab in the indentation": ("  worse:  {utility", "\tworse:  {utility", ["the line is indented by a tab", "indent by spaces", "base.yaml:20"]),
    "a blank too many": ("  worse:  {utility", "   worse:  {utility", ["indented by 3 spaces, the row above by 2", "base.yaml:20"]),
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
    "a number of 5000 digits": ("value: 9000, unit: USD", f"value: {'9' * 5000}, unit: USD", ["the number 9999999999999999... is too large", "finite number"]),
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
    "a spread that is no number": ("family: beta, se: 0.02", "family: beta, cv: wide", ["`cv` is 'wide', not a number"]),
    "a standard error of 0": ("family: beta, se: 0.02", "family: beta, se: 0", ["`se` of 'p_event' is 0", "{family: fixed, reason: ...}"]),
    "a standard error of 0 in a cell": ("value: {female: {50: 0.01, 70: 0.03}, male: {50: 0.02, 70: 0.05}}", "value: {female: {50: 0.01, 70: 0.03}, male: {50: 0.02, 70: 0.05}}, uncertainty: {family: gamma, se: {female: {50: 0.01, 70: 0}, male: {50: 0.01, 70: 0.01}}}", ["`se` of 'r_death[female, 70]' is 0"]),
    "a cv of 0": ("family: beta, se: 0.02", "family: beta, cv: 0", ["`cv` of 'p_event' is 0", "{family: fixed, reason: ...}"]),
    "an unknown family of cells of 0": ("value: {female: {50: 0.01, 70: 0.03}, male: {50: 0.02, 70: 0.05}}", "value: {female: {50: 0, 70: 0}, male: {50: 0, 70: 0}}, uncertainty: {family: nonsense, cv: 0.1}", ["nonsense", "r_death[female, 50]"]),
    "a negative cv": ("family: beta, se: 0.02", "family: beta, cv: -0.1", ["`cv` of 'p_event' is -0.1"]),
    "a median and a misspelt shape": ("value: {shape: 1.2, scale: 30}, unit: {shape: 1, scale: month}", "value: {median: 14, shap: 1.2}, unit: {median: month, shape: 1}", ["the weibull curve 'pfs' has median, shap", "give median and shape"]),
    "a median without its shape": ("value: {shape: 1.2, scale: 30}, unit: {shape: 1, scale: month}", "value: {median: 14}, unit: {median: month}", ["give median and shape"]),
    "a median of 0": ("value: {shape: 1.2, scale: 30}, unit: {shape: 1, scale: month}", "value: {median: 0, shape: 1}, unit: {median: month, shape: 1}", ["the median of 'pfs' is 0"]),
    "a median outside its interval": ("value: {shape: 1.2, scale: 30}, unit: {shape: 1, scale: month}", "value: {median: 14, shape: 1}, unit: {median: month, shape: 1}, uncertainty: {family: lognormal, ci95: [20, 45], of: median}", ["14 is outside its own 95 % interval"]),
    "a scale without a unit": ("unit: {shape: 1, scale: month}", "unit: {shape: 1}", ["'scale' of 'pfs' has no unit"]),
    "a unit that the parameter cannot have": ("unit: {rate: 1/year}", "unit: {rate: USD}", ["'rate' of the curve is in USD", "1/time"]),
    "a curve fixed without a reason": ("unit: {rate: 1/year}}", "unit: {rate: 1/year}, uncertainty: {family: fixed}}", ["'os'", "reason"]),
    "a lognormal median of a lognormal curve": ("curve: weibull, value: {shape: 1.2, scale: 30}, unit: {shape: 1, scale: month}", "curve: lognormal, value: {meanlog: 3, sdlog: 1}, unit: {meanlog: month, sdlog: 1}, uncertainty: {family: lognormal, ci95: [20, 45], of: median}", ["`of: median` does not spread a lognormal curve"]),
    "a curve with a standard error": ("value: {rate: 0.2}, unit: {rate: 1/year}}", "by: [sex], value: {female: {rate: 0.2}, male: {rate: 0.5}}, unit: {rate: 1/year}, uncertainty: {family: lognormal, se: 0.5, of: median}}", ["the uncertainty of the curve 'os' has `se`", "ci95: [low, high], of: median", "base.yaml:14"]),
    "a rate whose median lies outside its interval": ("unit: {rate: 1/year}}", "unit: {rate: 1/year}, uncertainty: {family: lognormal, ci95: [100, 200], of: median}}", ["the median of 'os'", "3.46574 is outside its own 95 % interval, 100 to 200"]),
    "a rate of one label whose median lies outside": ("value: {rate: 0.2}, unit: {rate: 1/year}}", "by: [sex], value: {female: {rate: 0.2}, male: {rate: 0.5}}, unit: {rate: 1/year}, uncertainty: {family: lognormal, ci95: [2, 6], of: median}}", ["the median of 'os[male]'", "1.38629 is outside"]),
    "a rate outside its interval": ("unit: {rate: 1/year}}", "unit: {rate: 1/year}, uncertainty: {family: lognormal, ci95: [1, 2], of: rate}}", ["the rate of 'os'", "0.2 is outside"]),
    "a median of a shape of 0": ("value: {shape: 1.2, scale: 30}, unit: {shape: 1, scale: month}", "value: {shape: 0, scale: 30}, unit: {shape: 1, scale: month}, uncertainty: {family: lognormal, ci95: [20, 45], of: median}", ["shape of a weibull curve is 0"]),
    "the scale of a spline spread": ("curve: weibull, value: {shape: 1.2, scale: 30}, unit: {shape: 1, scale: month}", "curve: spline, value: {gammas: [-4, 1], knots: [0, 4], scale: hazard}, unit: {gammas: 1, knots: month, scale: 1}, uncertainty: {family: lognormal, ci95: [20, 45], of: scale}", ["`of: scale` does not spread a spline curve"]),
    "an axis twice": ("by: [sex, age]", "by: [sex, sex]", ["'by' must name each once"]),
    "a file of a number": ("value: 9000, unit: USD", "value: 9000, file: x.csv, unit: USD", ["'c_dying' has `file:`", "a table", "base.yaml:16"]),
    "a file of a curve": ("curve: exponential", "file: x.csv, curve: exponential", ["'os' has `file:`", "a table"]),
    "a spread of a cell that is not there": ("value: {female: {50: 0.01, 70: 0.03}, male: {50: 0.02, 70: 0.05}}", "value: {female: {50: 0.01, 70: 0.03}, male: {50: 0.02, 70: 0.05}}, uncertainty: {family: gamma, se: {female: {50: 0.01, 70: 0.01}, male: {50: 0.01, 70: 0.01, 80: 0.01}}}", ["`se` of 'r_death' has the cell [male, 80], which its value has not"]),
    "a price year of a probability": ("value: 0.4, unit: probability", "value: 0.4, unit: probability, price_year: 2020", ["'p_branch' has `price_year:`", "probability is no money", "drop it", "base.yaml:10"]),
    "a price year of a curve": ("curve: exponential", "price_year: 2020, curve: exponential", ["'os' has `price_year:`", "is no money"]),
    "a number together": ("family: beta, se: 0.02", "family: beta, se: 0.02, together: true", ["'p_event' has `together:`", "a table"]),
    "a curve together": ("unit: {rate: 1/year}}", "unit: {rate: 1/year}, uncertainty: {family: lognormal, ci95: [2, 6], of: median, together: true}}", ["'os' has `together:`"]),
    "a joint record together": ("  c_dying:", "  j: {label: J, names: [a, b], value: {a: 1, b: 2}, unit: 1, uncertainty: {family: normal, covariance: [[1, 0], [0, 1]], together: true}}\n  c_dying:", ["'j' has `together:`"]),
    "shares together": ("  c_dying:", "  p_x: {label: X, by: [to], unit: probability, uncertainty: {family: dirichlet, counts: {stable: 3, dead: 1}, together: true}}\n  c_dying:", ["'p_x' has `together:`"]),
    "a falling range": ("value: 9000, unit: USD", "value: 9000, unit: USD, range: [9, 1]", ["'range' must be [low, high]"]),
    "together in words": ("family: beta, se: 0.02", "family: beta, se: 0.02, together: maybe", ["`together: maybe`"]),
    "common that is a list": ("common:\n", "common: [a]\nrest:\n", ["`common:` is not a mapping"]),
    "a joint record of money without a price year": ("  c_dying:", "  j: {label: J, names: [c_a, c_b], value: {c_a: 1, c_b: 2}, unit: USD, price_year: null}\n  c_dying:", ["'j' is in USD and has no price year"]),
    "a joint record with a misspelt key": ("  c_dying:", "  j: {label: J, names: [a, b], value: {a: 1, b: 2}, unit: 1, uncertainty: {family: normal, covariance: [[1, 0], [0, 1]], corelation: 1}}\n  c_dying:", ["'corelation'", "normal does not take"]),
    "draws without a file": ("  c_dying:", "  j: {label: J, names: [a, b], unit: 1, uncertainty: {family: draws}}\n  c_dying:", ["the draws of 'j' need `file:`"]),
    "a dirichlet with a value": ("  c_dying:", "  p_x: {label: X, by: [to], value: {stable: 0.5, dead: 0.5}, unit: probability, uncertainty: {family: dirichlet, counts: {stable: 3, dead: 1}}}\n  c_dying:", ["'p_x' is a dirichlet and has a value too"]),
    "a null in a file name": ("value: {female: {50: 0.01, 70: 0.03}, male: {50: 0.02, 70: 0.05}}", 'file: "a\\0b.csv"', ["holds a null"]),
    "a price year that is neither a year nor unknown": ("value: 9000, unit: USD", "value: 9000, unit: USD, price_year: last", ["'price_year'", "'unknown'", "found 'last'"]),
    "a comma between thousands": ("value: 9000, unit: USD", "value: 9,000, unit: USD", ["'9,000' is 2 entries, not a number", "write 9000 (a decimal comma: 9)", "base.yaml:16"]),
    "commas between millions": ("value: 9000, unit: USD", "value: 1,250,000.5, unit: USD", ["'1,250,000.5' is 3 entries", "write 1250000.5"]),
    "a decimal comma": ("value: 9000, unit: USD", "value: 2,500, unit: USD", ["write 2500 (a decimal comma: 2.5)"]),
    "a decimal comma in a standard error": ("family: beta, se: 0.02", "family: beta, se: 0,02", ["'0,02' is 2 entries", "write 0.02", "base.yaml:9"]),
    "a comma in a standard error": ("family: gamma, se: 1000", "family: gamma, se: 1,000", ["'1,000' is 2 entries", "write 1000"]),
    "a comma in a label": ("label: Dying,", "label: Dying, in hospital,", ["unknown key 'in hospital'", "base.yaml:16"]),
    "a standard deviation for a standard error": ("family: beta, se: 0.02", "family: beta, sd: 0.02", ["uncertainty of 'p_event' cannot be read", "beta takes no 'sd'", "did you mean 'se'?"]),
    "a family in capitals": ("family: beta, se: 0.02", "family: Beta, se: 0.02", ["no family 'Beta'", "did you mean 'beta'?"]),
    "a key of a record that is a number": ("label: Dying,", "label: Dying, 12: x,", ["unknown key '12' in parameters.c_dying", "base.yaml:16"]),
    "a weight in qaly": ("value: 0.8, unit: utility", "value: 0.8, unit: qaly", ["'qaly' is not a unit", "write utility", "QALY"]),
    "a probability over a year written as a fraction": ("unit: probability per year", "unit: probability/year", ["'probability' is not a unit in 'probability/year'", "write 'probability per year'", "base.yaml:9"]),
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


def test_a_mistake_in_an_outcome_is_not_hidden_by_what_follows_from_it(tmp_path):
    text = changed(MODEL, "discount: 0.03}\n  qalys", "discount: 3.5%}\n  qalys")
    text = changed(text, "time:", "decision: {cost: costs, effect: qaly}\ntime:")
    with pytest.raises(ModelErrors) as caught:
        load_model(folder_with(tmp_path, text, PARAMETERS))
    assert [error.what for error in caught.value.errors] == [
        "'3.5%' is not part of the language",
        "the decision's effect 'qaly' is no outcome",
    ]


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

    with pytest.raises(ModelError) as caught:
        base_case(model)
    assert "the share of 'worse' is" in str(caught.value)
    assert "cap the curve with min(...)" in str(caught.value)


def test_a_column_is_not_read_because_a_scenario_reads_one_that_begins_alike(tmp_path):
    text = changed(MODEL, "c_drug: 0}", "c_drug: 0, c: 1}")
    text = changed(text, "{parameters: {c_new: 10}}",
                   '{payoffs: {costs: {drug: {price: "2 * strategy.c_drug"}}}}')  # fmt: skip
    words = ["nothing reads the column 'c' of strategies", "base.yaml:15"]
    check_words(folder_with(tmp_path, text, PARAMETERS), words)


def test_a_column_that_only_a_scenario_reads_is_read(tmp_path):
    text = changed(MODEL, "c_drug: 0}", "c_drug: 0, c: 0}")
    text = changed(text, "c_drug: c_new}", "c_drug: c_new, c: c_new}")
    text = changed(text, "{parameters: {c_new: 10}}",
                   '{payoffs: {costs: {more: {in: worse, price: strategy.c}}}}')  # fmt: skip
    check_model(folder_with(tmp_path, text, PARAMETERS))


def test_a_draw_out_of_bounds_is_told_with_its_number(tmp_path):
    parameters = changed(PARAMETERS, "family: gamma, se: 1000", "family: normal, se: 9000")
    model = load_model(folder_with(tmp_path, MODEL, parameters))

    with pytest.raises(ModelError) as caught:
        simulate(model, draws=500, seed=1)
    assert "of 'c_new' is -" in str(caught.value)
    assert "draw" in str(caught.value)
    assert "gamma" in str(caught.value)


def test_time_in_the_state_is_told_in_continuous_time(tmp_path):
    text = changed(MODEL, "events_per_cycle: one", "events_per_cycle: any")
    text = changed(text, "hazard(slow, years)", "hazard(slow, years_in_state)")
    check_words(
        folder_with(tmp_path, text, PARAMETERS),
        ["'years_in_state' means nothing in a transition in continuous time", "use `two` or `one`"],
    )


@pytest.mark.parametrize("word", ["two", "any"])
def test_a_probability_beside_more_than_one_event_is_told(tmp_path, word):
    text = changed(MODEL, "events_per_cycle: one", f"events_per_cycle: {word}")
    text = changed(
        text, "  worsen:", "  rest:    {from: worse,  to: stable, probability: 0.1}\n  worsen:"
    )
    text = changed(text, "from: alive", "from: stable")
    check_words(
        folder_with(tmp_path, text, PARAMETERS),
        [f"`events_per_cycle: {word}` and the probability of 'rest'", "base.yaml:5", "base.yaml:34",
         "write rates (`rate_of` crosses)"],
    )  # fmt: skip


def test_draws_that_no_curve_can_have_are_told(tmp_path):
    text = changed(
        PARAMETERS,
        "value: {shape: 1.2, scale: 30}, unit: {shape: 1, scale: month}",
        "value: {shape: 1.2, scale: 30}, unit: {shape: 1, scale: month}, "
        "uncertainty: {family: normal, covariance: [[9, 0], [0, 9]]}",
    )
    model = load_model(folder_with(tmp_path, MODEL, text))
    with pytest.raises(ModelError, match="shape of a weibull curve is -") as caught:
        simulate(model, draws=50, seed=1)
    assert "parameters.pfs, in the draws" in str(caught.value)


@pytest.mark.parametrize(
    "content", [b"sex,age,value\nf\xe9male,50,1\n", b"sex,age,value\n" + b"x" * 200_000]
)
def test_a_table_that_is_no_csv_is_told(tmp_path, content):
    text = changed(
        PARAMETERS,
        "value: {female: {50: 0.01, 70: 0.03}, male: {50: 0.02, 70: 0.05}}",
        "file: t.csv",
    )
    path = folder_with(tmp_path, MODEL, text)
    (tmp_path / "params" / "t.csv").write_bytes(content)
    check_words(path, ["t.csv is no CSV table in UTF-8"])


def test_an_empty_file_of_draws_is_told(tmp_path):
    record = (
        "  j: {label: J, names: [a, b], unit: 1, uncertainty: {family: draws, file: d.csv}}\n"
        "  c_dying:"
    )
    path = folder_with(tmp_path, MODEL, changed(PARAMETERS, "  c_dying:", record))
    (tmp_path / "params" / "d.csv").write_text("a,b\n")
    check_words(path, ["d.csv holds no draws"])


def test_a_joint_record_in_two_files_is_told(tmp_path):
    record = "  j: {{label: J, names: [{0}], value: {{{0}: 1}}, unit: 1}}\n  c_dying:"
    path = folder_with(
        tmp_path,
        changed(MODEL, "parameters: [base]", "parameters: [base, more]"),
        changed(
            PARAMETERS,
            "  c_dying:",
            record.format("a").replace(
                "unit: 1", "unit: 1, uncertainty: {family: normal, covariance: [[1]]}"
            ),
        ),
    )
    more = changed(
        PARAMETERS,
        "  c_dying:",
        record.format("b").replace(
            "unit: 1", "unit: 1, uncertainty: {family: normal, covariance: [[1]]}"
        ),
    )
    common = more[: more.index("parameters:")]
    line = next(line for line in more.splitlines() if line.startswith("  j:"))
    (tmp_path / "params" / "more.yaml").write_text(f"{common}parameters:\n{line}\n")
    check_words(path, ["'j' is defined twice", "base.yaml", "more.yaml"])


def test_setting_one_cell_of_a_table_leaves_the_others_uncertain(tmp_path):
    text = changed(
        PARAMETERS, "male: {50: 0.02, 70: 0.05}}}",
        "male: {50: 0.02, 70: 0.05}}, uncertainty: {family: gamma, cv: 0.1}}",
    )  # fmt: skip
    path = folder_with(tmp_path, MODEL, text)
    changed_one = load_model(path, values={"r_death[male, 50]": 0.3}).parameters["r_death"]
    assert changed_one.values["male", 50.0] == 0.3
    assert set(changed_one.uncertainty) == {("female", 50.0), ("female", 70.0), ("male", 70.0)}


def test_a_curve_is_not_set_to_what_it_cannot_be(tmp_path):
    path = folder_with(tmp_path, MODEL, PARAMETERS)
    with pytest.raises(ModelError, match="shape of a weibull curve is -2"):
        load_model(path, values={"pfs[shape]": -2})


def test_a_value_that_was_set_is_named_where_it_breaks_a_bound(tmp_path):
    """A risk set to 1 leaves nothing for the risk of death, which is drawn."""
    text = changed(MODEL, "cycle: 1 month", "cycle: 1 year")
    text = changed(
        text,
        'rate: "strategy.hr_drug * hazard(slow, years)"',
        'probability: "probability_of(rate_of(p_event) * strategy.hr_drug)"',
    )
    text = changed(text, 'rate: "r_death[sex, age]"', "probability: p_die")
    drawn = "unit: probability per year, uncertainty: {family: beta, se: 0.02}}"
    parameters = changed(
        PARAMETERS, "  c_dying:", f"  p_die: {{label: Dies, value: 0.2, {drawn}\n  c_dying:"
    )
    model = load_model(folder_with(tmp_path, text, parameters), values={"p_event": 1})
    with pytest.raises(ModelError, match=r"sum to 1\.2") as caught:
        base_case(model)
    assert caught.value.mend.startswith("look at p_die, p_event;")


@pytest.mark.parametrize(
    ("record", "note"),
    [
        ("value: 1.2, unit: utility", "the utility 'u_stable' is 1.2: above 1"),
        # 0.95 + 1.959964 x 0.1 = 1.145996
        (
            "value: 0.95, unit: utility, uncertainty: {family: normal, se: 0.1}",
            "the 97.5 % quantile of the utility 'u_stable' is 1.146",
        ),
    ],
)
def test_a_utility_above_full_health_is_noted(tmp_path, record, note):
    text = changed(PARAMETERS, "value: 0.8, unit: utility", record)
    (found,) = check_model(folder_with(tmp_path, MODEL, text))["notes"]
    assert note in found


def test_a_utility_below_full_health_has_no_note(tmp_path):
    text = changed(
        PARAMETERS, "0.8, unit: utility", "0.8, unit: utility, uncertainty: {family: beta, se: 0.1}"
    )
    assert check_model(folder_with(tmp_path, MODEL, text))["notes"] == []

"""Which sequences there are: counted by combinatorics, and bad rules refused in words."""

from __future__ import annotations

import math
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qalyst.errors import ModelError
from qalyst.model.resolve import load_model
from qalyst.model.resolved import SequenceRule, SequenceRules
from qalyst.sensitivity.sequences import model_of_sequences, rules_of, sequences_of

LINES = Path(__file__).with_name("models") / "lines.yaml"
NAMES = tuple("abcdefgh")


def rules(lines, count, *, last=None, once=True, rules=()):
    return SequenceRules(lines, last, once, NAMES[:count], tuple(rules))


@given(lines=st.integers(1, 4), count=st.integers(4, 6))
def test_without_rules_all_ordered_choices_are_there(lines, count):
    once = sequences_of(rules(lines, count))
    assert len(once) == len(set(once)) == math.perm(count, lines)
    assert len(sequences_of(rules(lines, count, once=False))) == count**lines


@given(lines=st.integers(2, 4), count=st.integers(4, 6))
def test_a_last_line_takes_no_part_in_the_choice(lines, count):
    found = sequences_of(rules(lines, count, last="a"))
    assert len(found) == math.perm(count - 1, lines - 1)
    assert all(sequence[-1] == "a" and "a" not in sequence[:-1] for sequence in found)


def test_a_treatment_of_the_first_line_only():
    found = sequences_of(rules(3, 5, rules=[SequenceRule("a", lines=(1,))]))
    assert len(found) == math.perm(4, 3) + math.perm(4, 2)  # without it; with it first
    assert all("a" not in sequence[1:] for sequence in found)


def test_a_treatment_after_another():
    found = sequences_of(rules(3, 5, rules=[SequenceRule("b", after=("a",))]))
    # without b; with both a and b, a before b: half of the orders
    assert len(found) == math.perm(4, 3) + 3 * math.factorial(3) // 2
    assert all("a" in sequence[: sequence.index("b")] for sequence in found if "b" in sequence)


def test_a_treatment_never_after_another():
    found = sequences_of(rules(3, 5, rules=[SequenceRule("b", not_after=("a",))]))
    assert len(found) == math.perm(5, 3) - 3 * math.factorial(3) // 2


def test_more_than_can_be_run_are_refused():
    with pytest.raises(ModelError, match="more than 5,000 sequences"):
        sequences_of(rules(7, 8))


def test_no_sequence_at_all_is_told():
    barred = [SequenceRule(name, lines=(2,)) for name in NAMES[:4]]
    with pytest.raises(ModelError, match="no sequence of 3 lines keeps the rules"):
        sequences_of(rules(3, 4, rules=barred))


def test_the_rules_of_the_flagship():
    found = sequences_of(rules_of(load_model("nelm")))
    # resection first, then two of four; or one of the other two first, then two of the three left
    assert len(found) == 4 * 3 + 2 * 3 * 2
    assert {sequence[0] for sequence in found} == {"resection", "embolisation", "octreotide"}
    assert all("resection" not in sequence[1:] for sequence in found)
    assert all(sequence[-1] == "supportive" for sequence in found)
    own = {row.sequence for row in load_model("nelm").strategies.values()}
    assert own <= set(found)


def test_without_the_section_the_treatments_of_the_strategies_are_ordered(tmp_path):
    model = changed(tmp_path, re.compile(r"sequences:\n(  .*\n)+"), "")
    assert model.sequences is None
    found = rules_of(model)
    assert (found.lines, found.last) == (3, "care")
    assert sequences_of(found) == [("surgery", "drug", "care"), ("drug", "surgery", "care")]


def test_what_is_asked_for_takes_the_place_of_the_rules():
    model = load_model(str(LINES))
    assert len(sequences_of(rules_of(model))) == math.perm(4, 3)
    assert len(sequences_of(rules_of(model, lines=2))) == 4
    first = sequences_of(rules_of(model, first=["drug"]))
    assert len(first) == math.perm(3, 2)
    assert {sequence[0] for sequence in first} == {"drug"}
    assert len(sequences_of(rules_of(model, exclude=["drug"]))) == math.perm(3, 3)
    assert len(sequences_of(rules_of(model, last="pills"))) == math.perm(3, 3)


def test_own_strategies_keep_their_names_and_others_are_named_by_their_treatments():
    model = load_model(str(LINES))
    found = model_of_sequences(model, sequences_of(rules_of(model, lines=3)))
    assert found.strategies["drug_first"].sequence == ("drug", "surgery", "care")
    assert found.strategies["pills-drug-care"].label == "Pills → A drug → Care"


def changed(tmp_path, old, new):
    text = LINES.read_text()
    found = old.sub(new, text) if isinstance(old, re.Pattern) else text.replace(old, new)
    assert found != text
    for folder in ("models", "params"):
        (tmp_path / folder).mkdir()
    (tmp_path / "models" / "lines.yaml").write_text(found)
    parameters = (LINES.parents[1] / "params" / "lines.yaml").read_text()
    (tmp_path / "params" / "lines.yaml").write_text(parameters)
    return load_model(str(tmp_path / "models" / "lines.yaml"))


SECTION = "  lines: 4\n  last: care\n"


BAD_RULES = [
    ("surgey: {lines: [1]}", ["unknown treatment 'surgey'", "did you mean 'surgery'"]),
    ("surgery: {line: [1]}", ["unknown key 'line'", "did you mean 'lines'"]),
    ("surgery: {lines: [5]}", ["names line 5, and sequences have 4"]),
    ("surgery: {source: why}", ["rule of 'surgery' says nothing"]),
    ("surgery: first", ["rules.surgery"]),
    ("care: {lines: [1]}", ["last line of every sequence and has a rule"]),
    ("drug: {after: [pills], not_after: [pills]}", ["wants 'pills' earlier and forbids it"]),
    ("drug: {after: [pills], lines: [1]}", ["allows the first line only"]),
]


@pytest.mark.parametrize(
    ("new", "words"),
    [
        ("  lines: 0\n", ["sequences of 0 lines", "1 to 12"]),
        ("  lines: 4\n  last: cure\n", ["unknown treatment 'cure'", "did you mean 'care'"]),
        ("  lines: four\n", ["'lines' must be a whole number"]),
        ("  last: care\n", ["lacks 'lines'"]),
        ("  lines: 4\n  lats: care\n", ["unknown key 'lats'", "did you mean 'last'"]),
        *((f"{SECTION}  rules: {{{rule}}}\n", words) for rule, words in BAD_RULES),
    ],
)
def test_bad_rules_are_refused_in_words(tmp_path, new, words):
    with pytest.raises(ModelError) as caught:
        changed(tmp_path, SECTION, new)
    for word in words:
        assert word in str(caught.value)


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        ({"first": ["drg"]}, "'drg' is not among the treatments"),
        ({"exclude": ["care"]}, "is not among the treatments|is excluded"),
        ({"last": "cure"}, "unknown treatment 'cure'"),
        ({"lines": 99}, "sequences of 99 lines"),
    ],
)
def test_bad_requests_are_refused_in_words(asked, words):
    with pytest.raises(ModelError, match=words):
        rules_of(load_model(str(LINES)), **asked)


def test_a_model_without_sequences_is_refused():
    with pytest.raises(ModelError, match="are no sequences of treatments"):
        rules_of(load_model("hiv"))


def test_strategies_that_differ_in_a_column_are_refused(tmp_path):
    text = "sequence: [surgery, drug, care]"
    model = changed(
        tmp_path,
        re.compile(rf"{re.escape(text)}(.*\n.*)care\](.*(?:\n.*)*?)treatment.c_year"),
        rf"{text[:-1]}], extra: 1\1care], extra: 2\2strategy.extra * treatment.c_year",
    )
    with pytest.raises(ModelError, match="the strategies differ in 'extra'"):
        model_of_sequences(model, [("drug", "care")])


def test_an_expression_that_asks_for_the_strategy_is_refused(tmp_path):
    asks = "where(strategy == drug_first, 2, 1) * treatment.c_year"
    model = changed(tmp_path, "price: treatment.c_year", f'price: "{asks}"')
    with pytest.raises(ModelError, match="asks for the strategy"):
        model_of_sequences(model, [("drug", "care")])

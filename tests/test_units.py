import pytest

from qalyst.units import nouns, parse_unit


@pytest.mark.parametrize("word", ["check", "define", "parse_units", "dimensionless", "inf", "per"])
def test_any_word_is_a_noun_of_its_own(word):
    unit = parse_unit(f"USD/{word}")
    assert nouns(unit) == {word: -1}
    assert not unit.like(parse_unit("USD"))
    assert parse_unit(word).times(unit).like(parse_unit("USD"))


@pytest.mark.parametrize("order", [("tablet", "tablets"), ("capsules", "capsule")])
def test_a_plural_is_another_noun_whichever_is_read_first(order):
    one, other = map(parse_unit, order)
    assert not one.like(other)

"""Laws of the expression language, on random trees."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qalyst.errors import ModelError
from qalyst.model.expressions import (
    Among,
    Binary,
    Call,
    Column,
    Comparison,
    Expr,
    Index,
    Logic,
    Name,
    Negative,
    Not,
    Number,
    Truth,
    parse,
    text_of,
)

words = st.sampled_from(["a", "hr_new", "years", "strategy"])
leaves: st.SearchStrategy[Expr] = st.one_of(
    st.floats(-1e6, 1e6).map(Number),
    st.booleans().map(Truth),
    words.map(Name),
    st.builds(Column, words, words),
)


def larger(parts: st.SearchStrategy[Expr]) -> st.SearchStrategy[Expr]:
    several = st.lists(parts, min_size=2, max_size=3).map(tuple)
    return st.one_of(
        # minus a number is a number
        parts.filter(lambda part: not isinstance(part, Number)).map(Negative),
        parts.map(Not),
        st.builds(Binary, st.sampled_from(["+", "-", "*", "/", "**"]), parts, parts),
        st.builds(Comparison, st.sampled_from(["==", "!=", "<", "<=", ">", ">="]), parts, parts),
        st.builds(Logic, st.sampled_from(["and", "or"]), several),
        st.builds(Among, parts, several),
        st.builds(Index, words, several),
        st.builds(Call, st.just("min"), st.tuples(parts, parts)),
        st.builds(Call, st.just("where"), st.tuples(parts, parts, parts)),
    )


@given(st.recursive(leaves, larger, max_leaves=12))
def test_the_text_of_a_tree_parses_to_the_tree(tree):
    assert parse(text_of(tree), "here") == tree


def test_a_number_that_no_float_holds_is_refused():
    with pytest.raises(ModelError, match="write a finite number"):
        parse(10**400, "here")

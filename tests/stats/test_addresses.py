import hashlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from qalyst.errors import ModelError
from qalyst.stats.addresses import BELOW_ONE, GOLDEN, mix64, uniforms

SEEDS = st.integers(0, 2**64 - 1)
NAMES = st.text("abc_é 0,", max_size=12)


def plain_uniform(seed, record, cell, draw):
    """The documented formula in whole numbers of Python."""
    text = seed.to_bytes(8, "little")
    for name in (record.encode(), cell.encode()):
        text += len(name).to_bytes(8, "little") + name
    key = int.from_bytes(hashlib.blake2b(text, digest_size=8).digest(), "little")
    bits = (key + draw * 0x9E3779B97F4A7C15) % 2**64
    bits = ((bits ^ (bits >> 30)) * 0xBF58476D1CE4E5B9) % 2**64
    bits = ((bits ^ (bits >> 27)) * 0x94D049BB133111EB) % 2**64
    bits ^= bits >> 31
    return ((bits >> 11) + 0.5) * 2.0**-53


def test_the_mixer_gives_the_published_numbers_of_splitmix64():
    # Seed 1234567: test vector of Vigna's splitmix64.c as used by Rosetta Code.
    states = np.uint64(1234567) + np.arange(1, 6, dtype=np.uint64) * GOLDEN
    assert mix64(states).tolist() == [
        6457827717110365317,
        3203168211198807973,
        9817491932198370423,
        4593380528125082431,
        16408922859458223821,
    ]


@given(SEEDS, NAMES, NAMES, st.integers(0, 2**40))
def test_a_number_depends_on_its_address_alone(seed, record, cell, draw):
    assert uniforms(seed, record, cell, [draw])[0] == plain_uniform(seed, record, cell, draw)


@given(st.integers(0, 200), st.integers(0, 200))
def test_draws_cut_anywhere_are_the_same_numbers(first, second):
    start, stop = sorted((first, second))
    whole = uniforms(7, "p_response", "old", np.arange(200))
    np.testing.assert_array_equal(
        uniforms(7, "p_response", "old", range(start, stop)), whole[start:stop]
    )


def test_the_order_in_which_draws_are_asked_for_does_not_matter():
    draws = np.arange(100)
    forwards = uniforms(0, "c_scan", "", draws)
    np.testing.assert_array_equal(uniforms(0, "c_scan", "", draws[::-1])[::-1], forwards)


def test_adding_a_record_changes_no_draw():
    names = ["p_response", "u_stable", "c_scan"]
    before = {name: uniforms(1, name, "", range(50)) for name in names}
    after = {name: uniforms(1, name, "", range(50)) for name in ["c_new", *reversed(names)]}
    for name in names:
        np.testing.assert_array_equal(before[name], after[name])


def test_record_and_cell_do_not_run_together():
    assert uniforms(0, "ab", "c", [0])[0] != uniforms(0, "a", "bc", [0])[0]


def test_seed_zero_is_a_seed_like_another():
    zero, one = uniforms(0, "a", "", range(1000)), uniforms(1, "a", "", range(1000))
    assert not np.any(zero == one)


@pytest.mark.parametrize("seed", [-1, 2**64])
def test_a_seed_that_is_no_64_bit_number_is_refused(seed):
    with pytest.raises(ModelError, match="not a 64-bit number"):
        uniforms(seed, "a", "", range(3))


def test_numbers_lie_strictly_between_zero_and_one():
    u = uniforms(0, "a", "", range(100_000))
    assert u.min() > 0
    assert u.max() <= BELOW_ONE < 1


def test_numbers_are_uniform_and_records_independent():
    n = 200_000
    one, other = (uniforms(0, name, "", range(n)) for name in ("a", "b"))
    counts = np.bincount((one * 100).astype(int), minlength=100)
    chi_square = ((counts - n / 100) ** 2).sum() / (n / 100)
    assert abs(chi_square - 99) / np.sqrt(2 * 99) < 4  # z-score, 99 degrees of freedom
    assert abs(np.corrcoef(one, other)[0, 1]) * np.sqrt(n) < 4
    assert abs(np.corrcoef(one[1:], one[:-1])[0, 1]) * np.sqrt(n) < 4

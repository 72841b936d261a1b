import itertools
import math

import numpy as np
import pytest
from scipy import special

from qalyst.decision.convergence import enough_draws
from qalyst.decision.replicates import error_multiplier, error_of_mean
from qalyst.errors import ModelError
from qalyst.stats.addresses import uniforms
from qalyst.stats.designs import MOST_DIMENSIONS, Addressed, Design, scrambled, sobol_points

TWO = (("p_one", ""), ("table", "[a]"))


def design(kind, draws=64, replicates=8, coordinates=TWO, seed=3):
    return Design(kind, seed, draws, replicates, tuple(coordinates))


def every(one, address):
    return one.at(np.arange(one.draws)).uniforms(*address)


def test_plain_uniforms_are_those_of_the_address():
    index = np.arange(5, 9)
    assert Addressed(7, index).uniforms("a", "b").tolist() == uniforms(7, "a", "b", index).tolist()


@pytest.mark.parametrize("kind", ["sobol", "latin"])
@pytest.mark.parametrize("address", TWO)
def test_each_stratum_of_a_coordinate_holds_one_point(kind, address):
    one = design(kind, draws=8 * 32)
    u = every(one, address)
    for replicate in range(8):
        assert sorted((u[replicate::8] * 32).astype(int)) == list(range(32))


def test_latin_strata_are_whole_for_numbers_that_are_no_power_of_two():
    u = every(design("latin", draws=30, replicates=2), TWO[0])
    for replicate in range(2):
        assert sorted((u[replicate::2] * 15).astype(int)) == list(range(15))


def test_two_sobol_coordinates_fill_every_elementary_interval():
    # the first two dimensions of Sobol's sequence are a (0, 2)-sequence: of 16 points one lies in
    # each of the 16 boxes of any shape, and nested scrambling keeps that
    one = design("sobol", draws=8 * 16)
    x, y = (every(one, address) for address in TWO)
    for replicate, (a, b) in itertools.product(range(8), [(1, 16), (2, 8), (4, 4), (8, 2)]):
        boxes = (x[replicate::8] * a).astype(int) * b + (y[replicate::8] * b).astype(int)
        assert sorted(boxes) == list(range(16))


@pytest.mark.parametrize("kind", ["sobol", "latin"])
def test_any_chunk_gives_the_same_numbers(kind):
    one = design(kind)
    assert (one.at(np.arange(10, 31)).uniforms(*TWO[1]) == every(one, TWO[1])[10:31]).all()


@pytest.mark.parametrize("kind", ["sobol", "latin"])
def test_a_parameter_added_after_the_others_changes_none_of_them(kind):
    before, after = design(kind), design(kind, coordinates=(*TWO, ("new", "")))
    for address in TWO:
        assert (every(before, address) == every(after, address)).all()


def test_the_order_of_parameters_matters_to_no_latin_hypercube():
    assert (
        every(design("latin"), TWO[1]) == every(design("latin", coordinates=TWO[::-1]), TWO[1])
    ).all()


def test_sobol_designs_grow_at_their_end():
    small, large = design("sobol"), design("sobol", draws=128)
    assert (every(small, TWO[1]) == every(large, TWO[1])[:64]).all()


def test_replicates_seeds_and_coordinates_differ():
    one = design("sobol")
    u = every(one, TWO[0])
    assert not set(u[0::8]) & set(u[1::8])
    assert not set(u) & set(every(one, TWO[1]))
    assert not set(u) & set(every(design("sobol", seed=4), TWO[0]))


def test_sobol_points_in_parts_are_those_in_one_piece():
    whole = sobol_points(5, 0, 21)
    assert (np.concatenate([sobol_points(5, 0, 7), sobol_points(5, 7, 14)]) == whole).all()


def test_scrambled_points_are_uniform_in_every_bit():
    # one point under 1,024 scrambles: Kolmogorov's distance at a level of 1e-4 is 2.23 / sqrt(n)
    u = np.sort([scrambled([0b1011 << 20], key)[0] for key in range(1024)])
    distance = np.abs(u - (np.arange(1024) + 0.5) / 1024).max()
    assert distance < 2.23 / math.sqrt(1024)


@pytest.mark.parametrize(
    ("kind", "draws", "replicates", "words"),
    [
        ("sobol", 1000, 8, "--draws 512 or 1024"),
        ("sobol", 5, 8, "--draws 8 or 16"),
        ("latin", 1001, 8, "--draws 1000 or 1008"),
        ("sobol", 1024, 1, "2 or more"),
        ("latin", 1024, 0, "2 or more"),
    ],
)
def test_draws_that_a_design_cannot_have_are_refused(kind, draws, replicates, words):
    with pytest.raises(ModelError, match=words):
        design(kind, draws, replicates)


def test_more_dimensions_than_there_are_direction_numbers_are_refused():
    many = [("table", str(number)) for number in range(MOST_DIMENSIONS + 1)]
    with pytest.raises(ModelError, match="21,202 uncertain numbers"):
        design("sobol", coordinates=many)
    with pytest.raises(ModelError, match="do not fit"):
        design("latin", draws=16_000, coordinates=many)


def linear(kind, seed, draws=1024, dimensions=8):
    """A linear function of normal parameters, [draw]; its mean is 0 and its variance 1."""
    names = tuple((f"x{number}", "") for number in range(dimensions))
    one = design(kind, draws, 8, names, seed)
    points = one.at(np.arange(draws))
    scores = [special.ndtri(points.uniforms(*name)) for name in names]
    return np.sum(scores, axis=0) / math.sqrt(dimensions)


@pytest.mark.parametrize("kind", ["sobol", "latin"])
def test_error_of_a_linear_mean_is_far_below_that_of_independent_draws(kind):
    error = float(error_of_mean(linear(kind, 1), 8))
    assert error < 0.1 / math.sqrt(1024)


@pytest.mark.verification
@pytest.mark.parametrize("kind", ["sobol", "latin"])
def test_intervals_of_replicates_cover_the_mean(kind):
    # 95 % of 200 intervals; 4 standard errors are 0.06
    hits = []
    for seed in range(200):
        values = linear(kind, seed, draws=256)
        hits.append(abs(values.mean()) <= error_multiplier(8) * float(error_of_mean(values, 8)))
    assert abs(np.mean(hits) - 0.95) < 0.06


@pytest.mark.verification
def test_intervals_of_replicates_cover_evpi_and_probability():
    # net benefit 0.5 + z against 0: EVPI is phi(0.5) - 0.5 (1 - Phi(0.5)), P(best) = Phi(0.5)
    truth = math.exp(-0.125) / math.sqrt(2 * math.pi) - 0.5 * special.ndtr(-0.5)
    hits = []
    for seed in range(200):
        benefit = 0.5 + linear("sobol", seed, draws=512)
        nothing = np.zeros_like(benefit)
        found = enough_draws(
            {"old": nothing, "new": -benefit},
            {"old": nothing, "new": nothing},
            0,
            replicates=8,
        ).curves.isel(wtp=0)
        reach = error_multiplier(8)
        hits.append(
            (
                abs(float(found.evpi) - truth) <= reach * float(found.evpi_mcse),
                abs(float(found.ceaf) - special.ndtr(0.5)) <= reach * float(found.ceaf_mcse),
            )
        )
    assert (np.abs(np.mean(hits, axis=0) - 0.95) < 0.065).all()

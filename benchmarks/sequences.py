"""Time of 200 treatment sequences under probabilistic analysis, beside a scalar loop of each.

``OPENBLAS_NUM_THREADS=1 python benchmarks/sequences.py --draws 10000`` prints the rows of
SEQUENCES.md. Sequences are four lines out of twelve treatments; 480 monthly cycles; progression is
a Weibull by time in state, death of the disease is constant, background mortality rises with age
(Gompertz). All numbers are made up; they are of the size of those of a slow cancer.
"""

from __future__ import annotations

import argparse
import os
import time

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # one core: before numpy is imported

import numba
import numpy as np

from qalyst.kernels.sojourns import through_lines

TREATMENTS, LINES, CYCLES, CYCLE = 12, 4, 480, 1 / 12
PROGRESS, DIE = 0, 1
CHUNK = 250


def drawn_hazards(draws: int, seed: int = 5) -> np.ndarray:
    """[draw, treatment, cause, residence] hazards per cycle."""
    random = np.random.default_rng(seed)
    size = (draws, TREATMENTS)
    rate = np.linspace(0.25, 1.0, TREATMENTS) * random.gamma(60, 1 / 60, size)
    shape = random.normal(np.linspace(0.8, 1.5, TREATMENTS), 0.05, size)
    death = np.linspace(0.02, 0.15, TREATMENTS) * random.gamma(40, 1 / 40, size)
    years = np.arange(CYCLES + 1) * CYCLE
    cumulated = (years * rate[..., None]) ** shape[..., None]
    hazards = np.empty((draws, TREATMENTS, 2, CYCLES))
    hazards[:, :, PROGRESS] = np.diff(cumulated, axis=-1)
    hazards[:, :, DIE] = death[..., None] * CYCLE
    return hazards


def calendar() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Background hazards, weights of heads [row, point], and of moves to the next line."""
    points = np.arange(CYCLES + 1) * CYCLE
    background = 0.006 * np.exp(0.085 * points[:-1]) * CYCLE
    half_cycle = np.r_[0.5, np.ones(CYCLES - 1), 0.5] * CYCLE
    discount = 1.03**-points
    utility = 0.9 - 0.004 * points
    heads = half_cycle * np.stack([np.ones(CYCLES + 1), discount, utility, utility * discount])
    onward = np.stack([np.ones(CYCLES), discount[:-1]])
    return background, heads, onward


def random_sequences(count: int, seed: int = 3) -> list[tuple[int, ...]]:
    """Different sequences, each treatment at most once."""
    random = np.random.default_rng(seed)
    found: set[tuple[int, ...]] = set()
    while len(found) < count:
        found.add(tuple(int(each) for each in random.permutation(TREATMENTS)[:LINES]))
    return sorted(found)


def tree(sequences: list[tuple[int, ...]]) -> tuple[np.ndarray, np.ndarray, dict[tuple, int]]:
    """Parent and treatment of each node, and the node of each beginning of a sequence."""
    node: dict[tuple[int, ...], int] = {}
    for line in range(1, LINES + 1):
        for sequence in sequences:
            node.setdefault(sequence[:line], len(node))
    parent = np.array([node.get(path[:-1], -1) for path in node])
    return parent, np.array([path[-1] for path in node]), node


@numba.njit(cache=True, error_model="numpy")
def one_by_one(sequence, hazards, background, heads, onward, time_, passed):
    """The scalar loop: one sequence, every occupied cell, with exp and division."""
    draws, cycles, lines = hazards.shape[0], background.size, sequence.size
    occupied = np.zeros((lines, cycles + 1))
    for draw in range(draws):
        occupied[:] = 0.0
        occupied[0, 0] = 1.0
        for cycle in range(cycles + 1):
            for line in range(lines - 1, -1, -1):
                key, moving, there = sequence[line], 0.0, 0.0
                for entry in range(line, 1 if line == 0 else cycle + 1):
                    heads_here = occupied[line, entry]
                    there += heads_here
                    if cycle < cycles:
                        progress = hazards[draw, key, 0, cycle - entry]
                        total = progress + hazards[draw, key, 1, cycle - entry] + background[cycle]
                        moving += heads_here * (1.0 - np.exp(-total)) * (progress / total)
                        occupied[line, entry] = heads_here * np.exp(-total)
                for row in range(heads.shape[0]):
                    time_[draw, line, row] += heads[row, cycle] * there
                if cycle < cycles:
                    for row in range(onward.shape[0]):
                        passed[draw, line, row] += onward[row, cycle] * moving
                    if line + 1 < lines:
                        occupied[line + 1, cycle + 1] = moving


def ours(hazards: np.ndarray, sequences: list[tuple[int, ...]]):
    """The sojourn matrices: time and moves of each node."""
    background, heads, onward = calendar()
    parent, key, node = tree(sequences)
    nothing, none = np.zeros((1, 0, CYCLES)), np.array([], int)
    time_, _, passed = through_lines(
        hazards, background[None], heads[None], nothing, none, onward[None], parent, key,
        np.ones((len(hazards), len(parent))),
    )  # fmt: skip
    return time_, passed, node


def largest_difference(hazards: np.ndarray, sequences: list[tuple[int, ...]]) -> float:
    """Largest relative difference from the scalar loop, over lines and payoffs."""
    time_, passed, node = ours(hazards, sequences)
    background, heads, onward = calendar()
    worst = 0.0
    for sequence in sequences[:: max(len(sequences) // 23, 1)]:
        plain = np.zeros((len(hazards), LINES, len(heads)))
        moves = np.zeros((len(hazards), LINES, len(onward)))
        one_by_one(np.array(sequence), hazards, background, heads, onward, plain, moves)
        for line in range(LINES):
            here = node[sequence[: line + 1]]
            worst = max(worst, np.abs(time_[:, here] / plain[:, line] - 1).max())
            if line + 1 < LINES:
                worst = max(worst, np.abs(passed[:, here] / moves[:, line] - 1).max())
    return worst


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--draws", type=int, default=10_000)
    options.add_argument("--sequences", type=int, default=200)
    options.add_argument("--sample", type=int, default=5, help="draws of the scalar loop")
    asked = options.parse_args()
    sequences = random_sequences(asked.sequences)
    begin = time.perf_counter()
    ours(drawn_hazards(2), sequences)
    print(f"compile or load: {time.perf_counter() - begin:.2f} s")
    worst = largest_difference(drawn_hazards(4), sequences)
    print(f"largest relative difference, 4 draws, 23 sequences: {worst:.1e}")
    assert worst < 1e-11
    kernel = tables = processor = 0.0
    for chunk in range(0, asked.draws, CHUNK):
        begin = time.perf_counter()
        hazards = drawn_hazards(min(CHUNK, asked.draws - chunk), seed=chunk)
        middle, busy = time.perf_counter(), time.process_time()
        ours(hazards, sequences)
        kernel += time.perf_counter() - middle
        processor += time.process_time() - busy
        tables += middle - begin
    print(
        f"sojourn matrices: {kernel:.1f} s for {asked.draws:,} draws "
        f"({processor:.1f} s of processor time, {processor / asked.draws * 1e3:.2f} ms a draw), "
        f"{len(tree(sequences)[0])} nodes; "
        f"drawing and tables {tables:.1f} s"
    )
    background, heads, onward = calendar()
    hazards = drawn_hazards(asked.sample)
    plain = np.zeros((asked.sample, LINES, len(heads)))
    moves = np.zeros((asked.sample, LINES, len(onward)))
    begin = time.process_time()
    for sequence in sequences[:5]:
        one_by_one(np.array(sequence), hazards, background, heads, onward, plain, moves)
    scalar = (time.process_time() - begin) / asked.sample / 5
    whole = scalar * asked.sequences * asked.draws
    print(
        f"scalar loop: {scalar * 1e3:.2f} ms for a draw of a sequence, {whole:,.0f} s for all "
        f"(scaled from 5 sequences, {asked.sample} draws): {whole / processor:.0f} times as long"
    )


if __name__ == "__main__":
    main()

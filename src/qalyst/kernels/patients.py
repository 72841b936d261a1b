"""The patient kernel: one compilation for every model that has states and causes.

Every cause of a patient is a unit-rate clock with an exponential threshold. It fires when its
integrated hazard reaches the threshold; the winner draws its next, losers keep what is left, so
that the law is that of competing risks. With one event a cycle who moves waits for the end of the
cycle; with any number the move is at its moment.
"""

from __future__ import annotations

import math

import numba

from qalyst.kernels.chance import exponential, patient_key, uniform
from qalyst.kernels.clocks import completed, fires_after, used_up, value_at
from qalyst.kernels.patient_layout import (
    AGED,
    BRANCH_HIGH,
    BRANCH_LOW,
    CAUSE,
    EVENT,
    FACTOR,
    FIRES,
    NODE_CAUSE,
    PLACE,
    ROW_HIGH,
    ROW_LOW,
    SCHEDULE_HIGH,
    SCHEDULE_LOW,
    STRIDE,
    TO,
)
from qalyst.kernels.payoffs import add_event, add_stay
from qalyst.kernels.rows import FAST, LANE

UNDRAWN = -1.0
DEPTH = 2  # thresholds of each clock that quasi-random points may give
# columns of a story
STORY_PATIENT, STORY_PROGRAM, STORY_PLACE, STORY_CAUSE, STORY_ENTER, STORY_LEAVE = range(6)
STORY_COLUMNS = 6


@numba.njit(**LANE)
def _luck(t, key, counts, cause, mirrored):
    """The next uniform number of a cause."""
    u = uniform(key, t.purposes[cause], counts[cause])
    counts[cause] += 1
    return 1.0 - u if mirrored else u


@numba.njit(**LANE)
def _pass_nodes(t, numbers, slots, counts, key, mirrored, to, moment, at_once):
    """Through the chance nodes of a move to the compartment where time is spent."""
    cycle = int(moment)
    while to < 0:
        node = -1 - to
        low, high = t.nodes[node, BRANCH_LOW], t.nodes[node, BRANCH_HIGH]
        taken = high - 1
        if high - low > 1:
            u = _luck(t, key, counts, t.nodes[node, NODE_CAUSE], mirrored)
            for b in range(low, high - 1):
                u -= numbers[t.branches[b, FACTOR] + t.branches[b, STRIDE] * cycle]
                if u < 0.0:
                    taken = b
                    break
        if t.branches[taken, EVENT] >= 0:
            add_event(t, numbers, slots, t.branches[taken, EVENT], moment, at_once)
        to = t.branches[taken, TO]
    return to


@numba.njit(**LANE)
def _scheduled(t, numbers, counts, key, mirrored, m, cycle, since):
    """The scheduled move of a patient at the start of a cycle; -1 if there is none.

    The shares are of the same heads: each row is asked about those whom the rows before it left.
    """
    left = 1.0
    for r in range(t.compartments[m, SCHEDULE_LOW], t.compartments[m, SCHEDULE_HIGH]):
        share = value_at(t.schedules, t.maps, numbers, r, cycle, completed(cycle - since))
        if share > 0.0:
            if _luck(t, key, counts, t.schedules[r, CAUSE], mirrored) * left < share:
                return r
            left -= share
    return -1


@numba.njit(**LANE)
def _live(
    t, numbers, program, key, mirrored, points, shifts, thresholds, counts, slots, trace, above,
    story, told, who,
):  # fmt: skip
    """One patient's course under one program; stories told so far are returned.

    Parameters
    ----------
    points, shifts : [clock x depth] quasi-random numbers and their shift; may be empty.
    thresholds, counts : [cause] working rows.
    slots : [slot] what is added up, 0 at first.
    trace : [row, n + 2] differences of the number of patients; empty if it is not wanted.
    above : rows of the trace above those of this strategy.
    story : [row, column] stays and the causes that ended them; rows beyond it are only counted.
    """
    n, any_number, exact = t.shape[0], t.shape[3] != 0, t.shape[4] != 0
    rows, maps = t.rows, t.maps
    for k in range(t.shape[2]):
        thresholds[k] = UNDRAWN
        counts[k] = 0
    m = _pass_nodes(t, numbers, slots, counts, key, mirrored, t.begin[program], 0.0, True)
    time, enter, since = 0.0, 0.0, 0.0  # at risk from; here from; the clock of time in state from
    came_at_once, just_scheduled = False, False
    began = 0.0
    while True:
        went_at_once = False
        cause = -1
        to, event, moment = m, -1, time
        fires = t.compartments[m, FIRES]
        row = -1
        if fires >= 0 and time < n and not just_scheduled and t.next_fire[fires, int(time)] == time:
            row = _scheduled(t, numbers, counts, key, mirrored, m, int(time), since)
        just_scheduled = False
        if row >= 0:
            went_at_once = just_scheduled = True
            cause, to = t.schedules[row, CAUSE], t.schedules[row, TO]
            event = t.schedules[row, EVENT]
            leave = time
        else:
            ticks = t.compartments[m, AGED] != m
            until = float(n)
            if fires >= 0 and time < n:
                until = float(t.next_fire[fires, int(time) + 1])
            if ticks:
                until = min(until, math.floor(time) + 1.0)
            best, winner = until - time, -1
            x = time - since
            low, high = t.compartments[m, ROW_LOW], t.compartments[m, ROW_HIGH]
            if best > 0.0:
                for r in range(low, high):
                    k = rows[r, CAUSE]
                    if thresholds[k] == UNDRAWN:
                        thresholds[k] = _threshold(t, key, counts, k, mirrored, points, shifts)
                    after = fires_after(rows, maps, numbers, r, time, x, thresholds[k], best)
                    if after < best:
                        best, winner = after, r
                for r in range(low, high):
                    k = rows[r, CAUSE]
                    if r == winner:
                        thresholds[k] = UNDRAWN
                    else:
                        left = thresholds[k] - used_up(rows, maps, numbers, r, time, x, best)
                        thresholds[k] = max(left, 0.0)
            if winner < 0:
                ticked = ticks and best > 0.0 and until == math.floor(until)
                time = until
                if time < n and not ticked:
                    continue  # a schedule is due
                leave = time if ticked else n + 1.0
                to = t.compartments[m, AGED]
            else:
                moment = time + best
                cause, to, event = rows[winner, CAUSE], rows[winner, TO], rows[winner, EVENT]
                ended = math.floor(moment) + 1.0
                leave = moment if any_number or exact else ended
                time = moment if any_number else ended
                moment = min(moment, n - 1e-9)  # rounding never carries it over the horizon
        add_stay(t, numbers, slots, m, enter, leave, since, came_at_once, went_at_once)
        if trace.shape[0] > 0:
            place = above + t.compartments[m, PLACE]
            trace[place, math.ceil(enter)] += 1
            trace[place, math.ceil(leave)] -= 1
        if story.shape[0] > 0 and (cause >= 0 or leave > n):
            if told < story.shape[0]:
                story[told, STORY_PATIENT] = who
                story[told, STORY_PROGRAM] = program
                story[told, STORY_PLACE] = t.compartments[m, PLACE]
                story[told, STORY_CAUSE] = cause
                story[told, STORY_ENTER] = began
                story[told, STORY_LEAVE] = leave
            told += 1
        if leave > n:
            return told
        came_at_once = went_at_once
        enter = leave
        if cause >= 0:
            if event >= 0:
                add_event(t, numbers, slots, event, moment, went_at_once)
            to = _pass_nodes(t, numbers, slots, counts, key, mirrored, to, moment, went_at_once)
            since = time
            began = enter
        m = to


@numba.njit(**LANE)
def _threshold(t, key, counts, k, mirrored, points, shifts):
    """The next threshold of a clock."""
    count = counts[k]
    counts[k] += 1
    j = DEPTH * k + count
    if count < DEPTH and j < points.shape[0]:
        u = points[j] + shifts[j]
        return -math.log(u if u <= 1.0 else u - 1.0)
    return exponential(key, t.purposes[k], count, mirrored)


@numba.njit(**LANE)
def _profile(t, key, mirrored, upto):
    """The profile of a patient, given cumulated weights."""
    u = uniform(key, t.shape[5], 0)
    if mirrored:
        u = 1.0 - u
    p = 0
    while p < upto.shape[0] - 1 and u > upto[p]:
        p += 1
    return p


@numba.njit(cache=True, nogil=True, **FAST)
def run_patients(
    t, numbers, keys, upto, values, first, count, mirror, points, shifts, thresholds, counts,
    slots, own, sums, people, moments, squares, trace, totals, story,
):  # fmt: skip
    """Run a stretch of patients of each draw in every strategy; results are added up.

    Parameters
    ----------
    t : `PatientTables` of all programs: profile by profile within a strategy.
    numbers : [draw, number] values of the draw.
    keys : [draw] the keys of their luck.
    upto : [draw, profile] cumulated weights of the profiles.
    values : [draw, program, slot, outcome] what a slot is worth.
    first, count : the patients, by number.
    mirror : 1 if patients 2 k and 2 k + 1 share their luck, mirrored (antithetic).
    points : [patient, clock x depth] quasi-random numbers in [0, 1); [1, 0]: none.
    shifts : [draw, clock x depth] what a draw adds to them, modulo 1 (Cranley & Patterson 1976,
        SIAM J Numer Anal 13:904-914).
    thresholds, counts, slots, own : [cause], [cause], [slot], [1 + total] working rows.
    sums : [draw, program, slot] sums over patients.
    people : [draw, profile] how many patients.
    moments : [draw, 1 + totals, 1 + totals] sums of products of (1, totals of a patient), a total
        being [strategy, outcome]; the lower half. May be empty.
    squares : [program, slot, slot] sums of products of slots, the lower half; may be empty.
    trace : [strategy x place, n + 2] differences of the number of patients; may be empty.
    totals : [draw, patient, strategy, outcome] may be empty.
    story : [row, column] stays; may be empty.

    Returns
    -------
    How many rows the stories have.
    """
    profiles = upto.shape[1]
    strategies = t.begin.shape[0] // profiles
    slot_count, outcomes = values.shape[2], values.shape[3]
    own[0] = 1.0
    told = 0
    for draw in range(numbers.shape[0]):
        for patient in range(first, first + count):
            mirrored = mirror != 0 and (patient & 1) == 1
            key = patient_key(keys[draw], patient >> 1 if mirror != 0 else patient)
            profile = _profile(t, key, mirrored, upto[draw])
            people[draw, profile] += 1
            for strategy in range(strategies):
                program = strategy * profiles + profile
                slots[:] = 0.0
                told = _live(
                    t, numbers[draw], program, key, mirrored,
                    points[patient - first if points.shape[1] > 0 else 0], shifts[draw],
                    thresholds, counts, slots, trace,
                    strategy * (trace.shape[0] // strategies), story, told, patient,
                )  # fmt: skip
                for o in range(outcomes):
                    total = 0.0
                    for s in range(slot_count):
                        total += slots[s] * values[draw, program, s, o]
                    own[1 + strategy * outcomes + o] = total
                    if totals.shape[0] > 0:
                        totals[draw, patient - first, strategy, o] = total
                for s in range(slot_count):
                    sums[draw, program, s] += slots[s]
                if squares.shape[0] > 0:
                    for i in range(slot_count):
                        if slots[i] != 0.0:
                            for j in range(i + 1):
                                squares[program, i, j] += slots[i] * slots[j]
            if moments.shape[0] > 0:
                for i in range(own.shape[0]):
                    for j in range(i + 1):
                        moments[draw, i, j] += own[i] * own[j]
    return told

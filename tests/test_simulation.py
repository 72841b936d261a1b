"""What a run may be asked for, and the threads that it uses."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from qalyst.errors import ModelError
from qalyst.model.resolve import load_model
from qalyst.simulation import base_case, simulate


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        ({"draws": 0}, ["0 draws are none", "--draws 0", "1 or more"]),
        ({"draws": 10**8}, ["too many", "--draws 100000000"]),
        ({"seed": -1}, ["the seed -1", "--seed -1", "from 0 upwards"]),
        ({"seed": 2**64}, ["the seed 18446744073709551616"]),
        ({"threads": 0}, ["0 threads are none", "--threads 0"]),
        ({"threads": -5}, ["-5 threads are none"]),
    ],
)
def test_what_no_run_can_have_is_refused_though_nothing_is_drawn(asked, told):
    model = load_model("sumatriptan")
    with pytest.raises(ModelError) as error:
        simulate(model, **{"draws": 1, "seed": 1, **asked})
    for word in told:
        assert word in str(error.value)


def test_a_base_case_on_no_thread_is_refused():
    with pytest.raises(ModelError, match="0 threads are none"):
        base_case(load_model("hiv"), threads=0)


def test_one_thread_is_one_thread_in_the_base_case_and_in_the_draws(monkeypatch):
    asked = []

    def pool(workers):
        asked.append(workers)
        return ThreadPoolExecutor(workers)

    for module in ("simulation", "engines.cohort"):
        monkeypatch.setattr(f"qalyst.{module}.ThreadPoolExecutor", pool)
    model = load_model("hiv")
    base_case(model, threads=1)
    simulate(model, draws=300, seed=1, threads=1)
    assert asked == [1, 1]

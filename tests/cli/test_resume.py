"""A run that is stopped half-way, and gone on with: the same bits as one that was not."""

from __future__ import annotations

import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from qalyst.errors import ModelError
from qalyst.io.store import ChunkStore

DRAWS = 16
# What `qalyst run` does with its draws, without its tables and figures.
PROGRAM = """
import sys
from pathlib import Path
import numpy as np
from qalyst.io.store import ChunkStore
from qalyst.model.resolve import load_model
from qalyst.simulation import individuals_for, simulate

model = load_model("sick_sicker")
engine = individuals_for(model, patients=60_000, seed=3)
path, resume = Path(sys.argv[1]), sys.argv[2] == "resume"
with ChunkStore(path.with_suffix(".unfinished"), "this run", resume=resume) as store:
    found = simulate(model, draws=16, seed=3, threads=1, engine=engine, store=store)
np.savez(path, totals=found.totals.discounted, between=found.between_patients,
         quantities=found.quantities.discounted, profiles=found.profiles.discounted)
"""


def chunks(path: Path) -> int:
    if not path.exists():
        return 0
    try:
        with sqlite3.connect(path) as database:
            return database.execute("SELECT count(*) FROM chunks").fetchone()[0]
    except sqlite3.OperationalError:  # it is being made
        return 0


def wait_for_chunks(store: Path, process: subprocess.Popen[str]) -> None:
    deadline = time.monotonic() + 60
    while chunks(store) < 3 and process.poll() is None and time.monotonic() < deadline:
        time.sleep(0.005)


def test_a_run_that_was_killed_and_is_resumed_has_the_same_bits(tmp_path):
    words = [sys.executable, "-c", PROGRAM]
    subprocess.run([*words, tmp_path / "unbroken.npz", "begin"], check=True)
    process = subprocess.Popen([*words, tmp_path / "broken.npz", "begin"], text=True)
    store = tmp_path / "broken.unfinished"
    wait_for_chunks(store, process)
    process.send_signal(signal.SIGKILL)
    process.wait(timeout=60)
    assert 0 < chunks(store) < DRAWS
    assert not (tmp_path / "broken.npz").exists()
    subprocess.run([*words, tmp_path / "broken.npz", "resume"], check=True)
    one, other = (np.load(tmp_path / f"{name}.npz") for name in ("unbroken", "broken"))
    for name in one.files:
        np.testing.assert_array_equal(one[name], other[name])


def test_ctrl_c_says_how_to_go_on_and_resume_does(tmp_path):
    words = [sys.executable, "-m", "qalyst.cli", "run", "sick_sicker", "--threads", "1"]
    words += ["--patients", "60000", "--draws", str(DRAWS), "--out", str(tmp_path / "here")]
    process = subprocess.Popen(words, stderr=subprocess.PIPE, text=True)
    store = tmp_path / "here.unfinished"
    wait_for_chunks(store, process)
    process.send_signal(signal.SIGINT)
    told = process.communicate(timeout=60)[1]
    assert process.returncode == 130
    assert "add --resume to go on" in told
    assert 0 < chunks(store) < DRAWS
    assert not (tmp_path / "here").exists()
    subprocess.run([*words, "--resume"], check=True, capture_output=True)
    assert (tmp_path / "here" / "index.html").exists()
    assert not store.exists()


def test_another_run_cannot_be_gone_on_with(tmp_path):
    path = tmp_path / "run.unfinished"
    with ChunkStore(path, "one", resume=False):
        pass
    with pytest.raises(ModelError, match="is another one"):
        ChunkStore(path, "two", resume=True)


def test_nothing_to_go_on_with(tmp_path):
    with pytest.raises(ModelError, match="no unfinished run"):
        ChunkStore(tmp_path / "run.unfinished", "one", resume=True)


def test_a_damaged_chunk_is_as_good_as_none(tmp_path):
    path = tmp_path / "run.unfinished"
    with ChunkStore(path, "one", resume=False) as store:
        store.put(0, {"x": np.arange(3.0)})
        np.testing.assert_array_equal(store.get(0)["x"], [0.0, 1.0, 2.0])
    with sqlite3.connect(path) as database:
        database.execute("UPDATE chunks SET data = zeroblob(length(data))")
    with ChunkStore(path, "one", resume=True) as store:
        assert store.get(0) is None

"""A run that is stopped half-way, and gone on with: the same bits as one that was not."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import pytest

from qalyst.errors import ModelError
from qalyst.io.store import ChunkStore

RUN = [sys.executable, "-m", "qalyst.cli", "run", "sick_sicker", "--threads", "1"]
REQUEST = ["--engine", "individuals", "--draws", "16", "--patients", "60000", "--seed", "3"]


def tables(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted((folder / "tables").glob("*.csv"))}


def chunks(path: Path) -> int:
    if not path.exists():
        return 0
    try:
        with sqlite3.connect(path) as database:
            return database.execute("SELECT count(*) FROM chunks").fetchone()[0]
    except sqlite3.OperationalError:  # it is being made
        return 0


def stopped_half_way(folder: Path, kill: int) -> subprocess.CompletedProcess[str]:
    """A run that is sent a signal after some chunks, long before it ends."""
    process = subprocess.Popen(
        [*RUN, *REQUEST, "--out", str(folder)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "MPLBACKEND": "Agg"},
    )
    store = folder.with_name(f"{folder.name}.unfinished")
    deadline = time.monotonic() + 60
    while chunks(store) < 3 and process.poll() is None and time.monotonic() < deadline:
        time.sleep(0.01)
    process.send_signal(kill)
    out, told = process.communicate(timeout=60)
    return subprocess.CompletedProcess(process.args, process.returncode, out, told)


@pytest.mark.parametrize("kill", [signal.SIGKILL, signal.SIGINT])
def test_a_run_that_is_resumed_has_the_same_bits(tmp_path, kill):
    unbroken, broken = tmp_path / "unbroken", tmp_path / "broken"
    subprocess.run([*RUN, *REQUEST, "--out", str(unbroken)], check=True, capture_output=True)
    stopped = stopped_half_way(broken, kill)
    store = broken.with_name("broken.unfinished")
    assert 0 < chunks(store) < 16
    assert not broken.exists()
    if kill == signal.SIGINT:
        assert stopped.returncode == 130
        assert "add --resume to go on" in stopped.stderr
    words = [*RUN, *REQUEST, "--out", str(broken), "--resume"]
    subprocess.run(words, check=True, capture_output=True)
    assert tables(broken) == tables(unbroken)
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
    import numpy as np

    path = tmp_path / "run.unfinished"
    with ChunkStore(path, "one", resume=False) as store:
        store.put(0, {"x": np.arange(3.0)})
        np.testing.assert_array_equal(store.get(0)["x"], [0.0, 1.0, 2.0])
    with sqlite3.connect(path) as database:
        database.execute("UPDATE chunks SET data = zeroblob(length(data))")
    with ChunkStore(path, "one", resume=True) as store:
        assert store.get(0) is None

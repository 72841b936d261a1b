"""What a long run has done so far: chunks of arrays in a file, so that it can be taken up again.

A chunk is there whole or not at all, also after the process was killed: SQLite commits it with a
hash of its bytes. The store knows what it belongs to by a fingerprint.
"""

from __future__ import annotations

import hashlib
import io
import sqlite3
import threading
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from qalyst.errors import ModelError

Arrays = dict[str, NDArray[Any]]


class ChunkStore:
    """Chunks of a run in one file.

    Parameters
    ----------
    path : the file; made if it is not there.
    fingerprint : of all that the numbers depend on.
    resume : go on with what is there; else it is thrown away.

    Raises
    ------
    ModelError
        `resume`, and there is nothing to go on with, or it belongs to another run.
    """

    def __init__(self, path: Path, fingerprint: str, *, resume: bool) -> None:
        if resume and not path.exists():
            raise ModelError(
                "there is no unfinished run to go on with",
                where=str(path),
                mend="leave out --resume to begin",
            )
        if not resume:
            path.unlink(missing_ok=True)
        path.parent.mkdir(parents=True, exist_ok=True)
        self.path = path
        self._database = sqlite3.connect(path, check_same_thread=False)
        self._lock = threading.Lock()  # threads read while the first one writes
        self._database.execute("PRAGMA synchronous=FULL")
        self._database.execute(
            "CREATE TABLE IF NOT EXISTS chunks (first INTEGER PRIMARY KEY, hash TEXT, data BLOB)"
        )
        self._database.execute("CREATE TABLE IF NOT EXISTS run (fingerprint TEXT)")
        self._check(fingerprint)

    def _check(self, fingerprint: str) -> None:
        found = self._database.execute("SELECT fingerprint FROM run").fetchone()
        if found is None:
            with self._database:
                self._database.execute("INSERT INTO run VALUES (?)", (fingerprint,))
        elif found[0] != fingerprint:
            self._database.close()
            raise ModelError(
                "the unfinished run is another one: its model, seed, draws or patients differ",
                where=str(self.path),
                mend="ask for the same run, or leave out --resume to begin anew",
            )

    def __enter__(self) -> ChunkStore:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._database.close()

    @property
    def done(self) -> int:
        """How many chunks there are."""
        return int(self._database.execute("SELECT count(*) FROM chunks").fetchone()[0])

    def get(self, first: int) -> Arrays | None:
        """The arrays of the chunk that begins with a draw; None if it is not there, or damaged."""
        with self._lock:
            row = self._database.execute(
                "SELECT hash, data FROM chunks WHERE first = ?", (first,)
            ).fetchone()
        if row is None or hashlib.sha256(row[1]).hexdigest() != row[0]:
            return None
        with np.load(io.BytesIO(row[1]), allow_pickle=False) as arrays:
            return dict(arrays)

    def put(self, first: int, arrays: Mapping[str, NDArray[Any]]) -> None:
        """Keep the arrays of a chunk, if it is not there with the same shapes."""
        there = self.get(first)
        if there is not None and all(
            name in there and there[name].shape == each.shape for name, each in arrays.items()
        ):
            return
        buffer = io.BytesIO()
        np.savez(buffer, allow_pickle=False, **arrays)
        data = buffer.getvalue()
        with self._lock, self._database:
            self._database.execute(
                "INSERT OR REPLACE INTO chunks VALUES (?, ?, ?)",
                (first, hashlib.sha256(data).hexdigest(), data),
            )

    def remove(self) -> None:
        """Throw the file away: the run is finished."""
        self._database.close()
        self.path.unlink(missing_ok=True)

"""Named arrays with a description in one file: written whole, checksummed, the same bytes again.

The file is an `.npz` of numpy, which needs nothing of ours to be read. Two of its arrays are text:
`about`, a JSON object, and `sha256`, of everything else.
"""

from __future__ import annotations

import hashlib
import json
import os
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from qalyst.errors import ModelError

Arrays = dict[str, NDArray[Any]]
ABOUT, CHECKSUM = "about", "sha256"


def write_arrays(path: Path, arrays: Mapping[str, NDArray[Any]], about: Mapping[str, Any]) -> None:
    """Write arrays and what they are about; the file is there whole or not at all.

    Parameters
    ----------
    path : of the file.
    arrays : by name; numbers only.
    about : plain data.
    """
    text = json.dumps(about, sort_keys=True, allow_nan=False).encode()
    whole: Arrays = {**arrays, ABOUT: np.frombuffer(text, np.uint8)}
    whole[CHECKSUM] = np.frombuffer(_checksum(whole).encode(), np.uint8)
    unfinished = path.with_name(f".{path.name}.unfinished")
    try:
        with unfinished.open("wb") as file:
            np.savez(file, allow_pickle=False, **whole)
        os.replace(unfinished, path)
    finally:
        unfinished.unlink(missing_ok=True)


def read_arrays(path: Path, kind: str, mend: str) -> tuple[Arrays, dict[str, Any]]:
    """The arrays of a file, and what they are about.

    Parameters
    ----------
    path : of the file.
    kind : what `about` must call itself under `kind`.
    mend : how the user gets a file that can be read.

    Raises
    ------
    ModelError
        There is no such file, or it is damaged, or of another kind.
    """
    if not path.is_file():
        raise ModelError(f"no file '{path.name}'", where=str(path.parent), mend=mend)
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as archive:
            arrays: Arrays = dict(archive)
        expected = arrays.pop(CHECKSUM).tobytes().decode("ascii")
        about = json.loads(arrays[ABOUT].tobytes())
        known = about["kind"]
    except (OSError, EOFError, ValueError, KeyError, TypeError, zipfile.BadZipFile) as error:
        raise ModelError(
            f"'{path.name}' is damaged, or no file of qalyst ({error})", where=str(path), mend=mend
        ) from error
    if known != kind:
        raise ModelError(f"'{path.name}' holds '{known}', not '{kind}'", where=str(path), mend=mend)
    if _checksum(arrays) != expected:
        raise ModelError(
            f"'{path.name}' is damaged: its checksum is another one", where=str(path), mend=mend
        )
    del arrays[ABOUT]
    return arrays, about


def _checksum(arrays: Mapping[str, NDArray[Any]]) -> str:
    """Sha256 of names, types, shapes and bytes."""
    found = hashlib.sha256()
    for name in sorted(arrays):
        array = np.ascontiguousarray(arrays[name])
        found.update(f"{name} {array.dtype.str} {array.shape}\n".encode())
        found.update(array.tobytes())
    return found.hexdigest()

"""Where compiled kernels are kept: a folder of the user's, one for each version of the code."""

from __future__ import annotations

import hashlib
import os
import shutil
import sys
import tempfile
from pathlib import Path


def folder() -> Path:
    """The folder of compiled kernels for this version of their sources."""
    base = os.environ.get("QALYST_CACHE") or os.environ.get("XDG_CACHE_HOME")
    if base is None:
        local = {"win32": os.environ.get("LOCALAPPDATA", ""), "darwin": "~/Library/Caches"}
        base = local.get(sys.platform) or "~/.cache"
    sources = sorted(Path(__file__).parent.glob("*.py"))
    fingerprint = hashlib.sha256(b"".join(path.read_bytes() for path in sources)).hexdigest()
    return Path(base).expanduser() / "qalyst" / "kernels" / fingerprint[:16]


def use() -> None:
    """Let numba keep compiled kernels in `folder`; call it before numba is imported."""
    if "NUMBA_CACHE_DIR" in os.environ:
        return
    place = folder()
    try:
        place.mkdir(parents=True, exist_ok=True)
        writable = os.access(place, os.W_OK)
    except OSError:
        writable = False
    if not writable:  # compiled anew in every process, but it runs
        place = Path(tempfile.mkdtemp(prefix="qalyst-kernels-"))
    os.environ["NUMBA_CACHE_DIR"] = str(place)


def clear() -> bool:
    """Remove the compiled kernels, so that a damaged file is compiled anew.

    Returns
    -------
    removed
        False if they are kept in a folder of the user's own choice, which may hold other code.
    """
    place = os.environ.get("NUMBA_CACHE_DIR")
    if place is not None and Path(place) != folder():
        return False
    shutil.rmtree(folder(), ignore_errors=True)
    return True

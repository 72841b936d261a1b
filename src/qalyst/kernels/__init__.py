"""Compiled loops: arrays in, output last; no randomness, no strings, no checks.

Compiled code is kept in a folder of the user's (`qalyst.kernels.cache`).
"""

from qalyst.kernels import cache

cache.use()

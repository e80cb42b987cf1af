"""How this process asks for memory. A search makes arrays of some hundred kilobytes and lets go of them at once; by itself the C library gives
such memory back each time, and the next search has every page of it made anew, which took a third of the time of the dearest queries."""

from __future__ import annotations

import ctypes
import functools

_TRIM_THRESHOLD, _MMAP_THRESHOLD = -1, -3
"""Names of `mallopt`'s parameters in glibc's malloc.h."""
_KEPT_BYTES = 24 << 20
_LARGE_BYTES = 8 << 20


@functools.cache
def keep_freed() -> bool:
    """Keep up to 24 MiB of freed memory for the next arrays; one of 8 MiB or more is still given back. False where the C library cannot."""
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (OSError, AttributeError, TypeError):  # another C library than glibc, or another system
        return False
    return bool(mallopt(_TRIM_THRESHOLD, _KEPT_BYTES) and mallopt(_MMAP_THRESHOLD, _LARGE_BYTES))


def give_back() -> bool:
    """Give all freed memory back to the system, after something large. False where the C library cannot."""
    try:
        return bool(ctypes.CDLL(None).malloc_trim(0))
    except (OSError, AttributeError, TypeError):
        return False

"""Letting go of the parts of libraries that were read to load them and are not in use.

Loading a library touches most of its pages; they count as this process's from then on. What is let go of
stays in the page cache and comes back from there when it is used. A fork inherits none of it either way.
"""

from __future__ import annotations

import ctypes
import re
from contextlib import suppress

_MADV_DONTNEED = 4
_HEAD = re.compile(rb"([0-9a-f]+)-([0-9a-f]+) r-[-x]p \S+ \S+ [1-9]\d* +/")


def let_go() -> None:
    """Only of what is as it is in its file: mappings that are read only and hold no page of our own."""
    libc = ctypes.CDLL(None)
    begun: tuple[int, int] | None = None
    with suppress(OSError), open("/proc/self/smaps", "rb") as file:
        for line in file.read().splitlines():
            if head := _HEAD.match(line):
                begun = int(head[1], 16), int(head[2], 16)
            elif begun is not None and line.startswith(b"Anonymous:"):
                start, end = begun
                if int(line.split()[1]) == 0:
                    libc.madvise(ctypes.c_void_p(start), ctypes.c_size_t(end - start), _MADV_DONTNEED)
                begun = None

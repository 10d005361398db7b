"""Addresses of sockets in the file system, however deep they lie: the kernel takes 107 bytes."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_MOST_BYTES = 107


@contextmanager
def address_of(path: Path) -> Iterator[str]:
    """What to bind or connect to for a socket at `path`; good while the block lasts.

    A longer path is reached by its folder's descriptor. Raises `OSError` if the folder cannot be.
    """
    if len(os.fsencode(path)) <= _MOST_BYTES:
        yield str(path)
        return
    folder = os.open(path.parent, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        yield f"/proc/self/fd/{folder}/{path.name}"
    finally:
        os.close(folder)

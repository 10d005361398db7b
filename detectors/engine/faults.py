"""What parsers that are not ours raise on input that they did not expect."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from contextlib import contextmanager

from detectors.engine.table import Unreadable
from detectors.engine.verdict import Reason

PARSER_FAULTS: tuple[type[Exception], ...] = (
    ArithmeticError,
    AssertionError,
    AttributeError,
    BufferError,
    EOFError,
    ImportError,
    LookupError,
    OSError,
    RuntimeError,
    SystemError,
    TypeError,
    ValueError,
    struct.error,
)
"""To be caught right around a call of such a parser, never around code of ours. `Unreadable`,
`MemoryError` and the like pass."""


@contextmanager
def malformed_if(*faults: type[Exception]) -> Iterator[None]:
    """Turns what a parser raises over broken content into `Unreadable(malformed)`.

    Also a panic of one in Rust, whose class is no `Exception` and cannot be imported.
    """
    try:
        yield
    except (*PARSER_FAULTS, *faults):
        raise Unreadable(Reason.MALFORMED) from None
    except BaseException as fault:
        if type(fault).__name__ != "PanicException":
            raise
        raise Unreadable(Reason.MALFORMED) from None

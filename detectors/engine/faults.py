"""What parsers that are not ours raise on input that they did not expect."""

from __future__ import annotations

import struct

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

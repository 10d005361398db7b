"""The records of a sheet in a binary workbook (MS-XLSB 2.1.4), as far as needed to know how far it spans."""

from __future__ import annotations

from detectors.engine.table import Unreadable
from detectors.engine.verdict import Reason

_ROW, _CELLS = 0, range(1, 12)


def span(data: bytes) -> int:
    """Cells in the rectangle that the cells of one sheet span. A record that is cut off is `malformed`."""
    top, bottom, left, right = 1 << 32, -1, 1 << 32, -1
    row, position, end = 0, 0, len(data)
    try:
        while position < end:
            kind = data[position]
            position += 1
            if kind & 0x80:
                kind = kind & 0x7F | (data[position] & 0x7F) << 7
                position += 1
            length = shift = 0
            while True:
                byte = data[position]
                position += 1
                length |= (byte & 0x7F) << shift
                shift += 7
                if byte < 0x80 or shift > 21:
                    break
            if kind == _ROW:
                row = int.from_bytes(data[position : position + 4], "little")
            elif kind in _CELLS:
                column = int.from_bytes(data[position : position + 4], "little")
                top, bottom = min(top, row), max(bottom, row)
                left, right = min(left, column), max(right, column)
            position += length
    except IndexError:
        raise Unreadable(Reason.MALFORMED) from None
    return max(0, bottom - top + 1) * max(0, right - left + 1)

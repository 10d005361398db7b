"""Compound files of Office: legacy workbooks, and what the published password opens.

Word and PowerPoint before 2007 are not opened yet: `unsupported`, never clean.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import BinaryIO

from detectors.engine.compound import decrypted, office_protection, streams
from detectors.engine.streams import size_of
from detectors.engine.table import Content, Part, ReadLimits, Unreadable
from detectors.engine.verdict import Reason
from detectors.readers import legacy_sheet

MEDIA_TYPES = frozenset(
    {"application/x-encrypted-office", "application/x-ole-storage", "application/vnd.ms-excel"}
)


def read(stream: BinaryIO, media_type: str, limits: ReadLimits) -> Iterator[Content]:
    """Yield the decrypted document as a `Part`, or the tables of an old workbook."""
    names = streams(stream)
    if names is None:
        raise Unreadable(Reason.MALFORMED)
    legacy = names.keys() & {"workbook", "book"}
    if "encryptedpackage" in names or (legacy and legacy_sheet.is_locked(stream)):
        kind = office_protection(stream, size_of(stream))
        if kind is not None:
            yield kind
            return
        limits.spending().enter()
        yield Part(0, partial(decrypted, stream))
    elif legacy:
        yield from legacy_sheet.read(stream, media_type, limits)
    else:
        raise Unreadable(Reason.UNSUPPORTED)

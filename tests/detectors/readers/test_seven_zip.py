"""7z: members out of one solid folder, any method, encrypted in both ways."""

from __future__ import annotations

import io
from typing import Any

import py7zr
import pytest

from detectors.engine.table import Part, Protected, ReadLimits, Unreadable
from detectors.readers import seven_zip
from detectors.readers.seven_zip import ENCRYPTED, read

A, B = b"id,age\n" + b"1,30\n" * 30_000, b"x,y\n" * 500


def made(**options: Any) -> bytes:
    out = io.BytesIO()
    with py7zr.SevenZipFile(out, "w", **options) as target:
        target.writestr(A, "a.csv")
        target.writestr(B, "folder/b.csv")
    return out.getvalue()


def found(data: bytes) -> list[object]:
    return list(read(io.BytesIO(data), "application/x-7z-compressed", ReadLimits()))


@pytest.mark.parametrize(
    "filters",
    [
        [{"id": py7zr.FILTER_LZMA2, "preset": 1}],
        [{"id": py7zr.FILTER_BZIP2}],
        [{"id": py7zr.FILTER_DEFLATE}],
        [{"id": py7zr.FILTER_ZSTD, "level": 3}],
        [{"id": py7zr.FILTER_PPMD, "order": 6, "mem": 20}],
        [{"id": py7zr.FILTER_COPY}],
    ],
    ids=["lzma2", "bzip2", "deflate", "zstd", "ppmd", "copy"],
)
def test_members_come_out_whole_by_any_method(filters: list[dict[str, int]]) -> None:
    contents = []
    for part in read(io.BytesIO(made(filters=filters)), "application/x-7z-compressed", ReadLimits()):
        assert isinstance(part, Part)
        contents.append(part.open().read())
    assert contents == [A, B]


def test_encrypted_members_and_an_encrypted_list_are_strongly_protected() -> None:
    parts = found(made(password="made up"))
    assert [part.protected for part in parts if isinstance(part, Part)] == [ENCRYPTED, ENCRYPTED]
    assert found(made(password="made up", header_encryption=True)) == [Protected("sevenz_aes", strong=True)]


def test_a_dictionary_that_does_not_fit_into_memory_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(seven_zip, "MAX_DICTIONARY", 1000)
    part = next(read(io.BytesIO(made()), "application/x-7z-compressed", ReadLimits()))
    assert isinstance(part, Part)
    with pytest.raises(Unreadable, match="limit_memory"):
        part.open().read()

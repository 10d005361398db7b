"""Office's compound files: the published password protects nothing; another one does."""

from __future__ import annotations

import io

import msoffcrypto.format.ooxml
import pytest
import xlsxwriter

from detectors.engine.compound import PUBLISHED_PASSWORD, decrypted, office_protection, streams
from detectors.engine.protection import protection
from detectors.engine.table import Part, Protected, ReadLimits, Unreadable
from detectors.readers.office_compound import read


def workbook() -> bytes:
    out = io.BytesIO()
    with xlsxwriter.Workbook(out) as book:
        sheet = book.add_worksheet()
        for i in range(200):
            sheet.write_row(i, 0, [i, f"name {i}", i * 2])
    return out.getvalue()


PLAIN = workbook()


@pytest.fixture(scope="module")
def locked() -> dict[str, bytes]:
    made = {}
    for password in (PUBLISHED_PASSWORD, "made up"):
        out = io.BytesIO()
        msoffcrypto.format.ooxml.OOXMLFile(io.BytesIO(PLAIN)).encrypt(password, out)
        made[password] = out.getvalue()
    return made


def kind(data: bytes) -> Protected | None:
    return protection(io.BytesIO(data), len(data), "application/x-encrypted-office")


def test_a_password_protects_strongly(locked: dict[str, bytes]) -> None:
    data = locked["made up"]
    assert kind(data) == Protected("office_agile", strong=True)
    assert list(read(io.BytesIO(data), "application/x-encrypted-office", ReadLimits())) == [
        Protected("office_agile", strong=True)
    ]


def test_the_published_password_is_no_protection_and_the_document_is_a_part(locked: dict[str, bytes]) -> None:
    data = locked[PUBLISHED_PASSWORD]
    assert kind(data) is None
    (part,) = read(io.BytesIO(data), "application/x-encrypted-office", ReadLimits())
    assert isinstance(part, Part)
    assert part.open().read() == PLAIN
    assert decrypted(io.BytesIO(data)).read() == PLAIN


def test_broken_compound_files_protect_nothing_and_are_malformed(locked: dict[str, bytes]) -> None:
    data = locked["made up"]
    for broken in (data[:600], data[:8] + bytes(2000), data[:512] + bytes(len(data) - 512)):
        assert office_protection(io.BytesIO(broken), len(broken)) is None
        with pytest.raises(Unreadable):
            list(read(io.BytesIO(broken), "application/x-ole-storage", ReadLimits()))
    assert streams(io.BytesIO(b"no compound file" * 200)) is None


def test_more_rounds_of_hashing_than_the_format_allows_are_not_computed(
    locked: dict[str, bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("detectors.engine.compound.MAX_SPINS", 50_000)
    with pytest.raises(Unreadable, match="malformed"):
        kind(locked["made up"])

"""Workbooks of before 2007 and OpenDocument: sheets, dates, and their own kinds of encryption."""

from __future__ import annotations

import io
import struct
import zipfile

import pytest
from table_writers import XLS

from detectors.engine.biff import largest_span
from detectors.engine.protection import protection
from detectors.engine.table import Protected, ReadLimits, Row, Table, Unreadable
from detectors.readers import legacy_sheet, office_compound
from detectors.readers.legacy_sheet import read

ODS = "application/vnd.oasis.opendocument.spreadsheet"
ROWS = [["1", "30.5", "1980-01-01"], ["2", "40", "1980-01-02"], ["3", "41", "1980-01-03"]]


def with_file_pass(body: bytes) -> bytes:
    """The workbook with a FilePass record (MS-XLS 2.4.117) instead of its WriteAccess."""
    start = XLS.index(bytes.fromhex("0908100000060500")) + 20
    place = start
    while True:
        kind, length = struct.unpack_from("<HH", XLS, place)
        if kind == 0x5C:
            break
        place += 4 + length
    record = struct.pack("<HH", 0x2F, length) + body.ljust(length, b"\0")
    return XLS[:start] + record + XLS[start:place] + XLS[place + 4 + length :]


def test_every_sheet_of_an_xls_is_read() -> None:
    kept: list[tuple[Table, list[Row]]] = []
    for content in office_compound.read(io.BytesIO(XLS), "application/vnd.ms-excel", ReadLimits()):
        assert isinstance(content, Table)
        kept.append((content, list(content.rows)))
    assert [(t.context, t.hidden, t.header) for t, _ in kept] == [
        (["Shown"], False, ["id", "age", "born"]),
        (["Hidden"], True, ["id", "age", "born"]),
    ]
    assert [rows for _, rows in kept] == [ROWS, ROWS]


@pytest.mark.parametrize(
    "body", [b"\0\0\x34\x12\x78\x56", b"\1\0\1\0\1\0" + bytes(range(48))], ids=["xor", "rc4"]
)
def test_the_passwords_of_an_xls_are_weak(body: bytes) -> None:
    data = with_file_pass(body)
    weak = Protected("office_legacy", strong=False)
    assert protection(io.BytesIO(data), len(data), "application/vnd.ms-excel") == weak
    assert list(office_compound.read(io.BytesIO(data), "application/vnd.ms-excel", ReadLimits())) == [weak]


def opendocument(manifest: str, content: bytes = b"cipher text") -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as target:
        target.writestr("mimetype", ODS)
        target.writestr("content.xml", content)
        target.writestr("META-INF/manifest.xml", f"<manifest>{manifest}</manifest>")
    return out.getvalue()


def entry(path: str, cipher: str) -> str:
    data = f'<encryption-data><algorithm algorithm-name="{cipher}"/></encryption-data>' if cipher else ""
    return f'<file-entry full-path="{path}">{data}</file-entry>'


AES = "http://www.w3.org/2001/04/xmlenc#aes256-cbc"


@pytest.mark.parametrize(
    ("manifest", "expected"),
    [
        (entry("content.xml", AES), Protected("odf_aes", strong=True)),
        (entry("encrypted-package", AES), Protected("odf_aes", strong=True)),
        (entry("content.xml", "Blowfish CFB"), Protected("odf_blowfish", strong=False)),
    ],
)
def test_an_encrypted_opendocument_is_as_strong_as_its_cipher(manifest: str, expected: Protected) -> None:
    assert list(read(io.BytesIO(opendocument(manifest)), ODS, ReadLimits())) == [expected]


def test_encrypted_settings_protect_nothing() -> None:
    data = opendocument(entry("settings.xml", AES) + entry("content.xml", ""))
    with pytest.raises(Unreadable, match="malformed"):
        list(read(io.BytesIO(data), ODS, ReadLimits()))


def test_a_sheet_that_would_not_fit_into_memory_is_not_loaded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(legacy_sheet, "MAX_UNPACKED", 5)
    with pytest.raises(Unreadable, match="limit_memory"):
        list(read(io.BytesIO(opendocument(entry("content.xml", ""))), ODS, ReadLimits()))


def moved(row: int, column: int) -> bytes:
    """The workbook with its first cell put elsewhere."""
    at = XLS.index(struct.pack("<HHHH", 0x00FD, 10, 0, 0))
    return XLS[: at + 4] + struct.pack("<HH", row, column) + XLS[at + 8 :]


def test_one_cell_far_away_does_not_make_room_for_all_between() -> None:
    assert largest_span(io.BytesIO(XLS)) == 12
    assert largest_span(io.BytesIO(moved(65_535, 255))) == 65_536 * 256
    for data, reason in ((moved(65_535, 255), "limit_memory"), (moved(9, 60_000), "malformed")):
        with pytest.raises(Unreadable, match=reason):
            list(office_compound.read(io.BytesIO(data), "application/vnd.ms-excel", ReadLimits()))


def test_a_table_that_was_pasted_into_a_comment_of_a_sheet_is_read() -> None:
    lines = "".join(f"<text:p>{','.join(line)}</text:p>" for line in [["id", "age", "born"], *ROWS, *ROWS])
    content = (
        "<office:document-content xmlns:office='urn:oasis:names:tc:opendocument:xmlns:office:1.0' "
        "xmlns:table='urn:oasis:names:tc:opendocument:xmlns:table:1.0' xmlns:d='urn:d' "
        "xmlns:text='urn:oasis:names:tc:opendocument:xmlns:text:1.0'><office:body>"
        "<office:spreadsheet><table:table table:name='S'>"
        f"<table:table-row><table:table-cell><office:annotation><d:creator>A</d:creator>{lines}</office:annotation>"
        "<text:p>x</text:p></table:table-cell></table:table-row></table:table></office:spreadsheet></office:body></office:document-content>"
    )
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("mimetype", ODS)
        archive.writestr("content.xml", content)
        archive.writestr("META-INF/manifest.xml", "<m/>")
    contents = read(out, ODS, ReadLimits())
    found = [(c.header, list(c.rows)) for c in contents if isinstance(c, Table)]
    assert (["id", "age", "born"], ROWS + ROWS) in found

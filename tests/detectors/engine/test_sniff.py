from __future__ import annotations

import io
import json
import random
import zipfile
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from detectors.engine import media_types
from detectors.engine.media_types import MEDIA_TYPES, Family
from detectors.engine.sniff import preload, sniff

CSV = b"ref,age,sex\n" + b"".join(b"%d,%d,M\n" % (i, 17 + i) for i in range(60))
PNG = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR" + bytes(range(256)) * 2


def kind(data: bytes, name: str = "") -> str:
    return sniff(data[:65_536], data[-65_536:], len(data), name)


def package(*names: str, first: tuple[str, str] | None = None) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as target:
        if first:
            target.writestr(zipfile.ZipInfo(first[0]), first[1])
        for name in names:
            target.writestr(name, "x" * 50)
    return out.getvalue()


def test_libmagic_can_be_loaded_before_the_sandbox_closes() -> None:
    assert preload()


@given(st.binary(max_size=600), st.binary(max_size=600), st.text(max_size=20))
def test_any_bytes_are_of_the_closed_table(head: bytes, tail: bytes, name: str) -> None:
    assert sniff(head, tail, len(head) + len(tail), name) in MEDIA_TYPES


@pytest.mark.parametrize("name", ["a.csv", "a.jpg", "a.gpg", "a.dat", "a", "a.exe", "a.zip", "a.pdf"])
def test_a_name_never_makes_a_text_anything_else(name: str) -> None:
    assert MEDIA_TYPES[kind(CSV, name)] is Family.TEXT


@pytest.mark.parametrize(
    ("data", "media_type"),
    [
        (b"PAR1" + b"\0" * 40 + b"PAR1", "application/vnd.apache.parquet"),
        (b"PARE" + b"\0" * 40 + b"PARE", "application/x-encrypted-parquet"),
        (b"ARROW1\0\0" + b"\0" * 40, "application/vnd.apache.arrow.file"),
        (b"SQLite format 3\0" + bytes(84), "application/vnd.sqlite3"),
        (b"$FL2@(#) SPSS DATA FILE" + bytes(60), "application/x-spss-sav"),
        (b"<stata_dta><header><release>118</release>" + bytes(30), "application/x-stata-dta"),
        (b"\x71\x02\x01\x00" + bytes(100), "application/x-stata-dta"),
        (b"HEADER RECORD*******LIBRARY HEADER RECORD!!!!!!!000", "application/x-sas-xport"),
        (b"A\n3\n262657\n197888\n5\nUTF-8\n787\n", "application/x-r-rds"),
        (b"RDX3\nX\n\0\0\0\3", "application/x-r-rdata"),
        (b"\x1f\x8b\x08\0" + bytes(20), "application/gzip"),
        (b"\xfd7zXZ\0" + bytes(20), "application/x-xz"),
        (b"7z\xbc\xaf\x27\x1c" + bytes(20), "application/x-7z-compressed"),
        (b"Rar!\x1a\x07\x01\x00" + bytes(20), "application/vnd.rar"),
        (b"%PDF-1.7\n%\xe2\xe3\n", "application/pdf"),
        (b"{\\rtf1\\ansi hello}", "application/rtf"),
        (b"age-encryption.org/v1\n-> X25519 abc\n", media_types.AGE),
        (b"Salted__" + random.Random(1).randbytes(400), "application/x-openssl-salted"),
        (PNG, "image/png"),
        (b"\xff\xd8\xff\xe0\0\x10JFIF" + bytes(50), "image/jpeg"),
        (b"\x7fELF\x02\x01\x01" + bytes(60), "application/x-elf"),
        (b'{"a": [1, 2]}', media_types.JSON),
        (b'[{"a": 1},\n {"a": 2}]', media_types.JSON),
        (b'{"a": 1}\n{"a": 2}\n', media_types.JSON_LINES),
        (b'{"a": 1, "text": "cut o', media_types.JSON),
        (b"<?xml version='1.0'?><a><b>1</b></a>", media_types.XML),
        (b"<!DOCTYPE html><html><body>x</body></html>", media_types.HTML),
        (b"<table><tr><td>1</td></tr></table>", media_types.HTML),
        (b"-- dump\nINSERT INTO t (a) VALUES (1);\n", media_types.SQL),
        (b"From: a@example.org\nTo: b@example.org\nSubject: x\nDate: today\n\nHi", media_types.MAIL),
        (b"From x Thu\nFrom: a@example.org\nTo: b@example.org\nSubject: x\n\nHi", media_types.MAILBOX),
        (b"Name: Jo Example\nDate of birth: 1 May 1980\n\nName: Al Other\n", media_types.PLAIN),
        (b"[section]\nhost = a\nport = 1\n", media_types.PLAIN),
        (b"[2024-03-01 08:00] started\n[2024-03-01 08:01] stopped\n", media_types.PLAIN),
        (b"", media_types.EMPTY),
    ],
)  # fmt: skip
def test_each_format_is_told_by_its_content(data: bytes, media_type: str) -> None:
    assert kind(data, "readme.txt") == media_type


@pytest.mark.parametrize(
    ("data", "media_type"),
    [
        (package("[Content_Types].xml", "xl/workbook.xml"), media_types.XLSX),
        (package("xl/workbook.xml", "xl/vbaProject.bin"), media_types.XLSM),
        (package("xl/workbook.bin"), media_types.XLSB),
        (package("word/document.xml"), media_types.DOCX),
        (package("ppt/presentation.xml"), media_types.PPTX),
        (package("content.xml", first=("mimetype", media_types.OPEN_DOCUMENT + "spreadsheet")),
         media_types.OPEN_DOCUMENT + "spreadsheet"),
        (package("a.csv", "b.csv"), media_types.ZIP),
        (package("a.csv", first=("mimetype", "image/png")), media_types.ZIP),
    ],
)  # fmt: skip
def test_a_package_is_told_by_its_members(data: bytes, media_type: str) -> None:
    assert kind(data) == media_type


def test_a_zip_behind_a_picture_is_a_zip() -> None:
    assert kind(PNG + package("a.csv")) == media_types.ZIP


@pytest.mark.parametrize(
    "encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "cp1252"]
)
def test_text_is_text_in_any_encoding(encoding: str) -> None:
    data = "naïve,café\n1,Zoë\n2,Ærø\n" * 30
    assert kind(data.encode(encoding), "x.bin") == media_types.PLAIN


def test_random_and_packed_bytes_are_no_text() -> None:
    noise = random.Random(2)
    for length in (200, 1_000, 70_000):
        assert MEDIA_TYPES[kind(noise.randbytes(length))] is not Family.TEXT
        assert MEDIA_TYPES[kind(zlib.compress(noise.randbytes(length))[2:])] is not Family.TEXT


@pytest.mark.parametrize(
    "signature", [b"ORC", b"ID3", b"PAR1", b"070701", b"Salted__", b"wOFF", b"BM", b"MZ", b"GIF89a"]
)
def test_a_text_that_begins_like_a_binary_format_is_a_text(signature: bytes) -> None:
    assert MEDIA_TYPES[kind(signature + b" of people\n" + CSV)] is Family.TEXT


def test_json_is_told_apart_from_lines_of_it_when_cut_off() -> None:
    records = [{"ref": i, "note": "x" * 90} for i in range(2_000)]
    assert kind(json.dumps(records).encode()) == media_types.JSON
    assert kind("\n".join(map(json.dumps, records)).encode()) == media_types.JSON_LINES

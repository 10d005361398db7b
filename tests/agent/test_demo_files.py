"""The demo's files are what they claim to be, by the word of other people's readers."""

from __future__ import annotations

import io
import zipfile

import python_calamine
import pyzipper

from agent.demo_files import PASSWORD, RECORDS, aes_zip_bytes, demo_files


def _file(name: str) -> bytes:
    return next(f.content for f in demo_files() if f.name == name)


def test_the_same_seed_gives_the_same_files_but_for_the_salt():
    one, other = demo_files(), demo_files()
    assert [f for f in one if f.name != "for_partner.zip"] == [
        f for f in other if f.name != "for_partner.zip"
    ]


def test_the_spreadsheet_holds_the_survey():
    book = python_calamine.CalamineWorkbook.from_filelike(io.BytesIO(_file("survey_2026.xlsx")))
    rows = book.get_sheet_by_index(0).to_python()
    assert len(rows) == RECORDS + 1
    assert rows[0][0] == "caseid"
    assert len(rows[1]) == len(rows[0])


def test_the_encrypted_zip_opens_with_its_password_alone():
    packed = aes_zip_bytes("a.csv", b"some made-up content" * 7)
    with pyzipper.AESZipFile(io.BytesIO(packed)) as archive:
        assert archive.read("a.csv", pwd=PASSWORD) == b"some made-up content" * 7
    assert b"made-up" not in packed


def test_the_zip_holds_the_staff_list():
    with zipfile.ZipFile(io.BytesIO(_file("staff.zip"))) as archive:
        assert archive.read("staff.csv").startswith(b"Surname,")

"""The demo's files: made-up people and made-up figures, in formats written here by hand.

Nobody in here exists. Written with the standard library and `cryptography` alone, so that the demo
needs nothing that the service does not.
"""

from __future__ import annotations

import csv
import hashlib
import hmac
import io
import os
import random
import struct
import zipfile
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from html import escape as escape_xml

RECORDS = 1200
STAFF = 140
PASSWORD = b"a made-up passphrase of the demo"

_FORENAMES = "Ada Bran Cora Dilys Edwin Fern Gethin Hana Idris Jory Kerra Lowen Mabli Nerys Osian Petra"
_SURNAMES = "Ashdown Birchall Culver Dunmore Eastlake Farrow Garside Holt Inskip Jessop Kirkby Larkin"
_POSTS = "Analyst,Statistician,Editor,Clerk,Developer,Head of branch,Assistant,Researcher"
_RANKS = "Officers,Senior non-commissioned,Junior non-commissioned,Trainees"
_CODED = (
    "caseid,hhid,psu,stratum,sex,ageband,region,ethnic_grp,marstat,qual,econ_act,grsswk,hlthstat,wt_final"
)
_NAMED = "Surname,Forename,Date of birth,NI number,E-mail,Post,Salary"


@dataclass(frozen=True, slots=True)
class DemoFile:
    """One file of the demo: its name, what it is in plain words, and its bytes."""

    name: str
    what: str
    content: bytes


def demo_files(seed: int = 2026) -> list[DemoFile]:
    """All files of the demo, the same bytes for the same seed but for the encrypted archive's salt."""
    chance = random.Random(seed)  # noqa: S311 - made-up figures, no secrets
    survey = survey_rows(chance)
    staff = csv_bytes(staff_rows(chance))
    return [
        DemoFile(
            "survey_2026.csv", "a survey without names: one row per person, all coded", csv_bytes(survey)
        ),
        DemoFile("survey_2026.xlsx", "the same as a spreadsheet", xlsx_bytes("Data", survey)),
        DemoFile("staff.zip", "a staff list with names and numbers, in a zip", zip_bytes("staff.csv", staff)),
        DemoFile(
            "table_3_strength.csv",
            "a published table: totals by rank and year",
            csv_bytes(published_rows(chance)),
        ),
        DemoFile(
            "for_partner.zip",
            "the survey in an AES-encrypted zip",
            aes_zip_bytes("survey.csv", csv_bytes(survey)),
        ),
        DemoFile("minutes.txt", "the minutes of a meeting", minutes().encode()),
    ]


def survey_rows(chance: random.Random) -> list[list[object]]:
    """Pseudonymised microdata: coded variables and a weight, no name anywhere."""
    rows: list[list[object]] = [list(_CODED.split(","))]
    cases = chance.sample(range(100_000, 999_999), RECORDS)
    for number, case in enumerate(cases):
        pay = round(chance.lognormvariate(6.2, 0.45), 2) if chance.random() > 0.2 else -9
        coded = [chance.randint(1, most) for most in (2, 9, 12, 6, 5, 7, 8)]
        weight = round(chance.uniform(0.4, 2.6), 4)
        place = [500_000 + number // 2, 1 + number // 30, 1 + number // 240]
        rows.append([case, *place, *coded, pay, chance.randint(1, 5), weight])
    return rows


def staff_rows(chance: random.Random) -> list[list[object]]:
    """A list with direct identifiers of people who do not exist."""
    rows: list[list[object]] = [list(_NAMED.split(","))]
    for _ in range(STAFF):
        fore, sur = chance.choice(_FORENAMES.split()), chance.choice(_SURNAMES.split())
        born = f"{chance.randint(1, 28):02}/{chance.randint(1, 12):02}/{chance.randint(1960, 2003)}"
        letters = chance.choice(("AB", "CE", "HJ", "JK", "PX", "WM")), chance.choice("ABCD")
        number = f"{letters[0]}{chance.randint(100_000, 999_999)}{letters[1]}"
        mail = f"{fore}.{sur}{chance.randint(1, 99)}@example.org".lower()
        rows.append(
            [
                sur,
                fore,
                born,
                number,
                mail,
                chance.choice(_POSTS.split(",")),
                chance.randrange(24_000, 68_000, 250),
            ]
        )
    return rows


def published_rows(chance: random.Random) -> list[list[object]]:
    """A table of totals, as a statistical bulletin prints it."""
    years = range(2020, 2027)
    rows: list[list[object]] = [
        ["Table 3: Strength by rank, at 1 April each year"],
        [],
        ["Rank", *years],
    ]
    groups = []
    for rank in _RANKS.split(","):
        start = chance.randrange(4_000, 30_000, 10)
        groups.append([start + chance.randrange(-90, 90, 10) * step for step in range(len(years))])
        rows.append([rank, *groups[-1]])
    rows += [["All ranks", *map(sum, zip(*groups, strict=True))], []]
    return [*rows, ["Source: made-up figures. Rounded to 10; totals may not sum."]]


def minutes() -> str:
    """An ordinary document."""
    return """Minutes of the publication group

Present: the chair, two statisticians, the web editor.

1. The bulletin on strength is ready. The tables were checked against last year's.
2. The web editor asked for the charts in a second format. Agreed.
3. The next meeting is in the first week of the coming month.
"""


def csv_bytes(rows: Iterable[Sequence[object]]) -> bytes:
    """Rows as comma separated values."""
    text = io.StringIO(newline="")
    csv.writer(text).writerows(rows)
    return text.getvalue().encode()


def zip_bytes(name: str, content: bytes) -> bytes:
    """A zip archive with one member."""
    return _package({name: content})


def _package(members: dict[str, bytes]) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(zipfile.ZipInfo(name, (2026, 4, 1, 9, 0, 0)), content, zipfile.ZIP_DEFLATED)
    return packed.getvalue()


def xlsx_bytes(sheet: str, rows: Iterable[Sequence[object]]) -> bytes:
    """A workbook with one sheet: the least of ECMA-376 that spreadsheet programs open."""
    package = "http://schemas.openxmlformats.org/package/2006"
    office = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
    main = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
    kind = "application/vnd.openxmlformats-officedocument.spreadsheetml"
    head = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
    parts = {
        "[Content_Types].xml": f'<Types xmlns="{package}/content-types">'
        '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
        f'<Override PartName="/xl/workbook.xml" ContentType="{kind}.sheet.main+xml"/>'
        f'<Override PartName="/xl/worksheets/sheet1.xml" ContentType="{kind}.worksheet+xml"/></Types>',
        "_rels/.rels": f'<Relationships xmlns="{package}/relationships"><Relationship Id="rId1" '
        f'Type="{office}/officeDocument" Target="xl/workbook.xml"/></Relationships>',
        "xl/workbook.xml": f'<workbook xmlns="{main}" xmlns:r="{office}"><sheets>'
        f'<sheet name="{escape_xml(sheet)}" sheetId="1" r:id="rId1"/></sheets></workbook>',
        "xl/_rels/workbook.xml.rels": f'<Relationships xmlns="{package}/relationships"><Relationship '
        f'Id="rId1" Type="{office}/worksheet" Target="worksheets/sheet1.xml"/></Relationships>',
        "xl/worksheets/sheet1.xml": f'<worksheet xmlns="{main}"><sheetData>'
        + "".join(_row_xml(number, row) for number, row in enumerate(rows, 1))
        + "</sheetData></worksheet>",
    }
    return _package({name: (head + text).encode() for name, text in parts.items()})


def _row_xml(number: int, row: Sequence[object]) -> str:
    cells = []
    for column, value in enumerate(row):
        at = f"{chr(ord('A') + column)}{number}"  # the demo's sheets have fewer than 26 columns
        if isinstance(value, int | float):
            cells.append(f'<c r="{at}"><v>{value}</v></c>')
        else:
            cells.append(f'<c r="{at}" t="inlineStr"><is><t>{escape_xml(str(value))}</t></is></c>')
    return f'<row r="{number}">{"".join(cells)}</row>'


def aes_zip_bytes(name: str, content: bytes, password: bytes = PASSWORD) -> bytes:
    """A zip with one stored member under AES-256, as WinZip's AE-2 describes it.

    Source of the format: "AES Encryption Information: Encryption Specification AE-1 and AE-2",
    WinZip; APPNOTE.TXT of PKWARE for the records around it.
    """
    salt = os.urandom(16)
    keys = hashlib.pbkdf2_hmac("sha1", password, salt, 1000, 66)
    cipher = _aes_ctr(keys[:32], content)
    seal = hmac.new(keys[32:64], cipher, "sha1").digest()[:10]
    body = salt + keys[64:66] + cipher + seal
    extra = struct.pack("<HHH2sBH", 0x9901, 7, 2, b"AE", 3, 0)
    raw = name.encode()
    common = struct.pack(
        "<HHHHHIIIHH", 51, 1, 99, 0x4800, 0x5C81, 0, len(body), len(content), len(raw), len(extra)
    )
    local = b"PK\x03\x04" + common + raw + extra + body
    central = (
        b"PK\x01\x02" + struct.pack("<H", 51) + common + struct.pack("<HHHII", 0, 0, 0, 0, 0) + raw + extra
    )
    end = b"PK\x05\x06" + struct.pack("<HHHHIIH", 0, 0, 1, 1, len(central), len(local), 0)
    return local + central + end


def _aes_ctr(key: bytes, content: bytes) -> bytes:
    """AES in counter mode with the little-endian counter from 1 that WinZip uses."""
    from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

    blocks = -(-len(content) // 16)
    counters = b"".join(number.to_bytes(16, "little") for number in range(1, blocks + 1))
    encrypt: Callable[[bytes], bytes] = Cipher(algorithms.AES(key), modes.ECB()).encryptor().update  # noqa: S305
    stream = int.from_bytes(encrypt(counters)[: len(content)], "big")
    return (stream ^ int.from_bytes(content, "big")).to_bytes(len(content), "big")

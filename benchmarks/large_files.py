# ruff: noqa: E501, SIM905 - lines of data stand here as they are written
"""Large made-up files: readings of instruments, full of digits and with nothing to find, and people in them.

Seeded; nobody in them exists. Written in pieces, so that the writer's memory stays small.
"""

from __future__ import annotations

import gzip
import random
import zipfile
from collections.abc import Iterator, Sequence
from pathlib import Path

MB = 10**6
READINGS = "epoch_s,station,lon,lat,temp_c,pressure_hpa,humidity,sum_w,ratio,count"
PEOPLE = "full_name,nino,date_of_birth,postcode,sex,grade,salary,children,hours,site"
_FORENAMES = (
    "Olivia Amelia Isla Ava Mia Noah George Arthur Leo Jack Harry Aisha Priya Siobhan Rhys Eilidh".split()
)
_SURNAMES = (
    "Smith Jones Taylor Brown Davies Patel Evans Walker Green Hall Wood Khan Begum Nguyen Okafor".split()
)
_ROWS_A_BLOCK = 20_000


def readings(rows: int, seed: int = 2) -> Iterator[str]:
    """Lines of readings, without ends."""
    r = random.Random(seed)
    for i in range(rows):
        g = r.random
        yield (
            f"{1600000000 + 7 * i},{r.randrange(1, 400)},{g() * 8 - 2:.5f},{50 + g() * 8:.5f},{g() * 35:.2f},"
            f"{950 + g() * 90:.2f},{g() * 100:.1f},{r.randrange(10**9)},{g():.6f},{r.randrange(100000)}"
        )


def people(rows: int, seed: int = 1) -> Iterator[str]:
    """Lines of people who do not exist, without ends; as many columns as readings have."""
    r = random.Random(seed)
    for _ in range(rows):
        nino = r.choice("ABCEGHJKLM") + r.choice("ABCEGHJKLM").replace("B", "A") + f"{r.randrange(10**6):06d}"
        yield (
            f"{r.choice(_FORENAMES)} {r.choice(_SURNAMES)},{nino}{r.choice('ABCD')},"
            f"{r.randrange(1, 29):02d}/{r.randrange(1, 13):02d}/{r.randrange(1945, 2006)},"
            f"{r.choice(['CF', 'LS', 'SA', 'NE'])}{r.randrange(1, 30)} {r.randrange(1, 10)}{r.choice('ABDE')}{r.choice('ABDE')},"
            f"{r.choice('MF')},{r.choice(['AO', 'EO', 'HEO', 'SEO'])},{r.randrange(22000, 119000)},"
            f"{r.randrange(5)},{r.randrange(10, 40)},{r.choice('NESW')}"
        )


def records(rows: int, seed: int = 1) -> Iterator[str]:
    """The same people without what identifies them: codes only, as many columns as readings have."""
    r = random.Random(seed)
    for i in range(rows):
        yield (
            f"{i + 1},{r.randrange(1, 3)},{r.randrange(16, 90)},{r.randrange(1, 6)},{r.randrange(1, 8)},"
            f"{r.randrange(1, 4)},{r.randrange(1, 6)},{r.randrange(90, 900) * 100},{r.randrange(0, 6)},{r.randrange(1, 3)}"
        )


def write_csv(path: Path, size: int, hidden: Sequence[str] = (), row: int = 900_000) -> Path:
    """A CSV of readings, about `size` bytes; `hidden` lines stand behind row `row`."""
    body = ("\n".join(readings(_ROWS_A_BLOCK)) + "\n").encode()
    with path.open("wb") as file:
        file.write(READINGS.encode() + b"\n")
        written = 0
        while file.tell() < size:
            file.write(body)
            written += _ROWS_A_BLOCK
            if written - _ROWS_A_BLOCK < row <= written:
                file.write("".join(line + "\n" for line in hidden).encode())
    return path


def write_gzip(path: Path, size: int, hidden: Sequence[str] = ()) -> Path:
    """The same gzipped, about `size` bytes packed, `hidden` at its end."""
    body = ("\n".join(readings(_ROWS_A_BLOCK)) + "\n").encode()
    with path.open("wb") as raw, gzip.GzipFile("", "wb", 6, raw, mtime=0) as file:
        file.write(READINGS.encode() + b"\n")
        while raw.tell() < size:
            file.write(body)
        file.write("".join(line + "\n" for line in hidden).encode())
    return path


_HEAD = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
_MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_DOCUMENT = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_PACKAGE = "http://schemas.openxmlformats.org/package/2006"
_SHEET_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml"


def write_xlsx(
    path: Path, rows: int, sheets: int = 1, hidden: Sequence[str] = (), row: int = 890_000
) -> Path:
    """A workbook as Excel lays it out, `rows` rows of readings on each sheet and a string of its own in each.

    `hidden` lines stand behind row `row` of the last sheet.
    """
    strings: dict[str, int] = {}
    r = random.Random(3)

    def cell(place: str, value: str) -> str:
        if value.replace(".", "", 1).replace("-", "", 1).isdigit():
            return f'<c r="{place}"><v>{value}</v></c>'
        return f'<c r="{place}" t="s"><v>{strings.setdefault(value, len(strings))}</v></c>'

    def line(number: int, cells: Sequence[str]) -> str:
        marks = (cell(f"{'ABCDEFGHIJKL'[j]}{number}", value) for j, value in enumerate(cells))
        return f'<row r="{number}" spans="1:11">{"".join(marks)}</row>'

    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as package:
        names = [f"sheet{n + 1}" for n in range(sheets)]
        _frame(package, names)
        for n, name in enumerate(names):
            with package.open(f"xl/worksheets/{name}.xml", "w") as out:
                out.write(f'{_HEAD}<worksheet xmlns="{_MAIN}"><sheetData>'.encode())
                out.write(line(1, [*READINGS.split(","), "token"]).encode())
                number = 1
                for reading in readings(rows, seed=n):
                    number += 1
                    token = f"r{r.getrandbits(40):010x}z"
                    out.write(line(number, [*reading.split(","), token]).encode())
                    if number == row and n == sheets - 1:
                        for other in hidden:
                            number += 1
                            out.write(line(number, other.split(",")).encode())
                out.write(b"</sheetData></worksheet>")
        with package.open("xl/sharedStrings.xml", "w") as out:
            out.write(f'{_HEAD}<sst xmlns="{_MAIN}" uniqueCount="{len(strings)}">'.encode())
            for value in strings:
                out.write(f"<si><t>{value}</t></si>".encode())
            out.write(b"</sst>")
    return path


def _frame(package: zipfile.ZipFile, names: Sequence[str]) -> None:
    """Everything of a workbook but its sheets and strings."""
    kinds = "".join(
        f'<Override PartName="/xl/worksheets/{name}.xml" ContentType="{_SHEET_TYPE}.worksheet+xml"/>'
        for name in names
    )
    sheets = "".join(f'<sheet name="{n}" sheetId="{i + 1}" r:id="rId{i + 1}"/>' for i, n in enumerate(names))
    parts = "".join(
        f'<Relationship Id="rId{i + 1}" Type="{_DOCUMENT}/worksheet" Target="worksheets/{name}.xml"/>'
        for i, name in enumerate(names)
    )
    strings = f'<Relationship Id="rIdS" Type="{_DOCUMENT}/sharedStrings" Target="sharedStrings.xml"/>'
    relations = f'<Relationships xmlns="{_PACKAGE}/relationships">'
    for path, text in (
        (
            "[Content_Types].xml",
            f'<Types xmlns="{_PACKAGE}/content-types"><Default Extension="rels" '
            f'ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
            f'<Default Extension="xml" ContentType="application/xml"/><Override PartName="/xl/workbook.xml" '
            f'ContentType="{_SHEET_TYPE}.sheet.main+xml"/>{kinds}</Types>',
        ),
        (
            "_rels/.rels",
            f'{relations}<Relationship Id="rId1" Type="{_DOCUMENT}/officeDocument" Target="xl/workbook.xml"/>'
            "</Relationships>",
        ),
        (
            "xl/workbook.xml",
            f'<workbook xmlns="{_MAIN}" xmlns:r="{_DOCUMENT}"><sheets>{sheets}</sheets></workbook>',
        ),
        ("xl/_rels/workbook.xml.rels", f"{relations}{parts}{strings}</Relationships>"),
    ):
        package.writestr(path, _HEAD + text)


def write_zip(path: Path, members: int, size: int, hidden: Sequence[str]) -> Path:
    """A zip of CSVs of readings; `hidden` is the last member, under the names of people."""
    body = READINGS.encode() + b"\n" + ("\n".join(readings(_ROWS_A_BLOCK)) + "\n").encode()
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as package:
        for n in range(members):
            package.writestr(f"{n:04d}.csv", body[:size])
        package.writestr("zz.csv", "\n".join([PEOPLE, *hidden]) + "\n")
    return path

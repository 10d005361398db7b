"""The contract of all readers: content or `Unreadable(reason)`, whatever the bytes, within the limits.

A family is one way to write the same table. To add a reader, add its family here. The cases for all:
a record deep in the file, truncated, wrong extension, wrong encoding, bomb, zero rows, a million columns
(or as many as the format holds), garbage.
"""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import random
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from types import ModuleType

import pytest
from backports import zstd
from binary_writers import as_pdf, as_sas7bdat, as_xls, as_xlsb
from pyarrow import feather, orc, parquet
from table_writers import (
    Writer,
    as_7z,
    as_arrow_stream,
    as_base64,
    as_columns,
    as_compressed_message,
    as_csv,
    as_dbf,
    as_docx,
    as_eml,
    as_hex,
    as_html,
    as_json,
    as_json_lines,
    as_markdown,
    as_mbox,
    as_ods,
    as_rdata,
    as_rds,
    as_signed,
    as_sql,
    as_sqlite,
    as_statistical,
    as_tabs,
    as_tar,
    as_uuencode,
    as_xlsx,
    as_xml,
    as_zip,
    packed,
    written,
)

from detectors.engine.sniff import sniff
from detectors.engine.table import Part, Protected, ReadLimits, Table, Text, Unreadable
from detectors.engine.verdict import PASSING_FAULTS
from detectors.readers import (
    archive,
    base64_text,
    cms_message,
    columnar,
    database,
    dbase,
    html,
    json_text,
    legacy_sheet,
    mail,
    office_compound,
    openpgp_message,
    pdf,
    plain_text,
    r_data,
    seven_zip,
    spreadsheet,
    sql_dump,
    statistical,
    word,
    xml_text,
)

HEADER = ["id", "age", "sex", "grade", "note"]
SMALL = ReadLimits(max_expanded_bytes=2_000_000, max_entries=50)
CANARY = "canary-7Q2XW9ZK41"


def people(count: int, deep: str = "") -> list[list[str]]:
    """Made-up records; `deep` stands in the last one."""
    pick = random.Random(7)
    rows = [
        [str(i), str(pick.randrange(17, 65)), pick.choice("MF"), pick.choice(["AA", "AO", "EO"]), "x"]
        for i in range(count)
    ]
    if deep:
        rows[-1][-1] = deep
    return rows


@dataclass
class Family:
    """One way to write a table, and the reader that must read it."""

    name: str
    reader: ModuleType
    media_type: str
    write: Writer
    deep_rows: int = 5_000
    packs: bool = False
    """It compresses, so a bomb can be made of it."""
    container: bool = False
    columns: int = 1_000_000
    """As many as the format, or the patience of its writer, allows."""
    encodings: dict[str, Callable[[bytes], bytes]] = field(default_factory=dict)
    running: bool = False
    """Text that is whole wherever it ends."""


XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
WIDE: dict[str, Callable[[bytes], bytes]] = {
    "utf-16": lambda data: data.decode().encode("utf-16"),
    "utf-16-no-mark": lambda data: data.decode().encode("utf-16-be"),
    "utf-8-bom": lambda data: b"\xef\xbb\xbf" + data,
    "cp1252": lambda data: re.sub(rb"\bx\b", b"\xe9", data),
}
DOCX = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
ODS = "application/vnd.oasis.opendocument.spreadsheet"
PARQUET, ARROW = "application/vnd.apache.parquet", "application/vnd.apache.arrow.file"
FAMILIES = [
    Family("xlsx", spreadsheet, XLSX, as_xlsx, packs=True, columns=16_384),
    Family(
        "json",
        json_text,
        "application/json",
        as_json,
        encodings={
            "utf-16": lambda data: data.decode().encode("utf-16"),
            "utf-8-bom": lambda data: b"\xef\xbb\xbf" + data,
            "cp1252": lambda data: data.replace(b'"x"', b'"\xe9"', 1),
        },
    ),
    Family("jsonl", json_text, "application/x-ndjson", as_json_lines, columns=100_000),
    Family("parquet", columnar, PARQUET, written(parquet.write_table), packs=True, columns=2_000),
    Family("feather", columnar, ARROW, written(feather.write_feather), packs=True, columns=2_000),
    Family(
        "feather1",
        columnar,
        "application/x-feather",
        written(lambda table, out: feather.write_feather(table, out, version=1)),
        columns=2_000,
    ),
    Family("orc", columnar, "application/x-orc", written(orc.write_table), columns=2_000),
    Family(
        "arrows",
        columnar,
        "application/vnd.apache.arrow.stream",
        written(as_arrow_stream),
        packs=False,
        columns=2_000,
    ),
    Family("csv", plain_text, "text/csv", as_csv, encodings=WIDE, running=True),
    Family("tsv", plain_text, "text/plain", as_tabs, encodings=WIDE, running=True),
    Family("fixed", plain_text, "text/plain", as_columns, columns=1_500, encodings=WIDE, running=True),
    Family(
        "markdown", plain_text, "text/markdown", as_markdown, columns=50_000, encodings=WIDE, running=True
    ),
    Family("html", html, "text/html", as_html, encodings=WIDE, running=True),
    Family("xml", xml_text, "application/xml", as_xml, columns=15_000, running=True),
    Family("sql", sql_dump, "application/sql", as_sql, columns=30_000, encodings=WIDE, running=True),
    Family("hex", base64_text, "text/x-hex", as_hex, container=True, running=True),
    Family("uu", base64_text, "text/x-uuencode", as_uuencode, container=True),
    Family("base64", base64_text, "text/x-base64", as_base64, container=True, running=True),
    Family("zip", archive, "application/zip", as_zip, packs=True, container=True),
    Family("tar", archive, "application/x-tar", as_tar, container=True),
    Family("gzip", archive, "application/gzip", packed(gzip.compress), packs=True, container=True),
    Family("bzip2", archive, "application/x-bzip2", packed(bz2.compress), packs=True, container=True),
    Family("xz", archive, "application/x-xz", packed(lzma.compress), packs=True, container=True),
    Family("zstd", archive, "application/zstd", packed(zstd.compress), packs=True, container=True),
    Family("sav", statistical, "application/x-spss-sav", as_statistical("write_sav"), columns=1_200),
    Family(
        "zsav",
        statistical,
        "application/x-spss-zsav",
        as_statistical("write_sav", compress=True),
        packs=True,
        columns=2_000,
    ),
    Family("por", statistical, "application/x-spss-por", as_statistical("write_por"), columns=400),
    Family("sas7bdat", statistical, "application/x-sas-data", as_sas7bdat, columns=2_000),
    Family("dta", statistical, "application/x-stata-dta", as_statistical("write_dta"), columns=1_200),
    Family("xpt", statistical, "application/x-sas-xport", as_statistical("write_xport"), columns=400),
    Family("dbf", dbase, "application/x-dbf", as_dbf, columns=2_000),
    Family("sqlite", database, "application/vnd.sqlite3", as_sqlite, columns=1_500),
    Family("rds", r_data, "application/x-r-rds", as_rds, columns=50_000),
    Family("rdata", r_data, "application/x-r-rdata", as_rdata, columns=50_000),
    Family("pdf", pdf, "application/pdf", as_pdf, columns=2_000),
    Family("docx", word, DOCX, as_docx, packs=True, columns=50_000),
    Family(
        "xlsb",
        legacy_sheet,
        "application/vnd.ms-excel.sheet.binary.macroenabled.12",
        as_xlsb,
        packs=True,
        columns=10_000,
    ),
    Family("xls", office_compound, "application/vnd.ms-excel", as_xls, columns=256),
    Family("ods", legacy_sheet, ODS, as_ods, packs=True, columns=10_000),
    Family("p7m", cms_message, "application/pkcs7-mime", as_signed, container=True),
    Family("mbox", mail, "application/mbox", as_mbox, container=True),
    Family("eml", mail, "message/rfc822", as_eml, container=True),
    Family(
        "pgp", openpgp_message, "application/pgp-encrypted", as_compressed_message, packs=True, container=True
    ),
    Family("7z", seven_zip, "application/x-7z-compressed", as_7z, packs=True, container=True),
]
every_family = pytest.mark.parametrize("family", FAMILIES, ids=lambda family: family.name)


class Unlike(AssertionError):
    """A reader gave something that is not of the contract."""


def contents(family: Family, data: bytes, limits: ReadLimits | None = None) -> Iterator[list[str]]:
    """Every row and line of the file as cells, header first; parts are read as CSV."""
    for content in family.reader.read(io.BytesIO(data), family.media_type, limits or ReadLimits()):
        if isinstance(content, Table):
            if content.header is not None:
                yield list(content.header)
            assert len(content.context) <= 40
            for row in content.rows:
                assert all(type(cell) is str for cell in row)
                yield list(row)
        elif isinstance(content, Text):
            for line in content.lines:
                yield [line]
        elif isinstance(content, Part):
            if content.protected is None:
                with io.TextIOWrapper(io.BufferedReader(content.open()), "latin-1", newline="") as text:  # type: ignore[type-var]
                    for line in text:
                        yield line.rstrip("\r\n").split(",")
        elif not isinstance(content, Protected):
            raise Unlike


def outcome(family: Family, data: bytes, limits: ReadLimits | None = None) -> tuple[int, str | None]:
    """How many rows came, and the reason why no more did; anything else raised fails the test."""
    count = 0
    try:
        for _ in contents(family, data, limits):
            count += 1
    except Unreadable as stopped:
        assert str(stopped) == stopped.reason.value
        assert stopped.reason not in PASSING_FAULTS
        return count, stopped.reason.value
    return count, None


@every_family
def test_a_table_comes_out_as_it_went_in(family: Family) -> None:
    rows = people(30)
    found = list(contents(family, family.write(HEADER, rows)))
    assert [[name.lower() for name in found[-31]], *found[-30:]] == [HEADER, *rows]


@every_family
def test_a_record_deep_in_the_file_is_found(family: Family) -> None:
    rows = people(family.deep_rows, CANARY)
    assert any(CANARY in row for row in contents(family, family.write(HEADER, rows)))


@every_family
def test_a_table_without_records_gives_none(family: Family) -> None:
    found = list(contents(family, family.write(HEADER, [])))
    assert [row for row in found if len(row) > 1 and [name.lower() for name in row] != HEADER] == []


@every_family
def test_a_truncated_file_is_never_clean(family: Family) -> None:
    data = family.write(HEADER, people(3_000))
    for share in (0.1, 0.5, 0.9):
        _, reason = outcome(family, data[: int(len(data) * share)])
        if family.name != "jsonl" and not family.running:
            assert reason is not None, share


@every_family
def test_garbage_is_unreadable_or_content_and_nothing_else(family: Family) -> None:
    noise = random.Random(3)
    head = family.write(HEADER, people(5))[:64]
    for length in (0, 1, 100, 5_000):
        outcome(family, noise.randbytes(length))
        outcome(family, head[: length // 2] + noise.randbytes(length))


@every_family
def test_damaged_bytes_never_raise_anything_else(family: Family) -> None:
    pick = random.Random(11)
    whole = family.write(HEADER, people(60))
    for _ in range(40):
        data = bytearray(whole)
        for _ in range(pick.choice((1, 3, 20))):
            data[pick.randrange(len(data))] = pick.randrange(256)
        outcome(family, bytes(data), SMALL)


@every_family
def test_the_name_does_not_decide_what_a_file_is(family: Family) -> None:
    data = family.write(HEADER, people(300))
    for name in ("", "holiday.jpg", "data.csv", "notes.txt"):
        assert sniff(data[:65_536], data[-65_536:], len(data), name) in family.reader.MEDIA_TYPES


@pytest.mark.parametrize("family", [f for f in FAMILIES if f.packs], ids=lambda family: family.name)
def test_a_bomb_stops_at_the_limit(family: Family) -> None:
    rows = [["y" * 30_000] * 5] * 120
    data = family.write(HEADER, rows)
    assert len(data) < 3_000_000
    count, reason = outcome(family, data, SMALL)
    assert reason in ("limit_expanded", "limit_cell", "limit_memory")
    assert count < 120


@pytest.mark.parametrize("family", [f for f in FAMILIES if not f.container], ids=lambda family: family.name)
def test_far_too_many_columns_are_refused(family: Family) -> None:
    """A million where the format can hold them."""
    header = [f"c{i}" for i in range(family.columns)]
    limits = replace(ReadLimits(), max_columns=min(1000, family.columns // 2))
    _, reason = outcome(family, family.write(header, [["1"] * len(header)] * 2), limits)
    assert reason == "limit_columns"


@every_family
def test_letters_in_a_wrong_encoding_never_raise_anything_else(family: Family) -> None:
    """Bytes of Windows-1252 where the format says, or would have, UTF-8, and the other way round."""
    data = family.write(
        HEADER, [[*row[:-1], "Zoë" if family.name != "por" else "Zoe"] for row in people(200)]
    )
    for right, wrong in ((b"\xc3\xab", b"\xeb "), (b"\xeb\0", b"\0\xd8"), (b"Zo", b"\x81\xfe")):
        outcome(family, data.replace(right, wrong))


@pytest.mark.parametrize(
    ("family", "encoding"),
    [(f, e) for f in FAMILIES for e in f.encodings],
    ids=lambda x: getattr(x, "name", x),
)
def test_another_encoding_reads_the_same(family: Family, encoding: str) -> None:
    rows = people(50)
    found = list(contents(family, family.encodings[encoding](family.write(HEADER, rows))))
    assert [row[:4] for row in found] == [row[:4] for row in [HEADER, *rows]]


@every_family
def test_a_consumer_may_leave_a_table_half_way(family: Family) -> None:
    data = family.write(HEADER, people(500))
    for content in family.reader.read(io.BytesIO(data), family.media_type, ReadLimits()):
        if isinstance(content, Table):
            next(content.rows)
        elif isinstance(content, Text):
            next(content.lines)


@pytest.mark.parametrize("family", [f for f in FAMILIES if f.container], ids=lambda family: family.name)
def test_a_part_can_be_read_from_any_place(family: Family) -> None:
    rows = people(5_000)
    whole = as_csv(HEADER, rows)
    parts = [
        c for c in family.reader.read(io.BytesIO(family.write(HEADER, rows)), family.media_type, ReadLimits())
    ]
    stream = parts[-1].open()
    assert stream.seek(0, io.SEEK_END) == len(whole)
    stream.seek(len(whole) - 10)
    assert stream.read(100) == whole[-10:]
    stream.seek(5)
    assert stream.read(50) == whole[5:55]

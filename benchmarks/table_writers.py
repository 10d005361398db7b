"""The same made-up table in every format that has a reader: for contract tests, property tests and fuzzing.

A writer takes the names of the variables and rows of text cells, and gives the bytes of a file.
"""

from __future__ import annotations

import base64
import codecs
import csv
import io
import json
import sqlite3
import struct
import tarfile
import tempfile
import zipfile
import zlib
from collections.abc import Callable, Sequence
from email.message import EmailMessage
from pathlib import Path
from typing import BinaryIO

import pyarrow
import xlsxwriter
from pyarrow import ipc

Rows = Sequence[Sequence[str]]
Writer = Callable[[list[str], Rows], bytes]


def as_csv(header: list[str], rows: Rows) -> bytes:
    out = io.StringIO()
    csv.writer(out).writerows([header, *rows])
    return out.getvalue().encode()


def as_xlsx(header: list[str], rows: Rows) -> bytes:
    out = io.BytesIO()
    with xlsxwriter.Workbook(out, {"in_memory": True, "strings_to_numbers": True}) as book:
        sheet = book.add_worksheet("Data")
        for number, row in enumerate([header, *rows]):
            sheet.write_row(number, 0, row[:16_384])
    return out.getvalue()


def as_json(header: list[str], rows: Rows) -> bytes:
    return json.dumps([dict(zip(header, row, strict=True)) for row in rows]).encode()


def as_json_lines(header: list[str], rows: Rows) -> bytes:
    return "".join(json.dumps(dict(zip(header, row, strict=True))) + "\n" for row in rows).encode()


def as_arrow(header: list[str], rows: Rows) -> pyarrow.Table:
    columns = [list(column) for column in zip(*rows, strict=True)] or [[] for _ in header]
    return pyarrow.table([pyarrow.array(c, pyarrow.string()) for c in columns], names=header)


def written(write: Callable[[pyarrow.Table, BinaryIO], object]) -> Callable[[list[str], Rows], bytes]:
    def make(header: list[str], rows: Rows) -> bytes:
        out = io.BytesIO()
        write(as_arrow(header, rows), out)
        return out.getvalue()

    return make


def as_zip(header: list[str], rows: Rows) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as target:
        target.writestr("readme.txt", "read me")
        target.writestr("folder/data.csv", as_csv(header, rows))
    return out.getvalue()


def as_tar(header: list[str], rows: Rows) -> bytes:
    out, data = io.BytesIO(), as_csv(header, rows)
    with tarfile.open(fileobj=out, mode="w") as target:
        member = tarfile.TarInfo("data.csv")
        member.size = len(data)
        target.addfile(member, io.BytesIO(data))
    return out.getvalue()


def as_7z(header: list[str], rows: Rows) -> bytes:
    import py7zr

    out = io.BytesIO()
    with py7zr.SevenZipFile(out, "w") as target:
        target.writestr(b"read me", "readme.txt")
        target.writestr(as_csv(header, rows), "data.csv")
    return out.getvalue()


def as_tabs(header: list[str], rows: Rows) -> bytes:
    return "".join("\t".join(row) + "\r\n" for row in [header, *rows]).encode()


def as_columns(header: list[str], rows: Rows) -> bytes:
    widths = [max(map(len, column)) + 2 for column in zip(header, *rows, strict=True)]
    lines = ("".join(c.ljust(w) for c, w in zip(row, widths, strict=True)) for row in [header, *rows])
    return "\n".join(line.rstrip() for line in lines).encode()


def as_markdown(header: list[str], rows: Rows) -> bytes:
    lines = ["| " + " | ".join(row) + " |" for row in [header, *rows]]
    return "\n".join([lines[0], "|---" * len(header) + "|", *lines[1:], ""]).encode()


def as_html(header: list[str], rows: Rows) -> bytes:
    head = "".join(f"<th>{cell}</th>" for cell in header)
    body = "".join("<tr>" + "".join(f"<td>{cell}</td>" for cell in row) + "</tr>\n" for row in rows)
    return f"<html><body><table><tr>{head}</tr>{body}</table></body></html>".encode()


def as_xml(header: list[str], rows: Rows) -> bytes:
    def record(row: Sequence[str]) -> str:
        return "<r>" + "".join(f"<{n}>{c}</{n}>" for n, c in zip(header, row, strict=True)) + "</r>\n"

    return ("<?xml version='1.0'?><all>" + "".join(map(record, rows)) + "</all>").encode()


def as_sql(header: list[str], rows: Rows) -> bytes:
    names = ", ".join(f'"{name}"' for name in header)
    values = ",\n".join("(" + ", ".join(f"'{cell}'" for cell in row) + ")" for row in rows)
    return f"INSERT INTO people ({names}) VALUES\n{values};\n".encode()


def as_base64(header: list[str], rows: Rows) -> bytes:
    return base64.encodebytes(as_csv(header, rows))


def as_statistical(writer: str, **options: bool) -> Callable[[list[str], Rows], bytes]:
    def make(header: list[str], rows: Rows) -> bytes:
        import pandas
        import pyreadstat

        names = [name[:8] for name in header] if writer == "write_por" else header
        frame = pandas.DataFrame([list(row) for row in rows], columns=names, dtype=str)
        with tempfile.NamedTemporaryFile(suffix=".x") as file:
            getattr(pyreadstat, writer)(frame, file.name, **options)
            return Path(file.name).read_bytes()

    return make


def as_dbf(header: list[str], rows: Rows) -> bytes:
    """dBase III: texts of a width that holds them all; a name has ten bytes, so longer ones are cut."""
    widths = [max([1, *(len(row[k].encode()) for row in rows)]) for k in range(len(header))]
    length = 1 + sum(widths)
    head = struct.pack("<BBBBIHH20x", 3, 126, 11, 28, len(rows), 32 + 32 * len(header) + 1, length)
    described = b"".join(
        name.encode()[:10].ljust(11, b"\0") + b"C" + bytes(4) + bytes([w % 256, w // 256]) + bytes(14)
        for name, w in zip(header, widths, strict=True)
    )
    records = b"".join(
        b" " + b"".join(cell.encode().ljust(w) for cell, w in zip(row, widths, strict=True)) for row in rows
    )
    return head + described + b"\r" + records + b"\x1a"


def as_sqlite(header: list[str], rows: Rows) -> bytes:
    connection = sqlite3.connect(":memory:")
    connection.execute(f"CREATE TABLE data ({', '.join(header)})")
    connection.executemany(f"INSERT INTO data VALUES ({','.join('?' * len(header))})", rows)
    connection.commit()
    return connection.serialize()


def r_strings(values: Sequence[str]) -> bytes:
    cells = b"".join(struct.pack(">ii", 9, len(v.encode())) + v.encode() for v in values)
    return struct.pack(">ii", 16, len(values)) + cells


def r_pair(name: str, value: bytes) -> bytes:
    """A cell of a pair list, with a tag of its own symbol."""
    return struct.pack(">iiii", 0x402, 1, 9, len(name)) + name.encode() + value


def as_rds(header: list[str], rows: Rows) -> bytes:
    columns = list(zip(*rows, strict=True)) or [() for _ in header]
    names = r_pair("names", r_strings(header)) + r_pair("class", r_strings(["data.frame"]))
    body = struct.pack(">ii", 0x313, len(header)) + b"".join(map(r_strings, columns))
    return b"X\n" + struct.pack(">iii", 2, 0x40000, 0x20300) + body + names + struct.pack(">i", 254)


WORD = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"


def as_rdata(header: list[str], rows: Rows) -> bytes:
    """A file of `save`: one data frame under a name."""
    rds = as_rds(header, rows)
    return b"RDX2\n" + rds[:14] + r_pair("people", rds[14:]) + struct.pack(">i", 254)


def as_docx(header: list[str], rows: Rows) -> bytes:
    def row_xml(row: Sequence[str]) -> str:
        return (
            "<w:tr>" + "".join(f"<w:tc><w:p><w:r><w:t>{c}</w:t></w:r></w:p></w:tc>" for c in row) + "</w:tr>"
        )

    body = "".join(map(row_xml, [header, *rows]))
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as target:
        target.writestr("[Content_Types].xml", "<Types/>")
        document = f'<w:document xmlns:w="{WORD}"><w:body><w:tbl>{body}</w:tbl></w:body></w:document>'
        target.writestr("word/document.xml", document)
    return out.getvalue()


def as_ods(header: list[str], rows: Rows) -> bytes:
    def row_xml(row: Sequence[str]) -> str:
        cells = (
            f'<table:table-cell office:value-type="string"><text:p>{c}</text:p></table:table-cell>'
            for c in row
        )
        return f"<table:table-row>{''.join(cells)}</table:table-row>"

    spaces = " ".join(
        f'xmlns:{n}="urn:oasis:names:tc:opendocument:xmlns:{n}:1.0"'
        for n in ("office", "table", "text", "style")
    )
    body = "".join(map(row_xml, [header, *rows]))
    kind = "application/vnd.oasis.opendocument.spreadsheet"
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as target:
        target.writestr("mimetype", kind, zipfile.ZIP_STORED)
        target.writestr(
            "content.xml",
            f"<office:document-content {spaces}><office:body><office:spreadsheet>"
            f'<table:table table:name="Data">{body}</table:table>'
            "</office:spreadsheet></office:body></office:document-content>",
        )
        target.writestr(
            "META-INF/manifest.xml", f'<manifest><file-entry full-path="/" media-type="{kind}"/></manifest>'
        )
    return out.getvalue()


def as_eml(header: list[str], rows: Rows) -> bytes:
    message = EmailMessage()
    message["From"], message["To"] = "a@example.org", "b@example.org"
    message["Date"], message["Message-ID"] = "Thu, 14 Mar 2024 09:26:53 +0000", "<1@example.org>"
    message.set_content("See below.")
    message.add_attachment(as_csv(header, rows), maintype="text", subtype="csv", filename="data.csv")
    return message.as_bytes()


def as_mbox(header: list[str], rows: Rows) -> bytes:
    return b"From a@example.org Thu Mar 14 09:26:53 2024\n" + as_eml(header, rows)


def as_hex(header: list[str], rows: Rows) -> bytes:
    return as_csv(header, rows).hex().encode()


def as_uuencode(header: list[str], rows: Rows) -> bytes:
    return codecs.encode(as_csv(header, rows), "uu")  # type: ignore[return-value]


def as_signed(header: list[str], rows: Rows) -> bytes:
    """A signed message (RFC 5652), but for its signature."""

    def value(tag: int, *inner: bytes) -> bytes:
        body = b"".join(inner)
        return bytes([tag, 0x84]) + len(body).to_bytes(4, "big") + body

    data = bytes.fromhex("06092a864886f70d010701")
    inside = value(0x30, data, value(0xA0, value(4, as_csv(header, rows))))
    body = value(0x30, b"\2\1\1", value(0x31), inside, value(0x31))
    return value(0x30, bytes.fromhex("06092a864886f70d010702"), value(0xA0, body))


def as_arrow_stream(table: pyarrow.Table, out: BinaryIO) -> None:
    with ipc.new_stream(out, table.schema) as writer:
        writer.write_table(table)


def as_compressed_message(header: list[str], rows: Rows) -> bytes:
    body = b"b\x04data\0\0\0\0" + as_csv(header, rows)
    literal = b"\xcb\xff" + len(body).to_bytes(4, "big") + body
    compressed = b"\2" + zlib.compress(literal)
    return b"\xc8\xff" + len(compressed).to_bytes(4, "big") + compressed


def packed(pack: Callable[[bytes], bytes]) -> Callable[[list[str], Rows], bytes]:
    return lambda header, rows: pack(as_csv(header, rows))


XLS = zlib.decompress(
    base64.b85decode(
        "c-rk)O=uHA6#izj`K3vdCKVf@go0ITi-;F5?W&;BgQe<05kV6-XsF#t5TstL)*J;v5G*28svttui$AEKw;qIw9t1&1^yo=Y@"
        "X%&`^Riph8lekXY1wa?H*em&xAS)9&70kQGaW0BKTKAz0DbVFY6jt}lL;z8yAcKTo2F##IzYvAv8)gb&_epWcou%`muo23y8"
        ";Cd)K^4-PgIWJH2MohF13W%!9HY!^r2U%6nhG8P>G<8{c2%)oN1iteb#->bQ?=9GwmhavN()st-oul6~~8^4(^K(6?n`xA6T"
        "*(t(cN=eEy24>3Xrfn9rPADIM)<6DB}woz5A#qHH(gHbTHKp=W5QN7u_pP#jF)yO{#M*&F_4%9SszT!7?1=F9zmkOycH8_9z"
        "W<X06H7=d|A$mlO2jI=6yyf|>OaMmc%w%Fs7A>+gDysqbr86-I|c&N}O$?L>qPUOfaTPPYKc`R@miOx$SVcuL#M0GSXALA_+"
        "C1+>ueto+)JD?q9$p{}EwF73YbPgsiNDDHKa1Z;(<9D&eMy40}u4|Z2GELA!P~ADuYB9S;S?3b>cG5Uo81J-ob^LnbOJDXqX"
        ")k@&HV{9VuAECuzSqXlK@+Hxy}U-zExN_nb&02%T?;D}ePr79TUrVzQOkGJIz^i?EB6~A#<bRwvm@qOiZxf#S}d@Bfz>RF@h"
        "r!1Z<9=i*QR8Ol=?~oeT6kcOmA`e9GlbkG|>03W`yY-*1yU6eM$=+$(vD%{RKAy{(l6-9Y#RhVFbkMBLIyez=aDJE?l^9u}m"
        "Opuk?J}tNaa6dv)_$|8-`mRNdbsD;E1vpz92MA?}1hbrHjk;%61S!oHVSq>cT*P~sqsUc?}>?8l(v_@!5GQU5%PHjMtgE#!3"
        "ksuMr|@%TRh(!(9k"
    )
)
"""A small .xls of two sheets, the second hidden: id, age, born; three records."""

"""Formats that no library of ours writes, as little of them as readers need: SAS, binary workbooks, PDF."""

from __future__ import annotations

import io
import struct
import zipfile
from collections.abc import Sequence
from itertools import accumulate

Rows = Sequence[Sequence[str]]
MAGIC = bytes(12) + bytes.fromhex("c2ea8160b31411cfbd92080009c7318c181f1011")
_HEADER, _PAGE_HEAD = 1024, 24


def _fitting(least: int, needed: int) -> int:
    while least < needed:
        least *= 2
    return least


def as_sas7bdat(header: list[str], rows: Rows) -> bytes:
    """A data set of text columns: 32 bits, little endian, not compressed (M. Shotwell's description)."""
    columns = [[row[i].encode() for row in rows] for i in range(len(header))]
    widths = [max([1, *map(len, column)]) for column in columns]
    names = [name.encode() for name in header]
    text, places = b"\0\0", []
    for name in names:
        places.append((len(text), len(name)))
        text += name + bytes(-len(name) % 4)
    text += bytes(16)
    text = struct.pack("<H", len(text) + 4 - 12) + text[2:]
    offsets = list(accumulate(widths, initial=0))[:-1]
    size = bytearray(480)
    size[:4] = b"\xf7\xf7\xf7\xf7"
    struct.pack_into("<2I", size, 20, sum(widths), len(rows))
    struct.pack_into("<2I", size, 36, len(header), 0)
    pointers = b"".join(struct.pack("<4H", 0, at, length, 0) for at, length in places)
    kinds = b"".join(struct.pack("<2IHBx", o, w, 0, 2) for o, w in zip(offsets, widths, strict=True))
    parts = [
        bytes(size),
        b"\xf6\xf6\xf6\xf6" + struct.pack("<2I", len(header), 0),
        b"\xfd\xff\xff\xff" + text,
        b"\xff\xff\xff\xff" + struct.pack("<H", len(pointers) + 8) + bytes(6) + pointers + bytes(8),
        b"\xfc\xff\xff\xff" + struct.pack("<H", len(kinds) + 8) + bytes(6) + kinds + bytes(8),
        *[b"\xfe\xfb\xff\xff" + bytes(48)] * len(header),
    ]
    needed = _PAGE_HEAD + sum(12 + len(part) for part in parts)
    page_size = _fitting(4096, max(needed, _PAGE_HEAD + sum(widths)))
    pages = [_meta_page(parts, page_size)]
    records = [
        b"".join(c.ljust(w) for c, w in zip(row, widths, strict=True)) for row in zip(*columns, strict=True)
    ]
    fit = (page_size - _PAGE_HEAD) // max(1, sum(widths))
    for start in range(0, len(records), fit):
        block = records[start : start + fit]
        head = bytes(16) + struct.pack("<4H", 0x0100, len(block), 0, 0)
        pages.append((head + b"".join(block)).ljust(page_size, b"\0"))
    return _sas_header(page_size, len(pages)) + b"".join(pages)


def _meta_page(parts: list[bytes], page_size: int) -> bytes:
    pointers, bodies, end = b"", b"", page_size
    for part in parts:
        end -= len(part)
        pointers += struct.pack("<2I2BH", end, len(part), 0, 0, 0)
        bodies = part + bodies
    head = bytes(16) + struct.pack("<4H", 0, len(parts), len(parts), 0) + pointers
    return head.ljust(page_size - len(bodies), b"\0") + bodies


def _sas_header(page_size: int, pages: int) -> bytes:
    head = bytearray(_HEADER)
    head[: len(MAGIC)] = MAGIC
    head[32], head[35], head[37], head[39], head[70] = 0x22, 0x22, 1, 0x31, 20
    head[84:92], head[92:96], head[156:164] = b"SAS FILE", b"DATA", b"DATA    "
    struct.pack_into("<2d", head, 164, 1.9e9, 1.9e9)
    struct.pack_into("<3I", head, 196, _HEADER, page_size, pages)
    head[216:224] = b"9.0401M0"
    return bytes(head)


def as_xlsb(header: list[str], rows: Rows) -> bytes:
    """A binary workbook of one sheet of text cells (MS-XLSB 2.1.4: records of type, length, content)."""

    def record(kind: int, content: bytes = b"") -> bytes:
        tag = bytes([kind]) if kind < 128 else bytes([kind & 0x7F | 0x80, kind >> 7])
        length, size = len(content), b""
        while length > 127:
            size, length = size + bytes([length & 0x7F | 0x80]), length >> 7
        return tag + size + bytes([length]) + content

    def wide(text: str) -> bytes:
        return struct.pack("<I", len(text)) + text.encode("utf-16-le")

    lines = [header, *rows]
    body = bytearray(record(129) + record(148, struct.pack("<4I", 0, len(lines) - 1, 0, len(header) - 1)))
    body += record(145)
    for number, line in enumerate(lines):
        body += record(0, struct.pack("<IIHBBBI", number, 0, 300, 0, 0, 0, 0))
        for column, cell in enumerate(line):
            body += record(6, struct.pack("<2I", column, 0) + wide(cell))
    body += record(146) + record(130)
    bundle = struct.pack("<2I", 0, 1) + wide("rId1") + wide("Data")
    book = record(131) + record(143) + record(156, bundle) + record(144) + record(132)
    spaces = "http://schemas.openxmlformats.org"
    relation = f"{spaces}/officeDocument/2006/relationships"

    def relations(kind: str, target: str) -> str:
        one = f'<Relationship Id="rId1" Type="{relation}/{kind}" Target="{target}"/>'
        return f'<Relationships xmlns="{spaces}/package/2006/relationships">{one}</Relationships>'

    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as target:
        target.writestr(
            "[Content_Types].xml",
            f'<Types xmlns="{spaces}/package/2006/content-types"><Default Extension="bin" '
            'ContentType="application/vnd.ms-excel.sheet.binary.macroEnabled.main"/></Types>',
        )
        target.writestr("_rels/.rels", relations("officeDocument", "xl/workbook.bin"))
        target.writestr("xl/workbook.bin", book)
        target.writestr("xl/_rels/workbook.bin.rels", relations("worksheet", "worksheets/sheet1.bin"))
        target.writestr("xl/worksheets/sheet1.bin", bytes(body))
    return out.getvalue()


def as_xls(header: list[str], rows: Rows) -> bytes:
    """A workbook of before 2007, of one sheet of text cells (MS-XLS) in a compound file (MS-CFB)."""

    def record(kind: int, content: bytes = b"") -> bytes:
        return struct.pack("<2H", kind, len(content)) + content

    lines = [header, *rows]
    begin = record(0x809, struct.pack("<4H2I", 0x600, 5, 0, 0, 0, 0))
    name = b"\4\0Data"
    at = len(begin) + len(record(0x85, bytes(6) + name)) + 4
    book = bytearray(begin + record(0x85, struct.pack("<I2B", at, 0, 0) + name) + record(0x0A))
    book += record(0x809, struct.pack("<4H2I", 0x600, 0x10, 0, 0, 0, 0))
    book += record(0x200, struct.pack("<2I3H", 0, len(lines), 0, len(header), 0))
    for number, line in enumerate(lines):
        for column, cell in enumerate(line):
            text = struct.pack("<4HB", number, column, 0, len(cell), 1) + cell.encode("utf-16-le")
            book += record(0x204, text)
    return compound(bytes(book + record(0x0A)), "Workbook")


def compound(content: bytes, name: str) -> bytes:
    """A compound file of one stream: header, its table of sectors, one sector of directory, the stream."""
    sectors = max(8, -(-len(content) // 512))
    tables = -(-(sectors + 1) // 127)
    first = tables + 1
    chain = [0xFFFFFFFD] * tables + [0xFFFFFFFE] + [*range(first + 1, first + sectors), 0xFFFFFFFE]
    chain += [0xFFFFFFFF] * (tables * 128 - len(chain))
    head = bytes.fromhex("d0cf11e0a1b11ae1") + bytes(16) + struct.pack("<5H6x", 0x3E, 3, 0xFFFE, 9, 6)
    head += struct.pack("<9I", 0, tables, tables, 0, 4096, 0xFFFFFFFE, 0, 0xFFFFFFFE, 0)
    head += struct.pack("<109I", *([*range(tables)] + [0xFFFFFFFF] * 109)[:109])

    def entry(title: str, kind: int, child: int, start: int, size: int) -> bytes:
        coded = title.encode("utf-16-le") + b"\0\0"
        links = struct.pack("<HBB3I", len(coded), kind, 1, 0xFFFFFFFF, 0xFFFFFFFF, child)
        return coded.ljust(64, b"\0") + links + bytes(36) + struct.pack("<IQ", start, size)

    listed = entry("Root Entry", 5, 1, 0xFFFFFFFE, 0) + entry(name, 2, 0xFFFFFFFF, first, sectors * 512)
    body = content.ljust(sectors * 512, b"\0")
    return head + struct.pack(f"<{len(chain)}I", *chain) + listed.ljust(512, b"\0") + body


PDF_ROWS = 50


def as_pdf(header: list[str], rows: Rows, sideways: bool = False) -> bytes:
    """Pages of `PDF_ROWS` rows, each cell drawn at its place, without lines around it. No compression.

    `sideways` draws upwards along the page's side and has the page shown turned.
    """
    widths = [max(map(len, column)) * 6 + 24 for column in zip(header, *rows, strict=True)]
    pages = [rows[i : i + PDF_ROWS] for i in range(0, len(rows), PDF_ROWS)] or [rows]
    wide, high = sum(widths) + 80, 900
    drawn = [_drawn([header, *page], widths, sideways) for page in pages]
    return pdf(drawn, (high, wide) if sideways else (wide, high), 90 * sideways)


def _drawn(lines: Rows, widths: Sequence[int], sideways: bool) -> bytes:
    out = []
    for number, line in enumerate(lines):
        left = 40
        for cell, width in zip(line, widths, strict=True):
            text = cell.encode("cp1252", "replace").translate(None, b"()\\")
            place = (40 + 14 * number, left) if sideways else (left, 860 - 14 * number)
            out.append(b"%s %d %d Tm (%s) Tj" % (b"0 1 -1 0" if sideways else b"1 0 0 1", *place, text))
            left += width
    return b"BT /F 10 Tf\n" + b"\n".join(out) + b"\nET"


def pdf(pages: Sequence[bytes], size: tuple[int, int] = (600, 900), turned: int = 0) -> bytes:
    """A document of these pages' descriptions; the font is one of the fourteen that every reader has."""
    kids = b" ".join(b"%d 0 R" % (4 + 2 * i) for i in range(len(pages)))
    font = b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>"
    objects = [b"<< /Type /Catalog /Pages 2 0 R >>"]
    objects += [b"<< /Type /Pages /Count %d /Kids [%s] >>" % (len(pages), kids), font]
    for number, content in enumerate(pages):
        objects.append(
            b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 %d %d] /Rotate %d /Contents %d 0 R "
            b"/Resources << /Font << /F 3 0 R >> >> >>" % (*size, turned, 5 + 2 * number)
        )
        objects.append(b"<< /Length %d >>\nstream\n%s\nendstream" % (len(content), content))
    out, places = bytearray(b"%PDF-1.4\n"), []
    for number, body in enumerate(objects, 1):
        places.append(len(out))
        out += b"%d 0 obj\n%s\nendobj\n" % (number, body)
    table = b"".join(b"%010d 00000 n \n" % place for place in places)
    start, count = len(out), len(objects) + 1
    out += b"xref\n0 %d\n0000000000 65535 f \n%s" % (count, table)
    out += b"trailer << /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n" % (count, start)
    return bytes(out)

"""Sound files to begin fuzzing with, by family of readers; every one is made here, of made-up people.

MARK stands in headers, in cells, in names of members and around the tables: whatever is let out of a file
would let it out.
"""

from __future__ import annotations

import base64
import bz2
import gzip
import io
import json
import lzma
import sqlite3
import tempfile
import zipfile
from collections.abc import Callable
from email.message import EmailMessage
from pathlib import Path

import pyrage
import table_writers as as_
from backports import zstd
from binary_writers import as_pdf, as_sas7bdat, as_xls, as_xlsb
from msoffcrypto.format.ooxml import OOXMLFile
from pyarrow import feather, orc, parquet
from running_service import MadeUp

MARK = "Zq7vKw93XmT5"
Seeds = dict[str, bytes]


def table(rows: int = 24) -> tuple[list[str], list[list[str]]]:
    """A small survey with the mark as a variable and as a value."""
    lines = [line.split(",") for line in MadeUp.survey(rows).decode().split("\r\n") if line]
    return [*lines[0][:6], MARK], [[*line[:6], MARK] for line in lines[1:]]


def plain_text() -> Seeds:
    header, rows = table()
    csv = as_.as_csv(header, rows)
    prose = f"On 3 May {MARK} was seen, born 12/03/1961, NINO QQ 12 34 56 C, of 4 High Street.\n" * 3
    log = "".join(
        f"2024-05-0{i % 9 + 1} 10:00:{i:02} INFO user=u{i} ip=10.0.0.{i} {MARK}\n" for i in range(20)
    )
    pairs = "".join(f"Name: P{i} {MARK}\nBorn: 196{i}-02-03\nSex: F\n\n" for i in range(8))
    return {
        "csv": csv,
        "semicolon": csv.replace(b",", b";"),
        "tsv": as_.as_tabs(header, rows),
        "fixed": as_.as_columns(header, rows),
        "markdown": as_.as_markdown(header, rows),
        "utf16": csv.decode().encode("utf-16"),
        "latin": csv.replace(b"a", b"\xe9"),
        "titled": b"Table 1: " + MARK.encode() + b"\n\n" + csv + b"\nSource: made up\n",
        "quoted": b"\n".join(b'"' + line.replace(b",", b'","') + b'"' for line in csv.splitlines()),
        "stacked": csv + b"\n\nSecond\n" + csv,
        "prose": prose.encode(),
        "log": log.encode(),
        "pairs": pairs.encode(),
    }


def json_text() -> Seeds:
    header, rows = table(12)
    records = [dict(zip(header, row, strict=True)) for row in rows]
    columns = {name: list(column) for name, column in zip(header, zip(*rows, strict=True), strict=True)}
    return {
        "list": as_.as_json(header, rows),
        "lines": as_.as_json_lines(header, rows),
        "nested": json.dumps(
            {"meta": MARK, "data": {"people": [{"p": r, "x": [1, 2]} for r in records]}}
        ).encode(),
        "columns": json.dumps(columns).encode(),
        "rows": json.dumps({"columns": header, "data": rows}).encode(),
        "utf16": as_.as_json(header, rows).decode().encode("utf-16"),
    }


def markup() -> Seeds:
    header, rows = table(10)
    attributes = "".join(f'<p id="{r[0]}" age="{r[2]}" m="{r[-1]}"/>' for r in rows)
    return {
        "html": as_.as_html(header, rows),
        "nested": b"<div><table><tr><td>" + as_.as_html(header, rows) + b"</td></tr></table>" + MARK.encode(),
        "xml": as_.as_xml(header, rows),
        "attributes": f"<?xml version='1.0'?><all>{attributes}</all>".encode(),
        "svg": b"<svg xmlns='http://www.w3.org/2000/svg'><text>" + MARK.encode() + b"</text></svg>",
    }


def sql_dump() -> Seeds:
    header, rows = table(12)
    copy = "\n".join("\t".join(row) for row in rows)
    return {
        "insert": as_.as_sql(header, rows),
        "copy": f"COPY public.people ({', '.join(header)}) FROM stdin;\n{copy}\n\\.\n".encode(),
        "create": f"CREATE TABLE `p` (\n  `id` int,\n  `{MARK}` text\n);\n".encode()
        + b"INSERT INTO `p` VALUES (1,'x'),(2,'y''z');\n",
    }


def spreadsheet() -> Seeds:
    header, rows = table(10)
    return {"xlsx": as_.as_xlsx(header, rows)}


def legacy_sheet() -> Seeds:
    header, rows = table(8)
    return {"ods": as_.as_ods(header, rows), "xls": as_xls(header, rows), "xlsb": as_xlsb(header, rows)}


def word() -> Seeds:
    header, rows = table(8)
    return {"docx": as_.as_docx(header, rows)}


def statistical() -> Seeds:
    header, rows = table(8)
    names = [name[:8] for name in header]
    zsav = as_.as_statistical("write_sav", compress=True)(names, rows)
    return {"sas": as_sas7bdat(names, rows), "zsav": zsav} | {
        writer: as_.as_statistical(f"write_{writer}")(names, rows)
        for writer in ("sav", "dta", "xport", "por")
    }


def r_data() -> Seeds:
    header, rows = table(8)
    rds = as_.as_rds(header, rows)
    return {
        "rds": rds,
        "gz": gzip.compress(rds),
        "rdata": as_.as_rdata(header, rows),
    }


def columnar() -> Seeds:
    header, rows = table(6)
    return {
        "parquet": as_.written(parquet.write_table)(header, rows),
        "feather": as_.written(feather.write_feather)(header, rows),
        "feather1": as_.written(lambda t, out: feather.write_feather(t, out, version=1))(header, rows),
        "stream": as_.written(as_.as_arrow_stream)(header, rows),
        "orc": as_.written(orc.write_table)(header, rows),
    }


def database() -> Seeds:
    header, rows = table(10)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "a.db"
        connection = sqlite3.connect(path)
        connection.execute("PRAGMA journal_mode=wal")
        connection.execute("PRAGMA page_size=512")
        connection.execute(f"CREATE TABLE {MARK} ({', '.join(header)})")
        connection.executemany(f"INSERT INTO {MARK} VALUES (?,?,?,?,?,?,?)", rows)
        connection.commit()
        log = Path(f"{path}-wal").read_bytes()
        connection.close()
    return {"sqlite": as_.as_sqlite(header, rows), "wal": log}


def dbase() -> Seeds:
    header, rows = table(10)
    plain = as_.as_dbf(header, rows)
    return {"three": plain, "foxpro": b"\x30" + plain[1:], "seven": b"\x04" + plain[1:]}


def archive() -> Seeds:
    header, rows = table(8)
    csv = as_.as_csv(header, rows)
    big = io.BytesIO()
    with zipfile.ZipFile(big, "w", zipfile.ZIP_DEFLATED) as out:
        with out.open(f"{MARK}.csv", "w", force_zip64=True) as member:
            member.write(csv)
        out.writestr("inner.zip", as_.as_zip(header, rows))
    return {
        "zip": as_.as_zip(header, rows),
        "zip64": big.getvalue(),
        "tar": as_.as_tar(header, rows),
        "tgz": gzip.compress(as_.as_tar(header, rows)),
        "gz": gzip.compress(csv),
        "bz2": bz2.compress(csv),
        "xz": lzma.compress(csv),
        "lzma": lzma.compress(csv, lzma.FORMAT_ALONE),
        "zst": zstd.compress(csv),
        "aes": MadeUp.aes_zip(csv),
    }


def seven_zip() -> Seeds:
    header, rows = table(8)
    return {"7z": as_.as_7z(header, rows)}


def pdf() -> Seeds:
    header, rows = table(8)
    return {"pdf": as_pdf(header, rows), "sideways": as_pdf(header, rows, sideways=True)}


def mail() -> Seeds:
    header, rows = table(8)
    eml = as_.as_eml(header, rows)
    outer = EmailMessage()
    outer["From"], outer["Subject"] = "a@example.org", MARK
    outer["Date"] = "Thu, 14 Mar 2024 09:26:53 +0000"
    outer.set_content(as_.as_csv(header, rows).decode(), cte="quoted-printable")
    mbox = b"".join(
        b"From a@example.org Thu Mar 14 09:26:53 2024\n" + m + b"\n" for m in (eml, outer.as_bytes())
    )
    return {
        "eml": eml,
        "quoted": outer.as_bytes(),
        "mbox": mbox,
        "base64": as_.as_base64(header, rows),
        "hex": as_.as_hex(header, rows),
        "base32": base64.b32encode(as_.as_csv(header, rows)),
        "uu": as_.as_uuencode(header, rows),
    }


def protection() -> Seeds:
    header, rows = table(6)
    csv = as_.as_csv(header, rows)
    to = pyrage.x25519.Identity.generate().to_public()
    office = io.BytesIO()
    OOXMLFile(io.BytesIO(as_.as_xlsx(header, rows))).encrypt("VelvetSweatshop", office)
    skesk = b"\xc3\x0d\x04\x09\x03\x08" + b"saltsalt" + b"\x60"
    seipd = b"\xd2\xff" + (300).to_bytes(4, "big") + b"\1" + bytes(range(255)) + bytes(44)
    armored = base64.encodebytes(skesk + seipd)
    return {
        "age": pyrage.encrypt(csv, [to]),
        "age_armor": pyrage.encrypt(csv, [to], armored=True),
        "office": office.getvalue(),
        "pgp": skesk + seipd,
        "pgp_armor": b"-----BEGIN PGP MESSAGE-----\n\n" + armored + b"-----END PGP MESSAGE-----\n",
        "pgp_packed": as_.as_compressed_message(header, rows),
        "openssl": b"Salted__12345678" + bytes(range(256)),
        "luks": b"LUKS\xba\xbe\0\1" + b"aes".ljust(32, b"\0") + b"xts-plain64".ljust(32, b"\0") + bytes(4096),
        "keepass": b"\x03\xd9\xa2\x9a\x67\xfb\x4b\xb5" + bytes(range(256)),
        "signed": as_.as_signed(header, rows),
        "cms": b"\x30\x82\x01\x0b" + bytes.fromhex("06092a864886f70d010703") + bytes(range(256)),
        "ansible": b"$ANSIBLE_VAULT;1.1;AES256\n" + b"6162" * 40 + b"\n",
        "sav": b"\0" * 8 + b"ENCRYPTEDSAV" + bytes(range(256)),
        "pare": b"PARE" + bytes(range(256)) + b"PARE",
    }


FAMILIES: dict[str, Callable[[], Seeds]] = {
    make.__name__: make
    for make in (
        plain_text, json_text, markup, sql_dump, spreadsheet, legacy_sheet, word, statistical, r_data,
        columnar, database, dbase, archive, seven_zip, mail, pdf, protection,
    )
}  # fmt: skip

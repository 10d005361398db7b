"""Archives: members that only claim to be encrypted are opened; nothing hides behind an end mark."""

from __future__ import annotations

import io
import struct
import tarfile
import zipfile
import zlib

import pytest
import pyzipper

from detectors.engine.table import Part, Protected, ReadLimits, Table, Unreadable
from detectors.readers.archive import read

CSV = b"id,age\n" + b"1,30\n2,40\n" * 200


def parts(data: bytes, media_type: str = "application/zip") -> list[Part]:
    found = list(read(io.BytesIO(data), media_type, ReadLimits()))
    assert all(isinstance(part, Part) for part in found)
    return [part for part in found if isinstance(part, Part)]


def encrypted(method: int | None) -> bytes:
    out = io.BytesIO()
    with pyzipper.AESZipFile(out, "w", compression=zipfile.ZIP_DEFLATED) as target:
        target.setpassword(b"made up")
        if method:
            target.setencryption(method, nbits=256)
        target.writestr("staff.csv", CSV)
    return out.getvalue()


def crypto(payload: bytes, flags: int = 1, method: int = 8, extra: bytes = b"") -> bytes:
    """A zip of one member whose headers say what we like."""
    name, crc = b"staff.csv", zlib.crc32(CSV)
    sizes = struct.pack("<3L", crc, len(payload), len(CSV))
    local = (
        b"PK\3\4"
        + struct.pack("<5H", 20, flags, method, 0, 0)
        + sizes
        + struct.pack("<2H", len(name), len(extra))
    )
    body = local + name + extra + payload
    entry = b"PK\1\2" + struct.pack("<6H", 20, 20, flags, method, 0, 0) + sizes
    entry += struct.pack("<5H2L", len(name), len(extra), 0, 0, 0, 0, 0) + name + extra
    return body + entry + struct.pack("<4s4H2LH", b"PK\5\6", 0, 0, 1, 1, len(entry), len(body), 0)


def deflated(data: bytes) -> bytes:
    engine = zlib.compressobj(9, zlib.DEFLATED, -15)
    return engine.compress(data) + engine.flush()


NOISE = bytes((i * 197 + i // 7 * 31) % 256 for i in range(900))


def test_encryption_is_strong_weak_or_none() -> None:
    assert parts(encrypted(pyzipper.WZ_AES))[0].protected == Protected("zip_aes", strong=True)
    assert parts(crypto(NOISE))[0].protected == Protected("zip_crypto", strong=False)
    pkware = struct.pack("<HHHHHH", 0x17, 8, 2, 0x6610, 256, 1)
    assert parts(crypto(NOISE, flags=0x41, extra=pkware))[0].protected == Protected("zip_pkware", strong=True)
    weak = struct.pack("<HHHHHH", 0x17, 8, 2, 0x6801, 64, 1)
    assert parts(crypto(NOISE, flags=0x41, extra=weak))[0].protected == Protected(
        "zip_pkware_weak", strong=False
    )


@pytest.mark.parametrize(
    ("payload", "method"),
    [(CSV, 0), (deflated(CSV + NOISE * 3), 8), (CSV, 99)],
    ids=["stored", "deflated", "aes"],
)
def test_a_member_that_only_claims_to_be_encrypted_is_not_protected(payload: bytes, method: int) -> None:
    (part,) = parts(crypto(payload, method=method))
    assert part.protected is None


def test_a_claim_of_the_directory_alone_is_given_both_ways() -> None:
    data = bytearray(crypto(deflated(CSV)))
    data[6] = 0  # the local header says: not encrypted
    found = parts(bytes(data))
    assert [part.protected is None for part in found].count(True) >= 1
    assert CSV in [part.open().read() for part in found if part.protected is None]


def test_a_clear_member_beside_encrypted_ones_is_a_part() -> None:
    out = io.BytesIO(encrypted(pyzipper.WZ_AES))
    with zipfile.ZipFile(out, "a") as target:
        target.writestr("clear.csv", CSV)
    assert [part.protected is None for part in parts(out.getvalue())] == [False, True]


def test_a_workbook_that_is_called_a_zip_is_a_workbook() -> None:
    import xlsxwriter

    out = io.BytesIO()
    with xlsxwriter.Workbook(out) as book:
        sheet = book.add_worksheet()
        for i in range(9):
            sheet.write_row(i, 0, [i, i])
    found = list(read(io.BytesIO(out.getvalue()), "application/zip", ReadLimits()))
    assert isinstance(found[0], Table)


def tar(**members: bytes) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as target:
        for name, data in members.items():
            about = tarfile.TarInfo(name)
            about.size = len(data)
            target.addfile(about, io.BytesIO(data))
    return out.getvalue()


def test_tar_gives_regular_members_and_no_links() -> None:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as target:
        link = tarfile.TarInfo("link")
        link.type, link.linkname = tarfile.SYMTYPE, "/etc/hostname"
        target.addfile(link)
        about = tarfile.TarInfo("../../data.csv")
        about.size = len(CSV)
        target.addfile(about, io.BytesIO(CSV))
    (part,) = parts(out.getvalue(), "application/x-tar")
    assert part.open().read() == CSV


def test_what_follows_the_end_of_a_tar_is_not_passed_over() -> None:
    with pytest.raises(Unreadable, match="malformed"):
        parts(tar(a=CSV) + tar(b=CSV), "application/x-tar")


def test_a_tar_header_that_claims_to_be_huge_is_malformed() -> None:
    data = bytearray(tar(a=CSV))
    data[156:157] = b"x"
    data[124:136] = b"77777777777\0"
    checksum = sum(data[:148]) + 8 * 32 + sum(data[156:512])
    data[148:156] = b"%06o\0 " % checksum
    with pytest.raises(Unreadable):
        parts(bytes(data), "application/x-tar")


def test_too_many_members_stop_at_the_limit() -> None:
    data = tar(**{f"m{i}": b"x" for i in range(30)})
    with pytest.raises(Unreadable, match="limit_entries"):
        list(read(io.BytesIO(data), "application/x-tar", ReadLimits(max_entries=10)))

"""Zip members by directory and by local header: nothing hides between the two."""

from __future__ import annotations

import io
import struct
import zipfile

import pytest

from detectors.engine.table import Budget, Unreadable
from detectors.engine.zip_directory import Entry, entries, extra_field, open_entry

A, B = b"alpha,1\n" * 500, b"beta,2\n" * 500


def budget() -> Budget:
    return Budget(1 << 30, 1000)


def zipped(compression: int = zipfile.ZIP_DEFLATED, zip64: bool = False) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", compression) as target:
        for name, data in (("a.csv", A), ("b.csv", B)):
            with target.open(name, "w", force_zip64=zip64) as member:
                member.write(data)
    return out.getvalue()


def listed(data: bytes) -> tuple[list[Entry], str | None]:
    found = []
    try:
        for entry in entries(io.BytesIO(data), budget()):
            found.append(entry)  # noqa: PERF402
    except Unreadable as stopped:
        return found, stopped.reason.value
    return found, None


def content(data: bytes, entry: Entry) -> bytes:
    return open_entry(io.BytesIO(data), entry, budget()).read()


@pytest.mark.parametrize("zip64", [False, True])
@pytest.mark.parametrize(
    "compression", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA]
)
def test_members_come_out_whole(compression: int, zip64: bool) -> None:
    data = zipped(compression, zip64)
    found, fault = listed(data)
    assert ([e.untrusted_name for e in found], fault) == (["a.csv", "b.csv"], None)
    assert [content(data, e) for e in found] == [A, B]


def test_what_stands_before_the_zip_does_not_matter() -> None:
    data = b"#!/bin/sh\nexit\n" * 9 + zipped()
    found, fault = listed(data)
    assert ([content(data, e) for e in found], fault) == ([A, B], None)


def test_a_member_that_the_directory_hides_is_found() -> None:
    data = zipped()
    directory = data.index(b"PK\1\2")
    second = data.index(b"PK\1\2", directory + 4)
    end = data.index(b"PK\5\6")
    shorter = data[:directory] + data[second:end]
    tail = struct.pack("<4s4H2LH", b"PK\5\6", 0, 0, 1, 1, end - second, directory, 0)
    found, fault = listed(shorter + tail)
    assert ({e.untrusted_name: e.listed for e in found}, fault) == ({"b.csv": True, "a.csv": False}, None)
    assert content(shorter + tail, found[1]) == A


def test_a_zip_without_its_end_gives_what_is_left_and_is_malformed() -> None:
    data = zipped()
    for cut in (data[: data.index(b"PK\1\2")], data[:-30]):
        found, fault = listed(cut)
        assert fault == "malformed"
        assert content(cut, found[0]) == A


def test_a_member_described_in_two_ways_is_given_twice() -> None:
    data = bytearray(zipped(zipfile.ZIP_STORED))
    data[8:10] = struct.pack("<H", 99)
    found, _ = listed(bytes(data))
    assert [(e.untrusted_name, e.method) for e in found] == [("a.csv", 0), ("a.csv", 99), ("b.csv", 0)]


def test_a_directory_of_many_entries_stops_at_the_limit() -> None:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as target:
        for i in range(40):
            target.writestr(f"{i}.txt", b"x")
    with pytest.raises(Unreadable, match="limit_entries"):
        list(entries(io.BytesIO(out.getvalue()), Budget(1000, 10)))


def test_an_unknown_method_is_unsupported() -> None:
    data = bytearray(zipped())
    for at in (8, data.index(b"PK\1\2") + 10):
        data[at : at + 2] = struct.pack("<H", 98)
    found, _ = listed(bytes(data))
    with pytest.raises(Unreadable, match="unsupported"):
        content(bytes(data), found[0])


def test_extra_fields_are_found_and_broken_ones_are_none() -> None:
    extra = struct.pack("<HH2sHH", 7, 2, b"ab", 1, 50)
    assert extra_field(extra, 7) == b"ab"
    assert extra_field(extra, 9) is None
    assert extra_field(b"\1", 1) is None

"""R objects: frames, matrices and lists, written here by a small serialiser of our own."""

from __future__ import annotations

import io
import struct
from collections.abc import Sequence

import pytest

from detectors.engine import r_serial
from detectors.engine.r_serial import NA_INTEGER
from detectors.engine.table import ReadLimits, Row, Table, Text, Unreadable
from detectors.readers.r_data import read

NIL = struct.pack(">i", 254)


def text(value: str | None) -> bytes:
    raw = b"" if value is None else value.encode()
    return struct.pack(">ii", 9, -1 if value is None else len(raw)) + raw


def pairs(**members: bytes) -> bytes:
    cells = b"".join(struct.pack(">ii", 0x402, 1) + text(n.replace("_", ".")) + v for n, v in members.items())
    return cells + NIL


def vector(kind: int, body: bytes, count: int, **attributes: bytes) -> bytes:
    flags = kind | (0x300 if attributes else 0)
    return struct.pack(">ii", flags, count) + body + (pairs(**attributes) if attributes else b"")


def strings(values: Sequence[str | None], **attributes: bytes) -> bytes:
    return vector(16, b"".join(map(text, values)), len(values), **attributes)


def integers(values: Sequence[int], **attributes: bytes) -> bytes:
    return vector(13, struct.pack(f">{len(values)}i", *values), len(values), **attributes)


def reals(values: Sequence[float], **attributes: bytes) -> bytes:
    return vector(14, struct.pack(f">{len(values)}d", *values), len(values), **attributes)


def members(values: Sequence[bytes], **attributes: bytes) -> bytes:
    return vector(19, b"".join(values), len(values), **attributes)


def frame(columns: dict[str, bytes], **more: bytes) -> bytes:
    about = {"names": strings(list(columns)), "class": strings(["data.frame"]), **more}
    return members(list(columns.values()), **about)


def rds(body: bytes, version: int = 2) -> bytes:
    native = struct.pack(">i", 5) + b"UTF-8" if version == 3 else b""
    return b"X\n" + struct.pack(">iii", version, 0x40000, 0x20300) + native + body


def found(data: bytes) -> tuple[list[tuple[Table, list[Row]]], list[str]]:
    kept: list[tuple[Table, list[Row]]] = []
    lines: list[str] = []
    for content in read(io.BytesIO(data), "application/x-r-rds", ReadLimits()):
        if isinstance(content, Table):
            kept.append((content, list(content.rows)))
        elif isinstance(content, Text):
            lines += content.lines
    return kept, lines


PEOPLE = frame(
    {
        "id": integers([1, 2, NA_INTEGER]),
        "sex": integers([1, 2, 1], levels=strings(["M", "F"]), **{"class": strings(["factor"])}),
        "born": reals([0, 365.0, float("nan")], **{"class": strings(["Date"])}),
        "pay": reals([1.5, 2, float("nan")], label=strings(["Monthly pay"])),
        "name": strings(["Ann", None, "Zoë"]),
    },
    row_names=integers([NA_INTEGER, -3]),
)
ROWS = [["1", "M", "1970-01-01", "1.5", "Ann"], ["2", "F", "1971-01-01", "2", ""], ["", "M", "", "", "Zoë"]]


@pytest.mark.parametrize("version", [2, 3])
def test_a_data_frame_reads_as_people_see_it(version: int) -> None:
    ((table, rows),), _ = found(rds(PEOPLE, version))
    assert table.header == ["id", "sex", "born", "pay", "name"]
    assert table.labels == {3: "Monthly pay"}
    assert rows == ROWS


def test_frames_are_found_in_rdata_and_inside_lists() -> None:
    data = b"RDX2\n" + rds(pairs(first=members([PEOPLE], names=strings(["inner"])), second=PEOPLE))
    kept, _ = found(data)
    assert [table.context for table, _ in kept] == [["inner"], ["second"]]
    assert [rows for _, rows in kept] == [ROWS, ROWS]


def test_names_of_rows_are_a_column_and_numbers_that_count_them_are_none() -> None:
    named = frame({"x": integers([1, 2])}, row_names=strings(["Ann", "Bob"]))
    ((table, rows),), _ = found(rds(named))
    assert (table.header, rows) == (["", "x"], [["Ann", "1"], ["Bob", "2"]])
    counted = frame({"x": integers([1, 2])}, row_names=strings(["1", "2"]))
    assert found(rds(counted))[0][0][1] == [["1"], ["2"]]


def test_a_matrix_is_a_table() -> None:
    names = members([strings(["r1", "r2"]), strings(["a", "b", "c"])])
    ((table, rows),), _ = found(rds(integers(range(6), dim=integers([2, 3]), dimnames=names)))
    assert table.header == ["", "a", "b", "c"]
    assert rows == [["r1", "0", "2", "4"], ["r2", "1", "3", "5"]]


def test_loose_strings_are_text_and_functions_are_walked_past() -> None:
    closure = struct.pack(">ii", 0x403, 253) + NIL + NIL
    kept, lines = found(rds(members([strings(["a note"]), closure, PEOPLE])))
    assert lines == ["a note"]
    assert kept[0][1] == ROWS


def test_a_compact_sequence_is_written_out() -> None:
    about = struct.pack(">ii", 2, 1) + text("compact_intseq") + struct.pack(">ii", 2, 1) + text("base") + NIL
    sequence = struct.pack(">i", 238) + about + reals([3, 10, 1]) + NIL
    kept, _ = found(rds(frame({"id": sequence, "x": integers([7, 8, 9])}), 3))
    assert kept[0][1] == [["10", "7"], ["11", "8"], ["12", "9"]]


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"A\n2\n", "unsupported"),
        (rds(PEOPLE)[:-20], "malformed"),
        (rds(struct.pack(">ii", 14, 2**31 - 1)), "limit_memory"),
        (rds(struct.pack(">i", 0x1FF)), "malformed"),
        (rds(struct.pack(">ii", 19, 1) * 1000), "limit_depth"),
    ],
)
def test_broken_and_greedy_objects_are_unreadable(data: bytes, reason: str) -> None:
    with pytest.raises(Unreadable, match=reason):
        found(data)


def test_memory_is_bounded_by_what_vectors_hold(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(r_serial, "MAX_MEMORY", 1000)
    with pytest.raises(Unreadable, match="limit_memory"):
        found(rds(PEOPLE))

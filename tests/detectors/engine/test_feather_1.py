"""Feather 1: every type as the library that wrote it reads it, and no offset followed out of the file."""

from __future__ import annotations

import datetime
import io
import random

import pyarrow as pa
import pytest
from pyarrow import feather

from detectors.engine.feather_1 import Feather1
from detectors.engine.table import ReadLimits, Unreadable

COUNT = 4_100
TABLE = pa.table(
    {
        "whole": pa.array([i - 9 if i % 10 else None for i in range(COUNT)]),
        "small": pa.array([i % 100 for i in range(COUNT)], pa.int8()),
        "share": pa.array([i / 7 if i % 3 else None for i in range(COUNT)]),
        "text": pa.array([f"Zoë {i}" if i % 7 else None for i in range(COUNT)]),
        "blank": pa.array([""] * COUNT),
        "truth": pa.array([bool(i % 3) if i % 5 else None for i in range(COUNT)]),
        "code": pa.array(["M", "F", None][i % 3] for i in range(COUNT)).dictionary_encode(),
        "day": pa.array([datetime.date(1980, 1, 1) + datetime.timedelta(i) for i in range(COUNT)]),
        "moment": pa.array(
            [datetime.datetime(1980, 1, 1, 3, i % 60) for i in range(COUNT)], pa.timestamp("ms")
        ),
    }
)


def written(table: pa.Table) -> bytes:
    out = io.BytesIO()
    feather.write_feather(table, out, version=1)
    return out.getvalue()


def rows(data: bytes, limits: ReadLimits | None = None) -> list[list[str]]:
    return [list(row) for row in Feather1(io.BytesIO(data), limits or ReadLimits()).rows()]


@pytest.mark.filterwarnings("ignore:Feather V1")
def test_every_type_reads_as_it_was_written() -> None:
    def text(value: object) -> str:
        if isinstance(value, float):
            return str(int(value)) if value.is_integer() else f"{value:.12g}"
        return "" if value is None else str(value)

    data = written(TABLE)
    assert Feather1(io.BytesIO(data), ReadLimits()).names == TABLE.column_names
    assert rows(data) == [[text(v) for v in row.values()] for row in TABLE.to_pylist()]


@pytest.mark.filterwarnings("ignore:Feather V1")
def test_an_offset_out_of_the_file_once_killed_the_worker() -> None:
    """Found by fuzzing: the library's reader followed most bytes of the metadata wherever they pointed."""
    data = written(TABLE.slice(0, 3))
    for place in range(4, len(data) - 4):
        for value in (0, 0x7F, 0xFF):
            torn = data[:place] + bytes([value]) + data[place + 1 :]
            try:
                rows(torn)
            except Unreadable as stopped:
                assert str(stopped) == stopped.reason.value


@pytest.mark.filterwarnings("ignore:Feather V1")
def test_broken_files_and_limits() -> None:
    data, pick = written(TABLE), random.Random(3)
    for broken in (b"", b"FEA1", data[:-1], b"FEA1" + pick.randbytes(500) + b"FEA1"):
        with pytest.raises(Unreadable, match="malformed"):
            rows(broken)
    for limits, reason in (
        (ReadLimits(max_columns=3), "limit_columns"),
        (ReadLimits(max_cell_chars=5), "limit_cell"),
        (ReadLimits(max_expanded_bytes=500), "limit_expanded"),
    ):
        with pytest.raises(Unreadable, match=reason):
            rows(data, limits)

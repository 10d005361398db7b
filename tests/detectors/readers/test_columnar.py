"""Columnar files: values as people see them, damage found before it is followed."""

from __future__ import annotations

import base64
import datetime
import io

import pyarrow as pa
import pyarrow.parquet.encryption as encryption
import pytest
from pyarrow import parquet

from detectors.engine.table import Protected, ReadLimits, Row, Table, Unreadable
from detectors.readers import columnar
from detectors.readers.columnar import read


def found(data: bytes) -> tuple[Table, list[Row]]:
    (table,) = read(io.BytesIO(data), "application/vnd.apache.parquet", ReadLimits())
    assert isinstance(table, Table)
    return table, [list(row) for row in table.rows]


def written(table: pa.Table, **options: object) -> bytes:
    out = io.BytesIO()
    parquet.write_table(table, out, **options)
    return out.getvalue()


def test_every_type_reads_as_text() -> None:
    table = pa.table(
        {
            "i": [1, None],
            "f": [2.0, 0.1 + 0.2],
            "d": [datetime.date(1980, 1, 2)] * 2,
            "t": [datetime.datetime(1980, 1, 2), datetime.datetime(1980, 1, 2, 3, 4)],
            "c": pa.array(["a", "b"]).dictionary_encode(),
            "s": [{"x": 1, "y": "q"}] * 2,
            "l": [[1, 2], []],
            "b": [True, False],
            "n": [b"AB", None],
        }
    )
    kept, rows = found(written(table))
    assert kept.header == ["i", "f", "d", "t", "c", "s.x", "s.y", "l", "b", "n"]
    assert rows[0] == ["1", "2", "1980-01-02", "1980-01-02", "a", "1", "q", "1; 2", "True", "AB"]
    assert rows[1] == ["", "0.3", "1980-01-02", "1980-01-02 03:04:00", "b", "1", "q", "", "False", ""]
    assert kept.rows_total == 2


def test_labels_of_columns_are_kept() -> None:
    schema = pa.schema([pa.field("a", pa.int64(), metadata={"label": "Age in years"})])
    kept, _ = found(written(pa.table({"a": [1]}, schema=schema)))
    assert kept.labels == {0: "Age in years"}


def test_every_row_group_is_read() -> None:
    _, rows = found(written(pa.table({"a": list(range(1000))}), row_group_size=70))
    assert rows == [[str(i)] for i in range(1000)]


def test_a_row_group_that_says_it_is_huge_is_not_opened(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(columnar, "MAX_GROUP_BYTES", 10)
    with pytest.raises(Unreadable, match="limit_memory"):
        found(written(pa.table({"a": list(range(1000))})))


def test_offsets_that_point_outside_are_malformed() -> None:
    out = io.BytesIO()
    strings = pa.array([f"name {i}" for i in range(200)])
    with pa.ipc.new_stream(out, pa.schema([("a", pa.string())])) as target:
        target.write_batch(pa.record_batch([strings], names=["a"]))
    offsets = strings.buffers()[1].to_pybytes()
    at = out.getvalue().index(offsets[:64])
    data = bytearray(out.getvalue())
    data[at + 40 : at + 44] = (2**30).to_bytes(4, "little")
    with pytest.raises(Unreadable, match="malformed"):
        found(bytes(data))


class Keys(encryption.KmsClient):  # type: ignore[misc]
    """A key service that keeps nothing secret."""

    def __init__(self, _: object) -> None:
        super().__init__()

    def wrap_key(self, key_bytes: bytes, master_key_identifier: str) -> bytes:
        return base64.b64encode(key_bytes)

    def unwrap_key(self, wrapped_key: bytes, master_key_identifier: str) -> bytes:
        return base64.b64decode(wrapped_key)


def locked(columns: list[str]) -> bytes:
    """Parquet whose footer can be read, but not these columns."""
    table = pa.table({"id": ["7", "8"], "age": ["30", "41"], "sex": ["F", "M"]})
    chosen = encryption.EncryptionConfiguration("f", column_keys={"c": columns}, plaintext_footer=True)
    factory = encryption.CryptoFactory(Keys)
    properties = factory.file_encryption_properties(encryption.KmsConnectionConfig(), chosen)
    out = io.BytesIO()
    with parquet.ParquetWriter(out, table.schema, encryption_properties=properties) as writer:
        writer.write_table(table)
    return out.getvalue()


def test_columns_that_are_not_encrypted_are_read() -> None:
    reading = read(io.BytesIO(locked(["id"])), "application/vnd.apache.parquet", ReadLimits())
    table = next(reading)
    assert isinstance(table, Table)
    assert (table.header, list(table.rows)) == (["age", "sex"], [("30", "F"), ("41", "M")])
    assert list(reading) == [Protected("parquet_encrypted", strong=True)]


def test_a_file_of_nothing_but_encrypted_columns_is_protected() -> None:
    data = locked(["id", "age", "sex"])
    (protected,) = read(io.BytesIO(data), "application/vnd.apache.parquet", ReadLimits())
    assert protected == Protected("parquet_encrypted", strong=True)

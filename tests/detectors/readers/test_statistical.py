"""Files of statistical packages: labels come with the rows; chunks join without a seam."""

from __future__ import annotations

import datetime
import io
from pathlib import Path
from typing import Any

import pandas as pd
import pyreadstat
import pytest

from detectors.engine.table import ReadLimits, Row, Table, Unreadable
from detectors.readers.statistical import FIRST_ROWS, read

FRAME = pd.DataFrame(
    {
        "id": range(FIRST_ROWS * 3),
        "sex": [1.0, 2.0, float("nan")] * FIRST_ROWS,
        "name": ["Ann", "Zoe", ""] * FIRST_ROWS,
        "born": [datetime.date(1980, 1, 2)] * (FIRST_ROWS * 3),
    }
)
LABELS = {
    "column_labels": ["Number", "Sex of person", "", ""],
    "variable_value_labels": {"sex": {1: "Male", 2: "Female"}},
}
CASES: dict[str, tuple[str, str, dict[str, Any]]] = {
    "sav": ("application/x-spss-sav", "write_sav", LABELS),
    "zsav": ("application/x-spss-zsav", "write_sav", LABELS | {"compress": True}),
    "dta": ("application/x-stata-dta", "write_dta", LABELS),
    "por": ("application/x-spss-por", "write_por", {"column_labels": LABELS["column_labels"]}),
    "xpt": ("application/x-sas-xport", "write_xport", {"column_labels": LABELS["column_labels"]}),
}


@pytest.fixture(scope="module", params=CASES)
def case(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[str, str, bytes]:
    media_type, writer, options = CASES[request.param]
    path = tmp_path_factory.mktemp("stat") / f"x.{request.param}"
    getattr(pyreadstat, writer)(FRAME, str(path), **options)
    return request.param, media_type, Path(path).read_bytes()


def found(data: bytes, media_type: str) -> tuple[Table, list[Row]]:
    (table,) = read(io.BytesIO(data), media_type, ReadLimits())
    assert isinstance(table, Table)
    return table, [list(row) for row in table.rows]


def test_all_rows_come_with_labels_and_dates(case: tuple[str, str, bytes]) -> None:
    name, media_type, data = case
    table, rows = found(data, media_type)
    assert [cell.lower() for cell in table.header or []] == ["id", "sex", "name", "born"]
    assert table.labels[1] == "Sex of person"
    assert len(rows) == len(FRAME)
    assert rows[1] == ["1", "2", "Zoe", "1980-01-02"]
    assert [row[0] for row in rows] == [str(i) for i in range(len(FRAME))]
    if name in ("sav", "zsav", "dta"):
        assert table.value_labels[1] == ["Male", "Female"]
        assert rows[2][1:3] == ["", ""]


def test_a_broken_file_is_malformed(case: tuple[str, str, bytes]) -> None:
    _, media_type, data = case
    with pytest.raises(Unreadable, match="malformed"):
        found(data[:100], media_type)

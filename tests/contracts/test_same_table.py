"""The outcome belongs to the table: not to the order of rows and columns, to dialect, encoding or format."""

from __future__ import annotations

import csv
import io
import random
import string
from collections.abc import Callable, Sequence

import pytest
from binary_writers import as_sas7bdat, as_xls, as_xlsb
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pyarrow import feather, orc, parquet
from running_service import MadeUp
from shipped import JUDGE
from table_writers import (
    Writer,
    as_7z,
    as_columns,
    as_csv,
    as_docx,
    as_eml,
    as_html,
    as_json,
    as_json_lines,
    as_markdown,
    as_ods,
    as_rds,
    as_sql,
    as_sqlite,
    as_statistical,
    as_tabs,
    as_tar,
    as_xlsx,
    as_xml,
    as_zip,
    written,
)

from detectors.engine.examine import examine, warm_up
from detectors.engine.table import ReadLimits
from detectors.engine.verdict import Outcome

Table = tuple[list[str], list[list[str]]]
few = settings(max_examples=12, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)


@pytest.fixture(scope="module", autouse=True)
def _warm() -> None:
    warm_up(JUDGE, True)


def survey(seed: int) -> Table:
    lines = list(csv.reader(io.StringIO(MadeUp.survey(120, seed).decode())))
    return lines[0], lines[1:]


def register(seed: int) -> Table:
    """People with names and valid-looking numbers, none of them anybody's."""
    pick = random.Random(seed)
    rows = [
        [
            pick.choice(["Anna", "Beth", "Carl", "Dai", "Emma", "Fred", "Gwen", "Hugh"]),
            pick.choice(["Smith", "Jones", "Evans", "Price", "Lloyd", "Rees"]),
            f"{pick.randrange(1, 29):02}/{pick.randrange(1, 13):02}/{pick.randrange(1940, 2004)}",
            f"{pick.choice('ABCEHJ')}{pick.choice('ABCEGH')}{pick.randrange(10**6):06}{pick.choice('ABCD')}",
            pick.choice(["M", "F"]),
        ]
        for _ in range(60)
    ]
    return ["forename", "surname", "born", "nino", "sex"], rows


def machines(seed: int) -> Table:
    pick = random.Random(seed)
    rows = [
        [f"srv{i:03}", f"10.0.{i % 4}.{i}", f"{pick.uniform(0, 99):.1f}", str(pick.choice([8, 16, 32])), "ok"]
        for i in range(80)
    ]
    return ["hostname", "ip_address", "cpu_percent", "memory_gb", "state"], rows


PEOPLE = [survey, register]
KINDS = [survey, register, machines]
FORMATS: dict[str, Writer] = {
    "xlsx": as_xlsx, "ods": as_ods, "xlsb": as_xlsb, "xls": as_xls, "json": as_json, "jsonl": as_json_lines,
    "tsv": as_tabs, "fixed": as_columns, "markdown": as_markdown, "html": as_html, "xml": as_xml,
    "sql": as_sql, "docx": as_docx, "sqlite": as_sqlite, "rds": as_rds, "eml": as_eml, "zip": as_zip,
    "tar": as_tar, "7z": as_7z, "parquet": written(parquet.write_table), "orc": written(orc.write_table),
    "feather": written(feather.write_feather), "sav": as_statistical("write_sav"),
    "dta": as_statistical("write_dta"), "sas7bdat": as_sas7bdat,
}  # fmt: skip
ENCODINGS = ["utf-16", "utf-16-be", "utf-32", "utf-8-sig", "cp1252", "cp037"]


def told(data: bytes) -> tuple[Outcome, bool]:
    verdict = examine(io.BytesIO(data), len(data), JUDGE, ReadLimits())
    return verdict.outcome, verdict.flagged


def turned(table: Table, order: Sequence[int]) -> Table:
    header, rows = table
    return [header[i] for i in order], [[row[i] for i in order] for row in rows]


any_table = st.builds(lambda make, seed: make(seed), st.sampled_from(KINDS), st.integers(0, 50))


@few
@given(any_table, st.randoms(use_true_random=False))
def test_the_order_of_rows_does_not_matter(table: Table, chance: random.Random) -> None:
    header, rows = table
    shuffled = chance.sample(rows, len(rows))
    assert told(as_csv(header, shuffled)) == told(as_csv(header, rows))


@few
@given(any_table, st.randoms(use_true_random=False))
def test_the_order_of_columns_does_not_matter(table: Table, chance: random.Random) -> None:
    order = chance.sample(range(len(table[0])), len(table[0]))
    assert told(as_csv(*turned(table, order))) == told(as_csv(*table))


@few
@given(
    any_table,
    st.sampled_from("\t;|^~"),
    st.sampled_from(["\r\n", "\n", "\r"]),
    st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL]),
)
def test_the_dialect_does_not_matter(table: Table, delimiter: str, end: str, quoting: int) -> None:
    out = io.StringIO()
    writer = csv.writer(out, delimiter=delimiter, lineterminator=end, quoting=quoting)  # type: ignore[arg-type]
    writer.writerows([table[0], *table[1]])
    assert told(out.getvalue().encode()) == told(as_csv(*table))


@few
@given(any_table, st.sampled_from(ENCODINGS))
def test_the_encoding_does_not_matter(table: Table, encoding: str) -> None:
    plain = as_csv(*table)
    assert told(plain.decode().encode(encoding)) == told(plain)


@pytest.mark.parametrize("make", KINDS, ids=lambda make: make.__name__)
@pytest.mark.parametrize("name", FORMATS)
def test_the_format_does_not_matter(name: str, make: Callable[[int], Table]) -> None:
    header, rows = make(7)
    header = [h.strip(string.whitespace)[:8] for h in header]
    assert told(FORMATS[name](header, rows)) == told(as_csv(header, rows))


@pytest.mark.parametrize("make", PEOPLE, ids=lambda make: make.__name__)
def test_people_are_flagged_and_machines_are_not(make: Callable[[int], Table]) -> None:
    assert told(as_csv(*make(3))) == (Outcome.MICRODATA, True)
    assert not told(as_csv(*machines(3)))[1]

"""Large files are judged to their end in bounded memory, and what is deep in them is found."""

from __future__ import annotations

from pathlib import Path

import large_files as large
import memory
import pytest
from page import write_section
from shipped import JUDGE


def judged(path: Path) -> memory.Measured:
    return memory.measure("a file", path, JUDGE)


@pytest.mark.system
@pytest.mark.timeout(1800)
def test_files_of_full_size_cost_no_more_memory_and_hide_nothing() -> None:
    for found in memory.run(1.0):
        hidden = "nothing" not in found.name
        assert (found.flagged, found.complete or hidden) == (hidden, True), found
        assert found.peak_bytes <= memory.MOST_MB * 1024**2, found


def test_memory_does_not_grow_with_a_table_of_text(tmp_path: Path) -> None:
    peaks = [judged(large.write_csv(tmp_path / "file", size * large.MB)).peak_bytes for size in (4, 40)]
    assert peaks[1] < peaks[0] + 24 * 1024**2


@pytest.mark.parametrize(
    "hidden", [list(large.people(12)), list(large.records(60)), list(large.records(600))]
)
def test_records_hidden_deep_in_readings_are_found(tmp_path: Path, hidden: list[str]) -> None:
    found = judged(large.write_csv(tmp_path / "file", 6 * large.MB, hidden, 60_000))
    assert found.flagged


def test_nothing_is_found_where_nothing_is_and_the_pass_is_complete(tmp_path: Path) -> None:
    found = judged(large.write_gzip(tmp_path / "file", large.MB))
    assert not found.flagged and found.complete and found.rows is not None and found.rows > 20_000


def test_people_at_the_end_of_a_workbook_are_found(tmp_path: Path) -> None:
    assert not judged(large.write_xlsx(tmp_path / "file", 3000)).flagged
    assert judged(large.write_xlsx(tmp_path / "file", 3000, 1, list(large.people(12)), 2990)).flagged
    assert judged(large.write_xlsx(tmp_path / "file", 40, 30, list(large.people(12)), 30)).flagged


def test_people_in_the_last_member_of_an_archive_are_found(tmp_path: Path) -> None:
    assert judged(large.write_zip(tmp_path / "file", 40, 2_000, list(large.people(12)))).flagged


def test_a_benchmark_writes_its_own_section_and_no_other(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("# Page\n\nText.\n")
    write_section(page, "one", ["1"])
    write_section(page, "two", ["2"])
    write_section(page, "one", [r"\1 anew"])
    text = page.read_text()
    assert text.startswith("# Page\n\nText.\n") and text.count("begin -->") == 2
    assert text.index(r"\1 anew") < text.index("2\n") and "\n1\n" not in text

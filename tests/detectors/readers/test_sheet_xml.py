"""Strings are read as far as they are asked for; odd indexes are blank."""

from __future__ import annotations

import io

import pytest

from detectors.engine.table import ReadLimits, Unreadable
from detectors.readers import sheet_xml
from detectors.readers.sheet_xml import Strings, cache_fields, date_styles

MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"


class Counted(io.BytesIO):
    """Counts how much of it was read."""

    taken = 0

    def read(self, count: int | None = -1, /) -> bytes:
        data = super().read(count)
        self.taken += len(data)
        return data


def shared(count: int) -> Counted:
    items = "".join(f"<si><t>é{i}</t><rPh><t>sound</t></rPh></si>" for i in range(count))
    return Counted(f'<sst xmlns="{MAIN}">{items}</sst>'.encode())


def test_strings_are_read_only_as_far_as_they_are_asked_for() -> None:
    stream = shared(20_000)
    strings = Strings(lambda: stream, ReadLimits())
    assert strings.get(3) == "é3"
    assert stream.taken < 200_000
    assert strings.get(19_999) == "é19999"
    assert strings.get(20_000) == ""
    assert strings.get(-1) == ""


def test_no_strings_at_all_are_blank() -> None:
    assert Strings(None, ReadLimits()).get(0) == ""


def test_too_many_strings_stop_at_the_limit_of_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sheet_xml, "MAX_STRING_BYTES", 10_000)
    with pytest.raises(Unreadable, match="limit_memory"):
        Strings(lambda: shared(20_000), ReadLimits()).get(19_000)


def test_styles_tell_which_cells_are_dates() -> None:
    styles = (
        f'<styleSheet xmlns="{MAIN}"><numFmts><numFmt numFmtId="170" formatCode="yyyy-mm-dd"/></numFmts>'
        '<cellStyleXfs><xf numFmtId="14"/></cellStyleXfs>'
        '<cellXfs><xf numFmtId="0"/><xf numFmtId="170"/><xf numFmtId="20"/></cellXfs></styleSheet>'
    )
    assert date_styles(io.BytesIO(styles.encode())) == {1: "date", 2: "time"}


def test_fields_of_a_cache_keep_their_items_apart() -> None:
    field = '<cacheField name="{}"><s v="{}"/></cacheField>'
    text = f'<d xmlns="{MAIN}">{field.format("a", "x")}{field.format("b", "1")}</d>'
    assert cache_fields(io.BytesIO(text.encode())) == (["a", "b"], [["x"], ["1"]])

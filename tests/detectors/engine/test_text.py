from __future__ import annotations

import io
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from detectors.engine.table import ReadLimits, Unreadable
from detectors.engine.text import (
    Source,
    decode_head,
    decode_tail,
    decoded,
    encoding_of,
    looks_like_text,
    skip_lines,
    text_blocks,
)
from detectors.engine.verdict import Reason

LIMITS = ReadLimits()
LINES = [f"{i},Zoë,Łódź {'x' * (i % 50)}" for i in range(9_000)]


def read(data: bytes) -> str:
    return "".join(text_blocks(io.BytesIO(data), LIMITS))


@given(st.binary(max_size=3_000))
def test_no_byte_ever_fails_to_decode(data: bytes) -> None:
    read(data)
    decode_head(data)
    looks_like_text(data)


@pytest.mark.parametrize(
    "encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-32-be"]
)
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_every_encoding_and_line_end_reads_the_same(encoding: str, end: str) -> None:
    assert read(end.join(LINES).encode(encoding)) == "\n".join(LINES)


def test_what_is_no_utf8_is_windows_1252() -> None:
    assert read("Zoë – Ærø €".encode("cp1252")) == "Zoë – Ærø €"
    assert read("Zoë ".encode() + "Zoë".encode("cp1252")) == "Zoë Zoë"


def test_blocks_are_whole_lines() -> None:
    blocks = list(text_blocks(io.BytesIO("\n".join(LINES).encode()), LIMITS))
    assert len(blocks) > 3
    assert all(block.endswith("\n") for block in blocks[:-1])


def test_a_line_past_the_limit_is_refused() -> None:
    with pytest.raises(Unreadable, match="limit_cell"):
        list(text_blocks(io.BytesIO(b"a\n" + b"x" * 200_000), ReadLimits(max_line_bytes=100_000)))


def test_pieces_hold_everything_whatever_the_lines() -> None:
    data = random.Random(1).choices("ab\r\n", k=200_000)
    text = "".join(data)
    assert "".join(decoded(io.BytesIO(text.encode()))) == text.replace("\r\n", "\n").replace("\r", "\n")


def test_the_tail_is_the_last_of_the_text() -> None:
    for encoding in ("utf-8", "utf-16", "utf-32"):
        assert decode_tail(io.BytesIO("\n".join(LINES).encode(encoding)), 400).endswith(LINES[-1])


def test_what_is_put_back_comes_again() -> None:
    source = Source(iter(["a\nb\n", "c\nd\n", "e"]))
    assert source.window(5) == "a\nb\nc\nd\n"
    source.skip(2)
    block = source.take()
    assert (block, source.lines_taken) == ("b\nc\nd\n", 4)
    source.put_back("c\nd\n")
    assert source.lines_taken == 2
    assert (source.take(), source.take(), source.take()) == ("c\nd\n", "e", "")


def test_a_fault_comes_after_the_text_before_it() -> None:
    def blocks():  # type: ignore[no-untyped-def]
        yield "a\n"
        raise Unreadable(Reason.MALFORMED)

    source = Source(blocks())
    assert source.window(100) == "a\n"
    source.finish()
    source.skip(2)
    with pytest.raises(Unreadable, match="malformed"):
        source.finish()


@given(st.lists(st.text("ab\n", max_size=9)), st.integers(0, 12))
def test_skipping_lines_leaves_the_rest(blocks: list[str], count: int) -> None:
    blocks = [block + "\n" for block in blocks]
    text = "".join(blocks)
    assert "".join(skip_lines(iter(blocks), count)) == "".join(text.splitlines(keepends=True)[count:])


def test_an_encoding_without_a_mark_is_told_by_its_zeros() -> None:
    assert encoding_of("ref,age\n1,2\n".encode("utf-16-le"))[0] == "utf-16-le"
    assert encoding_of("ref,age\n1,2\n".encode("utf-32-be"))[0] == "utf-32-be"
    assert encoding_of(b"ref,age\n")[0] == "utf-8"


TABLE = "id,age,sex\n" + "".join(f"{i},{i % 90},M\n" for i in range(200))


@pytest.mark.parametrize("end", [b"\x25", b"\x15", b"\x0d\x25"])
def test_a_table_of_a_mainframe_is_text(end: bytes) -> None:
    data = TABLE.encode("cp037").replace(b"\x25", end)
    assert looks_like_text(data)
    assert decode_head(data) == read(data) == TABLE
    assert decode_tail(io.BytesIO(data), 100).endswith("199,19,M\n")


@pytest.mark.parametrize("codec", ["cp1251", "koi8-r", "cp1253", "big5", "shift-jis", "iso8859-8"])
def test_other_alphabets_are_not_taken_for_a_mainframe(codec: str) -> None:
    words = "Имя и возраст человека " * 20 + "όνομα και ηλικία " * 20 + "שם וגיל " * 20 + "名前と年齢 " * 20
    data = words.encode(codec, "ignore") + b"\n1,2,3\n"
    assert encoding_of(data)[0] == "utf-8"
    assert encoding_of(random.Random(3).randbytes(8000))[0] == "utf-8"


@pytest.mark.parametrize("mark", ["\x01", "\x1f"])
def test_a_control_character_may_cut_cells(mark: str) -> None:
    assert looks_like_text(TABLE.replace(",", mark).encode())
    assert not looks_like_text(TABLE.replace(",", "\x02").encode())
    assert not looks_like_text(mark.encode() * 300 + b"\n" * 9)

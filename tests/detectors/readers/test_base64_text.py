from __future__ import annotations

import base64
import binascii
import io

import pytest

from detectors.engine.table import Part, ReadLimits, Unreadable
from detectors.readers import base64_text

DATA = bytes(range(256)) * 900


def decoded(data: bytes) -> bytes:
    (part,) = base64_text.read(io.BytesIO(data), "text/x-base64", ReadLimits())
    assert isinstance(part, Part)
    return part.open().read()


@pytest.mark.parametrize(
    "data",
    [base64.encodebytes(DATA), base64.b64encode(DATA), base64.urlsafe_b64encode(DATA),
     base64.b64encode(DATA).rstrip(b"="),
     base64.encodebytes(DATA).replace(b"\n", b"\r\n"), base64.b64encode(DATA).decode().encode("utf-16")],
)  # fmt: skip
def test_any_way_to_write_it_decodes(data: bytes) -> None:
    assert decoded(data) == DATA


def test_what_is_no_base64_is_malformed() -> None:
    with pytest.raises(Unreadable, match="malformed"):
        decoded(base64.encodebytes(DATA) + b"name,age\n")


def test_a_bomb_of_parts_is_counted() -> None:
    with pytest.raises(Unreadable, match="limit_expanded"):
        (part,) = base64_text.read(
            io.BytesIO(base64.b64encode(DATA)), "text/x-base64", ReadLimits(max_expanded_bytes=1000)
        )
        assert isinstance(part, Part)
        part.open().read()


UU = (
    b"begin 644 data.csv\n"
    + b"".join(binascii.b2a_uu(DATA[i : i + 45]) for i in range(0, len(DATA), 45))
    + b"`\nend\n"
)


@pytest.mark.parametrize(
    ("data", "media_type"),
    [
        (DATA.hex().encode(), "text/x-hex"),
        (b"\n".join(DATA[i : i + 30].hex().upper().encode() for i in range(0, len(DATA), 30)), "text/x-hex"),
        (base64.b32encode(DATA), "text/x-base32"),
        (UU, "text/x-uuencode"),
        (UU.replace(b"\n", b"\r\n"), "text/x-uuencode"),
    ],
)
def test_other_ways_to_write_bytes_as_text_protect_nothing_either(data: bytes, media_type: str) -> None:
    (part,) = base64_text.read(io.BytesIO(data), media_type, ReadLimits())
    assert isinstance(part, Part)
    assert part.open().read() == DATA


@pytest.mark.parametrize(
    ("data", "media_type"),
    [
        (b"abc", "text/x-hex"),
        (b"A1B2", "text/x-base32"),
        (UU[:-5], "text/x-uuencode"),
        (b"x" * 900, "text/x-uuencode"),
    ],
)
def test_text_that_stands_for_no_bytes_is_malformed(data: bytes, media_type: str) -> None:
    (part,) = base64_text.read(io.BytesIO(data), media_type, ReadLimits())
    assert isinstance(part, Part)
    with pytest.raises(Unreadable, match="malformed"):
        part.open().read()

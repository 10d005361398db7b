from __future__ import annotations

import base64
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
            io.BytesIO(base64.b64encode(DATA)), "", ReadLimits(max_expanded_bytes=1000)
        )
        assert isinstance(part, Part)
        part.open().read()

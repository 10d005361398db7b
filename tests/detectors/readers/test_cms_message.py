"""Signed and compressed messages are unwrapped; detached signatures hold nothing; nesting costs a bound."""

from __future__ import annotations

import base64
import io
import random
import zlib

import pytest

from detectors.engine.table import Part, ReadLimits, Unreadable
from detectors.readers import cms_message
from detectors.readers.cms_message import read

CSV = b"id,age\r\n" + b"1,30\r\n2,41\r\n" * 4000
OIDS = {
    "data": "06092a864886f70d010701",
    "signed": "06092a864886f70d010702",
    "digested": "06092a864886f70d010705",
    "encrypted": "06092a864886f70d010706",
    "compressed": "060b2a864886f70d0109100109",
}


def ber(tag: int, *content: bytes, indefinite: bool = False) -> bytes:
    body = b"".join(content)
    if indefinite:
        return bytes([tag, 0x80]) + body + b"\0\0"
    if len(body) < 128:
        return bytes([tag, len(body)]) + body
    size = len(body).to_bytes(4, "big")
    return bytes([tag, 0x84]) + size + body


def message(kind: str, content: bytes | None, *, streamed: bool = False) -> bytes:
    """As `openssl cms` writes it, in one piece or as a stream."""

    def many(tag: int, *inner: bytes) -> bytes:
        return ber(tag, *inner, indefinite=streamed)

    string = b""
    if content is not None:
        pieces = [ber(4, content[i : i + 4096]) for i in range(0, len(content), 4096)]
        string = many(0xA0, many(0x24, *pieces) if streamed else ber(4, content))
    if kind == "data":
        return many(0x30, bytes.fromhex(OIDS["data"]), string)
    inner = many(0x30, bytes.fromhex(OIDS["data"]), string)
    body = many(0x30, b"\2\1\1", ber(0x31, b"\5\0"), inner, ber(0x31, b"\5\0"))
    return many(0x30, bytes.fromhex(OIDS[kind]), many(0xA0, body))


def contents(data: bytes) -> list[bytes]:
    return [
        c.open().read()
        for c in read(io.BytesIO(data), "application/pkcs7-mime", ReadLimits())
        if isinstance(c, Part)
    ]


@pytest.mark.parametrize("streamed", [False, True])
@pytest.mark.parametrize("kind", ["data", "signed", "digested", "compressed"])
def test_what_was_wrapped_comes_out(kind: str, streamed: bool) -> None:
    packed = zlib.compress(CSV) if kind == "compressed" else CSV
    assert contents(message(kind, packed, streamed=streamed)) == [CSV]


def test_an_armored_one_is_the_same() -> None:
    text = base64.encodebytes(message("signed", CSV))
    assert contents(b"-----BEGIN PKCS7-----\n" + text + b"-----END PKCS7-----\n") == [CSV]


def test_a_detached_signature_holds_nothing() -> None:
    assert contents(message("signed", None)) == []


def test_what_is_encrypted_or_strange_is_no_content() -> None:
    for data in (message("encrypted", CSV), ber(0x30, b"\6\3\1\2\3")):
        with pytest.raises(Unreadable, match="unsupported"):
            contents(data)


def test_nesting_and_damage_cost_a_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(Unreadable, match="limit_depth"):
        contents(b"\x30\x80" * 5000)
    monkeypatch.setattr(cms_message, "MAX_VALUES", 5)
    with pytest.raises(Unreadable, match="limit_entries"):
        contents(message("signed", CSV, streamed=True))


def test_damaged_bytes_never_raise_anything_else() -> None:
    pick = random.Random(4)
    for streamed in (False, True):
        whole = message("signed", CSV[:900], streamed=streamed)
        for _ in range(200):
            torn = bytearray(whole[: pick.randrange(1, len(whole))])
            torn[pick.randrange(len(torn))] = pick.randrange(256)
            try:
                contents(bytes(torn))
            except Unreadable as stopped:
                assert str(stopped) == stopped.reason.value

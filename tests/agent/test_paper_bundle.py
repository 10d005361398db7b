"""Bundles of papers: opened only with the key that signed them, to the byte."""

from __future__ import annotations

import base64
import json
from dataclasses import replace

import pytest

from agent.paper_bundle import MOST_BYTES, MOST_PAPERS, BadBundle, key_bytes, open_bundle, seal_bundle
from agent.signing import new_key, sign
from agent.statements import BadStatement, Envelope, read

PEM, KEY = new_key()


def refusal(document: bytes | str, key: str = KEY) -> str:
    with pytest.raises(BadBundle) as error:
        open_bundle(document, key)
    return error.value.code


def test_what_was_sealed_is_opened() -> None:
    found = open_bundle(seal_bundle(7, 1_700_000_000, [{"a": 1}], PEM), KEY)
    assert (found.serial, found.made_at, found.untrusted_papers) == (7, 1_700_000_000, ({"a": 1},))


def test_one_changed_byte_or_another_key_refuses_it() -> None:
    document = seal_bundle(7, 1_700_000_000, [{"a": 1}], PEM)
    assert refusal(document, new_key()[1]) == "bad_signature"
    plain = json.loads(document)
    payload = base64.b64decode(plain["payload"])
    for changed in (payload.replace(b"7", b"8", 1), payload + b" ", payload.replace(b'"a"', b'"b"')):
        assert (
            refusal(json.dumps({**plain, "payload": base64.b64encode(changed).decode()})) == "bad_signature"
        )


@pytest.mark.parametrize(
    "document", ["", "no", "[]", "{}", "null", '{"signatures": []}', "[" * 50_000, b"\xff\xfe"]
)  # fmt: skip
def test_what_is_no_bundle_is_malformed(document: bytes | str) -> None:
    assert refusal(document) == "malformed"


def test_a_good_bundle_in_another_encoding_is_none() -> None:
    """JSON in UTF-16 is read by the standard library; what is kept of it would not be."""
    assert refusal(seal_bundle(7, 1, [], PEM).encode("utf-16")) == "malformed"


@pytest.mark.parametrize(
    "payload",
    [b"[]", b"{}", b'{"made_at":1,"papers":{},"serial":1}', b'{"made_at":1,"papers":[],"serial":-1}',
     b'{"made_at":1,"papers":[],"serial":true}', b'{"made_at":1,"more":1,"papers":[],"serial":1}', b"\xff"],
)  # fmt: skip
def test_a_good_signature_makes_no_bundle_of_anything_else(payload: bytes) -> None:
    assert refusal(json.dumps(sign(Envelope("papers", payload), PEM)[0].to_json())) == "malformed"


def test_a_signature_of_another_kind_of_paper_is_none(agreed) -> None:
    statement = agreed(1_700_000_000.0, roots=("/srv",))
    assert refusal(json.dumps(sign(statement, PEM)[0].to_json())) == "malformed"
    payload = json.dumps({"made_at": 1, "papers": [], "serial": 1}, separators=(",", ":")).encode()
    moved = replace(sign(Envelope("agreement", payload), PEM)[0], kind="papers")
    assert refusal(json.dumps(moved.to_json())) == "bad_signature"
    with pytest.raises(BadStatement):
        read(seal_bundle(1, 1, [], PEM))


def test_there_is_an_end_to_its_size() -> None:
    assert refusal(b" " * (MOST_BYTES + 1)) == "too_large"
    with pytest.raises(BadBundle):
        seal_bundle(1, 1, [{}] * (MOST_PAPERS + 1), PEM)


@pytest.mark.parametrize(
    "text",
    ["", "ed25519:", "ed25519:AAAA", KEY.removeprefix("ed25519:"), KEY + "A"],
    ids=["nothing", "no key", "too short", "of no kind", "too long"],
)
def test_a_key_is_32_bytes(text: str) -> None:
    with pytest.raises(ValueError, match="public key"):
        key_bytes(text)

"""XML as events: no DTD, no entities, bounded."""

from __future__ import annotations

import io

import pytest

from detectors.engine import xml_stream
from detectors.engine.table import Unreadable


def names(data: bytes) -> list[str]:
    seen: list[str] = []
    for _ in xml_stream.feed(
        io.BytesIO(data), lambda name, _: seen.append(xml_stream.local(name)), None, None
    ):
        pass
    return seen


def test_names_come_without_their_namespaces() -> None:
    assert names(b'<x:a xmlns:x="urn:x"><b/><x:c/></x:a>') == ["a", "b", "c"]


@pytest.mark.parametrize(
    "data",
    [
        b'<!DOCTYPE a [<!ENTITY x "y">]><a>&x;</a>',
        b'<!DOCTYPE a SYSTEM "file:///etc/hostname"><a/>',
        b"<a><b></a>",
        b"<a>",
        b"",
        b'<?xml version="1.0" encoding="no-such"?><a/>',
        bytes(range(256)),
    ],
)
def test_declarations_and_broken_xml_are_malformed(data: bytes) -> None:
    with pytest.raises(Unreadable, match="malformed"):
        names(data)


def test_one_endless_token_is_refused() -> None:
    with pytest.raises(Unreadable, match="limit_cell"):
        names(b'<a b="' + b"x" * (xml_stream.MAX_TOKEN_BYTES + 200_000) + b'"/>')


def test_text_comes_out_by_paragraphs() -> None:
    data = b"<d><p><t>one</t> <t>two</t></p><x>not</x><p><t>three</t></p></d>"
    assert list(xml_stream.texts(io.BytesIO(data), frozenset({"t"}), frozenset({"p"}))) == ["onetwo", "three"]

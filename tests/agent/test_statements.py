"""Statements: one canonical form, one meaning, nothing that may not be said."""

from __future__ import annotations

import base64
import json
from dataclasses import asdict, replace
from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agent.statements import (
    BadStatement,
    Disposal,
    Release,
    Revocation,
    Signature,
    Terms,
    from_json,
    read,
    seal,
    years_after,
)  # fmt: skip

DIGEST = "ab" * 32
DAY = 86400
MADE = 20_000 * DAY  # 2024-10-04
RELEASE = Release(
    "request-1", "host-1", "entry-1", DIGEST, 12, "age1x", "/srv/x\udcff.csv", "r1", "false_positive", "a1",
    "B. Sample", "review", "uid:0", MADE, MADE + DAY, MADE + 30 * DAY,
)  # fmt: skip
TERMS = Terms(
    "DAA-2024-01", "University of Somewhere", "A study", ("no onward sharing",), (DIGEST,), (), (), (),
    "2024-10-04", "2026-10-04", "2025-10-04", MADE,
)  # fmt: skip
DISPOSAL = Disposal(
    "request-2", "host-1", "entry-1", DIGEST, 12, DIGEST, "/srv/x", "kept too long", "uid:0", MADE, MADE + 1
)
REVOCATION = Revocation("DAA-2024-01", DIGEST, "breach of conditions", MADE)
ALL = [RELEASE, TERMS, DISPOSAL, REVOCATION]


@pytest.mark.parametrize("statement", ALL, ids=lambda s: type(s).__name__)
def test_what_was_sealed_is_read_again(statement):
    envelope = seal(statement).with_signatures([Signature("k", b"s" * 64)])
    again = read(json.dumps(envelope.to_json(), indent=1))
    assert again == envelope and again.statement() == statement


@pytest.mark.parametrize("statement", ALL, ids=lambda s: type(s).__name__)
def test_signed_bytes_are_those_of_dsse_and_differ_by_kind(statement):
    envelope = seal(statement)
    kind = f"application/vnd.recordwarden.{envelope.kind}.v1+json".encode()
    body = json.dumps(asdict(statement), sort_keys=True, separators=(",", ":")).encode()
    assert envelope.signed_bytes() == b" ".join(
        [b"DSSEv1", str(len(kind)).encode(), kind, str(len(body)).encode(), body]
    )
    assert len({replace(envelope, kind=k).signed_bytes() for k in ("release", "disposal")}) == 2


@pytest.mark.parametrize("statement", ALL, ids=lambda s: type(s).__name__)
def test_every_field_is_among_the_signed_bytes(statement):
    body = seal(statement).signed_bytes().split(b" ", 4)[4]
    assert json.loads(body) == json.loads(json.dumps(asdict(statement)))


@pytest.mark.parametrize(
    "edit",
    [
        lambda p: p.replace(b'"size":12', b'"size":12,"size":13'),
        lambda p: p.replace(b'"size":12', b'"size": 12'),
        lambda p: p.replace(b'"size":12', b'"size":12.0'),
        lambda p: p.replace(b'"size":12', b'"size":true'),
        lambda p: p.replace(b'"size":12', b'"size":"12"'),
        lambda p: p.replace(b'"size":12', b'"size":-1'),
        lambda p: p.replace(b',"size":12', b""),
        lambda p: p[:-1] + b',"zz":1}',
        lambda p: p.replace(b"/srv/x", b"srv/x"),
        lambda p: p.replace(b'"review"', b'" "'),
        lambda p: p + b"\n",
        lambda p: b"[" * 100_000,
        lambda p: b"{}",
    ],
)
def test_another_form_of_the_same_object_is_no_statement(edit):
    envelope = replace(seal(RELEASE), payload=edit(seal(RELEASE).payload))
    with pytest.raises(BadStatement):
        from_json(envelope.to_json())


def test_a_statement_is_read_as_its_own_kind_only():
    with pytest.raises(BadStatement, match="release"):
        seal(RELEASE).as_kind(Disposal)
    with pytest.raises(BadStatement):
        from_json({**seal(RELEASE).to_json(), "payloadType": seal(TERMS).to_json()["payloadType"]})


@pytest.mark.parametrize(
    "bad",
    [
        {"content": ()},
        {"content": (), "layouts": ("nnnndtnn",)},
        {"layouts": ("nnn",)},
        {"layouts": ("nnnndtnx",)},
        {"content": ("AB" * 32,)},
        {"roots": ("srv",)},
        {"devices": ("",)},
        {"valid_until": "2024-10-03"},
        {"review_by": "2024-10-03"},
        {"review_by": "2029-10-05"},
        {"valid_from": "20241004"},
        {"agreement_id": "../x"},
        {"holder": ""},
        {"purpose": "x" * 2001},
        {"conditions": ("x",) * 401},
    ],
)
def test_terms_that_would_allow_too_much_or_say_too_little_are_none(bad):
    with pytest.raises(BadStatement):
        seal(replace(TERMS, **bad))


def test_a_review_may_be_five_years_ahead_and_no_day_more():
    seal(replace(TERMS, review_by="2029-10-04"))
    assert years_after(date(2028, 2, 29), 5) == date(2033, 2, 28)


@settings(deadline=None)
@given(st.binary(max_size=300))
def test_bytes_that_are_no_statement_are_refused_and_nothing_else_happens(untrusted):
    with pytest.raises(BadStatement):
        read(untrusted)


@settings(deadline=None)
@given(st.recursive(st.none() | st.text(max_size=5) | st.integers(), lambda c: st.lists(c, max_size=3)))
def test_values_that_are_no_statement_are_refused(value):
    for key in ("payload", "payloadType", "signatures"):
        with pytest.raises(BadStatement):
            from_json({**seal(RELEASE).to_json(), key: value} if value != [] else value)


def test_what_could_not_be_read_again_is_not_sealed():
    seal(replace(TERMS, content=tuple(f"{n:064x}" for n in range(400))))
    with pytest.raises(BadStatement, match="large"):
        seal(replace(TERMS, conditions=("x" * 2000,) * 20))


def test_too_much_is_refused_before_it_is_read():
    with pytest.raises(BadStatement, match="large"):
        read(b" " * 60_000)


def test_one_signature_for_each_key():
    envelope = seal(RELEASE).with_signatures([Signature("a", b"1"), Signature("b", b"2")])
    assert envelope.with_signatures([Signature("a", b"3")]).signatures == envelope.signatures
    assert base64.b64decode(envelope.to_json()["signatures"][0]["sig"]) == b"1"


@pytest.mark.parametrize(
    "bad",
    [
        {},
        {"content": ("ab" * 32,), "layouts": ("nnnndtnn",), "agents": ("h",)},
        {"layouts": ("nnnndtnn",)},
        {"layouts": ("nnn",), "agents": ("h",)},
        {"content": ("AB" * 32,)},
        {"content": ("ab" * 32,), "roots": ("srv",)},
        {"content": ("ab" * 32,), "reason": " "},
        {"content": ("ab" * 32,), "days": 367},
        {"content": ("ab" * 32,), "days": -1},
        {"content": ("ab" * 32,), "exception_id": "../x"},
    ],
)
def test_an_exception_that_would_allow_too_much_or_too_long_is_none(agreed, bad):
    with pytest.raises(BadStatement):
        agreed.exception(1_790_000_000, **bad)
    agreed.exception(1_790_000_000, content=("ab" * 32,), days=366)

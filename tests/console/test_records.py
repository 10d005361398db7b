"""Reading untrusted records: any JSON at all is either refused or fits its columns."""

from __future__ import annotations

import copy
import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from made_up_agents import MadeUpAgent

from console import records
from console.schema import Alert
from console.templates import when

AGENT = MadeUpAgent("agent-1")
SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=60)
JSON = st.recursive(
    SCALARS, lambda x: st.lists(x, max_size=3) | st.dictionaries(st.text(max_size=9), x, max_size=3)
)


def paths(value, above=()):
    for key, inner in value.items():
        yield (*above, key)
        if isinstance(inner, dict):
            yield from paths(inner, (*above, key))


PATHS = sorted(paths(AGENT.alert(1)))


def read(record):
    """The columns, or None where the record is refused."""
    try:
        plain, text = records.checked(record, 2006, "agent-1")
        assert text.isascii()
        json.loads(text)
        return {**records.columns_of(plain), "id": records.key_of(plain)[0]}
    except records.Malformed:
        return None


def fits(columns):
    for name, value in columns.items():
        kind = Alert.__table__.c[name].type
        if isinstance(value, str):
            assert value.isprintable() and len(value) <= (getattr(kind, "length", None) or 10**6)
        if isinstance(value, int):
            assert 0 <= value <= 2**53
    return True


@settings(max_examples=100, deadline=None, derandomize=True)
@given(st.lists(st.tuples(st.sampled_from(PATHS), JSON), min_size=1, max_size=4))
def test_whatever_stands_where_something_else_should_is_refused_or_fits(changes):
    record = copy.deepcopy(AGENT.alert(1))
    for path, value in changes:
        inner = record
        for step in path[:-1]:
            inner = inner.get(step) if isinstance(inner, dict) else None
        if isinstance(inner, dict):
            inner[path[-1]] = value
    found = read(record)
    assert found is None or fits(found)


@settings(max_examples=100, deadline=None, derandomize=True)
@given(JSON)
def test_what_is_no_record_is_refused(value):
    assert read(value) is None


def test_a_good_record_gives_all_columns():
    found = read(AGENT.alert(1))
    assert found["id"] == "agent-1-1" and found["state"] == "open" and len(found["sha256"]) == 64
    assert "aggregate_shape" not in found["detectors"]


@pytest.mark.parametrize(
    "uid", ["agent-1-1", "agent-1-1:", "agent-1-1:x", "other:1", "agent-1-1:-1", "agent-1-1:1e3", 7]
)
def test_a_revision_is_a_number_of_that_very_alert(uid):
    record = AGENT.alert(1)
    record["metadata"]["uid"] = uid
    with pytest.raises(records.Malformed):
        records.key_of(record)


def test_depth_and_size_have_bounds():
    deep = AGENT.alert(1)
    for _ in range(20):
        deep = {**AGENT.alert(1), "unmapped": deep}
    assert read(deep) is None
    assert read({**AGENT.alert(1), "comment": "x" * records.MOST_BYTES}) is None


@pytest.mark.parametrize(
    ("told", "read"),
    [
        (1_800_000_000_000, 1.8e9),
        (None, None),
        ("soon", None),
        (True, None),
        (-1, None),
        (2**60, 253402300799.0),
    ],
)
def test_a_date_of_review_is_a_time_that_can_be_shown(told, read):
    record = AGENT.alert(1)
    record["unmapped"]["review_at"] = told
    found = records.review_at(json.dumps(record))
    assert found == read
    assert len(when(found)) in (1, 16)

"""An alert's page out of its record, whatever the record holds."""

from __future__ import annotations

import json

from hypothesis import given, settings
from hypothesis import strategies as st
from made_up_agents import MadeUpAgent

from console.portrait import portrait
from console.records import columns_of
from console.schema import Alert

AGENT = MadeUpAgent("agent-1")
SCALARS = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20)
JSON = st.recursive(
    SCALARS, lambda x: st.lists(x, max_size=3) | st.dictionaries(st.text(max_size=9), x, max_size=3)
)


def painted(record):
    columns = columns_of(record)
    return portrait(Alert(id="a-1", agent="agent-1", record=json.dumps(record), **columns))


def test_what_an_analyst_needs_is_there():
    made = painted(AGENT.alert(1))
    facts = {f"{section}/{name}": value for section, lines in made.facts for name, value in lines}
    assert "one per row" in made.sentence
    assert (
        facts["Where/path"].startswith("/srv/returns")
        and facts["Device/protection"] == "not provably encrypted"
    )
    assert facts["Written by/program"] == "/usr/bin/cp"
    assert made.speaks_for and all(e.column for e in made.speaks_for)
    assert [e.detector for e in made.speaks_against] == ["aggregate_shape"]


def test_columns_count_from_one_as_a_spreadsheet_does():
    record = AGENT.alert(1)
    first = min(f["column"] for f in record["unmapped"]["findings"] if f["column"] is not None)
    assert min(e.column for e in painted(record).speaks_for) == first + 1


@settings(max_examples=60, deadline=None)
@given(st.dictionaries(st.sampled_from(sorted(AGENT.alert(1)["unmapped"])), JSON), JSON, JSON)
def test_no_record_breaks_the_page(unmapped, actor, file):
    record = {**AGENT.alert(1), "actor": actor, "file": file}
    record["unmapped"] = {**record["unmapped"], **unmapped}
    assert painted(record).record


@settings(max_examples=50, deadline=None)
@given(
    st.lists(
        st.dictionaries(st.sampled_from(["table", "column", "value", "weight", "records_seen", "term"]), JSON)
    )
)
def test_no_finding_breaks_the_page(findings):
    record = AGENT.alert(1)
    record["unmapped"]["findings"] = [{"polarity": "for", **f} for f in findings]
    assert len(painted(record).speaks_for) == len(findings)

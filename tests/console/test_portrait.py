"""An alert's page out of its record, whatever the record holds."""

from __future__ import annotations

import json

from hypothesis import given, settings
from hypothesis import strategies as st
from made_up_agents import MadeUpAgent

from agent import alerts
from agent.alerts import Occurrence
from agent.policy import RootFacts
from agent.protocol import Identity
from agent.schema import AlertRow, AlertState
from agent.volume_facts import VolumeFacts
from config.settings import Handling, Mode, Zone
from console.portrait import portrait
from console.records import columns_of
from console.schema import Alert
from detectors.engine.verdict import Finding, Outcome, Polarity, Subject, Tier, Verdict

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


def test_a_record_as_an_agent_makes_it_has_all_of_it():
    """`agent.alerts` and this page agree on where things stand."""
    verdict = Verdict(
        Outcome.MICRODATA, flagged=True, confidence=0.97, tier=Tier.CONFIRMED, subject=Subject.PERSON,
        records_estimated=10_000, media_type="text/csv", config_digest="ab" * 32,
        findings=(
            Finding("unit_records", Polarity.FOR, "unique_share", 0, 0, None, None, 1.0, 0.5, 2.0, 400, 400),
            Finding("aggregate_shape", Polarity.AGAINST, "totals", 0, 3, None, None, 0.1, 0.5, -1.0),
        ),
    )  # fmt: skip
    seen = Occurrence(
        alert_id="a-1", host_id="agent-1", hostname="desk-7", root_id="r", path="/media/stick/survey.csv",
        identity=Identity("survey.csv", 1, 2, 3, 4_000_000, 5), owner_uid=1000, verdict=verdict,
        root=RootFacts(Zone.REMOVABLE, Handling.UNRESTRICTED, Mode.ENFORCE),
        volume=VolumeFacts("removable", "vfat", "/dev/sdb1", "8:17", "AB-CD"), disposition="quarantined",
        reason="policy", proof="", policy_digest="cd" * 32, observed_at=10.0, at=11.5, sha256="ef" * 32,
        entry_id="e1",
    )  # fmt: skip
    record = alerts.record(seen)
    columns = columns_of(record)
    assert (columns["zone"], columns["tier"], columns["state"]) == ("removable", "confirmed", "open")
    assert (columns["detectors"], columns["entry"], columns["records"]) == ("unit_records", "e1", 10_000)
    made = painted(record)
    assert made.sentence.startswith("10,000 people, one per row")
    assert [e.column for e in made.speaks_for + made.speaks_against] == [1, 4]
    restored = alerts.restored(row_of(record), "/home/x", 20.0)
    assert columns_of(restored)["state"] == "closed"
    decided = columns_of(alerts.decided(row_of(record), "false_positive", "a code book", "uid 0", 20.0))
    assert (decided["determination"], decided["decided_by"]) == ("false_positive", "uid 0")


def row_of(record):
    return AlertRow(
        "a-1", "k", "r", "e1", "/x", "quarantined", "policy", AlertState.RELEASED, record, 1.0, 1.0
    )


def test_columns_count_from_one_as_a_spreadsheet_does():
    record = AGENT.alert(1)
    first = min(f["column"] for f in record["unmapped"]["findings"] if f["column"] is not None)
    assert min(e.column for e in painted(record).speaks_for) == first + 1


@settings(max_examples=60, deadline=None, derandomize=True)
@given(st.dictionaries(st.sampled_from(sorted(AGENT.alert(1)["unmapped"])), JSON), JSON, JSON)
def test_no_record_breaks_the_page(unmapped, actor, file):
    record = {**AGENT.alert(1), "actor": actor, "file": file}
    record["unmapped"] = {**record["unmapped"], **unmapped}
    assert painted(record).record


@settings(max_examples=50, deadline=None, derandomize=True)
@given(
    st.lists(
        st.dictionaries(st.sampled_from(["table", "column", "value", "weight", "records_seen", "term"]), JSON)
    )
)
def test_no_finding_breaks_the_page(findings):
    record = AGENT.alert(1)
    record["unmapped"]["findings"] = [{"polarity": "for", **f} for f in findings]
    assert len(painted(record).speaks_for) == len(findings)

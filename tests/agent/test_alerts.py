"""Alerts: one record, true to what happened, and no value out of a file in it."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from agent import alerts, ocsf
from agent.alerts import Occurrence
from agent.policy import Kind, RootFacts
from agent.protocol import Identity
from agent.schema import AlertRow, AlertState
from agent.volume_facts import VolumeFacts
from agent.writer import Writer
from config.settings import Handling, Mode, Zone
from detectors.engine.verdict import Finding, Outcome, Polarity, Reason, Role, Subject, Tier, Verdict

VERDICT = Verdict(
    Outcome.MICRODATA, flagged=True, confidence=0.97, tier=Tier.CONFIRMED, subject=Subject.PERSON,
    records_estimated=10_000, media_type="text/csv", config_digest="ab" * 32,
    findings=(
        Finding("column_names", Polarity.FOR, "lexicon", 0, 0, "service_number", Role.DIRECT_IDENTIFIER,
                1.0, 0.5, 2.0, 400, 400),
        Finding("shape", Polarity.AGAINST, "totals", 0, 3, None, None, 0.1, 0.5, -1.0),
    ),
)  # fmt: skip
SEEN = Occurrence(
    alert_id="11111111-1111-4111-8111-111111111111", host_id="h", hostname="desk-7", root_id="r",
    path="/media/stick/survey.csv", identity=Identity("survey.csv", 1, 2, 3, 4_000_000, 5), owner_uid=1000,
    verdict=VERDICT, root=RootFacts(Zone.REMOVABLE, Handling.UNRESTRICTED, Mode.ENFORCE),
    volume=VolumeFacts("removable", "vfat", "/dev/sdb1", "8:17", "AB-CD"), disposition="quarantined",
    reason="policy", proof="", policy_digest="cd" * 32, observed_at=10.0, at=11.5, sha256="ef" * 32,
    entry_id="e1",
)  # fmt: skip

REQUIRED = {
    "activity_id", "category_uid", "class_uid", "type_uid", "time", "severity_id", "metadata",
    "finding_info", "action_id", "disposition_id", "status_id", "file", "device", "data_security",
}  # fmt: skip


def row(**changes: Any) -> AlertRow:
    plain = AlertRow(
        SEEN.alert_id, "k", "r", "e1", SEEN.path, "quarantined", "policy", AlertState.RELEASED,
        alerts.record(SEEN), 1.0, 1.0,
    )  # fmt: skip
    return replace(plain, **changes)


@pytest.mark.parametrize("disposition", [*Kind, ocsf.RESTORED])
def test_every_disposition_has_a_row_and_makes_a_whole_record(disposition: str) -> None:
    record = alerts.record(replace(SEEN, disposition=str(disposition)))
    assert record.keys() >= REQUIRED
    assert record["type_uid"] == 2006 * 100 + record["activity_id"]
    assert record["metadata"]["version"] == "1.8.0"
    assert set(record["metadata"]["profiles"]) >= {"security_control", "incident"}
    assert record["finding_info"]["uid"] == SEEN.alert_id
    assert record["file"]["name"] and record["file"]["type_id"] == 1
    assert len(json.dumps(record)) < 20_000


def test_only_what_is_gone_from_its_place_is_called_quarantined() -> None:
    quarantined = [name for name, o in ocsf.OUTCOMES.items() if o.disposition_id == 3 or o.action_id == 2]
    assert quarantined == [Kind.QUARANTINED]
    assert ocsf.OUTCOMES[Kind.NOT_REMOVED].severity_id > ocsf.OUTCOMES[Kind.QUARANTINED].severity_id


def test_audit_mode_is_observed_and_detected() -> None:
    record = alerts.record(replace(SEEN, disposition="detected", reason="audit_mode"))
    assert (record["action_id"], record["disposition_id"]) == (3, 15)


def test_findings_tell_positions_and_terms_and_leave_value_fields_empty() -> None:
    record = alerts.record(SEEN)
    [told] = record["data_security"]["discovery_details"]
    assert told == {"type": "service_number", "count": 400, "occurrences": [{"column_number": 1}]}
    assert "pattern_match" not in json.dumps(record)
    assert len(record["unmapped"]["findings"]) == 2


def test_a_hostile_name_is_escaped_wherever_it_stands() -> None:
    path = "/media/stick/\x1b[31mred\n\u202egpj.\udcff.csv"
    record = alerts.record(replace(SEEN, path=path))
    text = json.dumps(record, ensure_ascii=False)
    assert not any(c in text for c in "\x1b\n\u202e\udcff")
    text.encode()  # strict UTF-8: consumers refuse lone surrogates


def test_a_possible_hit_is_less_severe() -> None:
    sure = alerts.record(replace(SEEN, disposition="detected"))
    unsure = alerts.record(
        replace(SEEN, disposition="detected", verdict=replace(VERDICT, tier=Tier.POSSIBLE))
    )
    assert unsure["severity_id"] < sure["severity_id"]


def test_what_could_not_be_examined_says_so() -> None:
    record = alerts.record(
        replace(
            SEEN, verdict=Verdict.unreadable(Reason.LIMIT_DEPTH), disposition="error", reason="limit_depth"
        )
    )
    assert record["data_security"]["status_id"] == 3
    assert (record["disposition_id"], record["status_detail"]) == (27, "limit_depth")


def test_the_proof_of_encryption_is_in_the_record_of_permitted_microdata() -> None:
    record = alerts.record(
        replace(SEEN, disposition="allowed", reason="volume_encrypted", proof="dm-crypt LUKS2 on sdb1")
    )
    assert record["unmapped"]["proof"] == "dm-crypt LUKS2 on sdb1"
    assert record["is_alert"] is False


def test_the_same_file_version_has_one_key_and_a_changed_one_another() -> None:
    key = alerts.file_key("r", SEEN.identity)
    assert key == alerts.file_key("r", replace(SEEN.identity, ctime_ns=9, dev=4))
    for change in ({"size": 9}, {"mtime_ns": 9}, {"ino": 9}, {"relpath": "x"}):
        assert key != alerts.file_key("r", replace(SEEN.identity, **change))
    assert key != alerts.file_key("q", SEEN.identity)


@pytest.mark.parametrize("determination", sorted(ocsf.DETERMINATIONS))
def test_a_determination_updates_the_same_finding(determination: str) -> None:
    record = alerts.decided(row(), determination, "checked with the owner", "uid:0", 20.0)
    assert record["finding_info"]["uid"] == SEEN.alert_id
    assert record["verdict_id"] == ocsf.DETERMINATIONS[determination][0]
    assert record["metadata"]["uid"] != alerts.record(SEEN)["metadata"]["uid"]
    assert record["activity_id"] in (2, 3)


def test_an_unknown_determination_is_refused() -> None:
    with pytest.raises(KeyError):
        alerts.decided(row(), "fine", "", "uid:0", 20.0)


def test_restored_is_an_update_of_the_same_finding() -> None:
    record = alerts.restored(row(), "/media/stick/survey.csv", 20.0)
    assert (record["disposition_id"], record["action_id"]) == (9, 1)
    assert record["finding_info"]["uid"] == SEEN.alert_id


def test_a_sink_that_never_had_the_alert_gets_a_create() -> None:
    update = alerts.record(replace(SEEN, revision=2))
    assert update["activity_id"] == 2
    created = alerts.with_activity(update, first=True)
    assert (created["activity_id"], created["type_uid"]) == (1, 200601)


def test_the_page_about_alerts_says_what_the_tables_say() -> None:
    page = (Path(__file__).parents[2] / "docs" / "alerts.md").read_text()
    for name, o in ocsf.OUTCOMES.items():
        [line] = [x for x in page.splitlines() if x.startswith(f"| `{name}` |")]
        cells = [c.strip() for c in line.split("|")[3:-1]]
        assert cells == [
            f"{o.action_id} {o.action}", f"{o.disposition_id} {o.disposition}", f"{o.status_id} {o.status}",
            f"{o.severity_id} {ocsf.SEVERITIES[o.severity_id]}", str(o.is_alert).lower(),
        ]  # fmt: skip
    for name, (verdict_id, verdict, status_id, status) in ocsf.DETERMINATIONS.items():
        [line] = [x for x in page.splitlines() if x.startswith(f"| `{name}` |")]
        assert f"{verdict_id} {verdict}" in line and f"{status_id} {status}" in line


def test_the_process_that_wrote_the_file_is_the_actor_and_its_words_are_escaped():
    writer = Writer(4711, 1001, "c\x1bp", "/tmp/\x1b[31m/cp")
    plain = alerts.record(replace(SEEN, writer=writer))
    assert plain["actor"]["user"]["uid"] == "1001"
    process = plain["actor"]["process"]
    assert (process["pid"], process["user"]["uid"]) == (4711, "1001")
    assert "\x1b" not in json.dumps(plain, ensure_ascii=False)
    assert plain["file"]["owner"]["uid"] == str(SEEN.owner_uid)


def test_a_process_that_was_gone_leaves_the_files_owner_as_the_user():
    plain = alerts.record(replace(SEEN, writer=Writer(4711)))
    assert plain["actor"] == {"user": {"uid": str(SEEN.owner_uid), "type_id": 0}, "process": {"pid": 4711}}

"""The record as ECS and CEF."""

from __future__ import annotations

import json
import re
from typing import Any

from agent.sinks.rendering import cef, ecs, moment, rendered

RECORD: dict[str, Any] = {
    "class_uid": 2006, "time": 1_700_000_000_123, "severity_id": 5, "severity": "Critical", "is_alert": True,
    "message": "Record-level data about people: not_removed (in_use)", "disposition": "Uncorrected",
    "status": "New", "status_detail": "in_use", "metadata": {"uid": "id-1:2"},
    "finding_info": {"uid": "id-1", "title": "Record-level data about people", "types": ["microdata.likely"]},
    "device": {"uid": "host-1", "hostname": "desk-7"},
    "actor": {"user": {"uid": "1000"}},
    "file": {
        "name": "a|b=c.csv", "path": "/media/stick/a|b=c.csv", "size": 12, "mime_type": "text/csv",
        "owner": {"uid": "1000"}, "hashes": [{"algorithm": "SHA-256", "value": "ab" * 32}],
    },
    "data_security": {"total": 5000}, "unmapped": {"zone": "removable", "entry": "e-1"},
}  # fmt: skip


def test_ecs_has_the_fields_that_searches_use() -> None:
    told = ecs(RECORD)
    assert told["@timestamp"] == "2023-11-14T22:13:20.123Z"
    assert (told["event"]["kind"], told["event"]["id"], told["event"]["severity"]) == ("alert", "id-1:2", 5)
    assert told["file"]["hash"] == {"sha256": "ab" * 32}
    assert told["rule"]["id"] == "id-1" and told["host"]["id"] == "host-1" and told["user"]["id"] == "1000"
    json.dumps(told)


def test_a_heartbeat_is_no_alert_in_ecs() -> None:
    beat = {
        "class_uid": 6007,
        "activity_name": "Heartbeat",
        "time": 0,
        "device": {},
        "metadata": {"uid": "h:1"},
    }
    assert ecs(beat)["event"]["dataset"] == "recordwarden.heartbeat"
    assert "rule" not in ecs(beat) and "file" not in ecs(beat)
    assert cef(beat).startswith("CEF:0|recordwarden|recordwarden|1|Heartbeat|")


def test_cef_escapes_what_parts_it() -> None:
    line = cef(RECORD)
    head = re.split(r"(?<!\\)\|", line)
    assert head[:7] == [
        "CEF:0", "recordwarden", "recordwarden", "1", "microdata.likely",
        "Record-level data about people", "10",
    ]  # fmt: skip
    assert r"fname=a|b\=c.csv " in line
    assert "externalId=id-1 " in line and "cnt=5000" in line


def test_cef_is_one_line_whatever_a_name_holds() -> None:
    name = "x\r\nCEF:0|evil|a|b|c|d|9|act=allowed act=\x1b[2J\u202e\udcff\\"
    line = cef(
        {**RECORD, "file": {"name": name, "path": name}, "finding_info": {"title": name, "uid": "id-1"}}
    )
    assert line.isprintable()
    found = re.fullmatch(r"CEF:0\|(?:(?:[^|\\]|\\.)*\|){6}(.*)", line)
    assert found and len(re.findall(r"\bact=", found[1])) == 1
    line.encode()


def test_ocsf_is_the_record_itself() -> None:
    assert rendered(RECORD, "ocsf") == RECORD
    assert moment({}) == "1970-01-01T00:00:00.000Z"

"""Alerts from the command line, at a real service."""

from __future__ import annotations

import json


def test_each_taken_file_has_one_alert(objects):
    found = objects("alerts", "list")
    assert len({a["path"] for a in found}) == len(found) >= 2
    assert {a["disposition"] for a in found} <= {"quarantined", "restored"}


def test_a_list_for_people_names_file_and_disposition(typed, running):
    code, out, _ = typed("alerts", "list")
    assert code == 0
    (told,) = [line for line in out.splitlines() if str(running.watched / "survey_2026.csv") in line]
    assert "quarantined" in told or "restored" in told


def test_at_most_so_many(objects):
    assert len(objects("alerts", "list", "--limit", "1")) == 1


def test_one_alert_is_shown_and_as_json_it_is_the_ocsf_record(typed, objects):
    alert = next(a for a in objects("alerts", "list") if a["path"].endswith("survey_2026.csv"))
    code, out, _ = typed("alerts", "show", alert["alert_id"][:8])
    assert code == 0 and alert["alert_id"] in out
    (record,) = objects("alerts", "show", alert["alert_id"])
    assert record["class_uid"] == 2006 and record["finding_info"]["uid"] == alert["alert_id"]


def test_a_determination_is_kept_with_its_author(typed, objects):
    alert = next(a for a in objects("alerts", "list") if a["path"].endswith("survey_2026.csv"))
    code, out, _ = typed("alerts", "decide", alert["alert_id"], "true_positive", "--note", "seen")
    assert code == 0 and "true_positive" in out
    _, out, _ = typed("alerts", "show", alert["alert_id"])
    assert "true_positive" in out and "seen" in out and "uid:" in out


def test_an_unknown_determination_and_an_unknown_alert_are_refused(typed):
    assert typed("alerts", "decide", "ffffffff", "perhaps")[0] == 2
    assert typed("alerts", "decide", "ffffffff", "inconclusive")[0] == 1


def test_alerts_in_the_file_and_in_the_ledger_are_the_same(objects, running):
    told = {json.loads(line)["finding_info"]["uid"] for line in running.alerts.read_text().splitlines()}
    assert told == {a["alert_id"] for a in objects("alerts", "list")}


def test_what_has_not_arrived_is_listed_and_can_be_sent_again(typed, objects):
    code, out, _ = typed("alerts", "undelivered")
    assert code == 0 and out
    assert objects("alerts", "resend") == [{"count": 0}]
    code, _, err = typed("alerts", "resend", "--to", "pigeon")
    assert code != 0 and "no such destination" in err

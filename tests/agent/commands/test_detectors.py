"""Detectors and rules, asked of a process of their own."""

from __future__ import annotations

import json

from agent.cli import run


def test_every_detector_and_rule_is_listed(capsys):
    assert run(["detectors", "list", "--json"]) == 0
    rows = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    detectors = {row["id"] for row in rows if row["kind"] == "detector"}
    rules = {row["id"] for row in rows if row["kind"] == "rule"}
    assert {"unit_records", "direct_identifiers"} <= detectors
    assert {"nino", "nhs_number", "email", "uk_phone", "uk_postcode", "payment_card", "iban"} <= rules
    assert all(row["description"] for row in rows)


def test_every_rule_holds_against_its_examples(capsys):
    assert run(["detectors", "test"]) == 0
    assert "none wrong" in capsys.readouterr().out


def test_a_wrong_stanza_is_told_as_a_wrong_key(tmp_path, capsys):
    file = tmp_path / "config.toml"
    file.write_text("[detectors.small_cells]\nbelow = 'x'")
    assert run(["detectors", "list", "--config", str(file)]) == 78
    assert f"{file}: detectors.small_cells.below: " in capsys.readouterr().err

"""Findings carry positions, codes and numbers, and are few."""

from __future__ import annotations

from shipped import LEXICON

from detectors.engine.evidence import MAX_COLUMNS, column_findings, score_findings
from detectors.engine.verdict import Polarity, Role
from detectors.engine.view import TableView
from detectors.engine.weigh import Score


def test_variables_get_the_role_they_play() -> None:
    rows = [
        [str(1000 + 7 * i), str(18 + i * 13 % 60), str(100 * (i * 31 % 97)), str(i % 2)] for i in range(40)
    ]
    found = column_findings(TableView(["caseid", "age", "income", "sex"], rows, LEXICON), 0, set())
    roles = {f.column: f.role for f in found if f.column is not None}
    assert roles == {
        0: Role.RECORD_ID,
        1: Role.KEY_VARIABLE,
        2: Role.SENSITIVE_VARIABLE,
        3: Role.KEY_VARIABLE,
    }


def test_a_wide_table_gives_a_bounded_number_of_findings() -> None:
    names = ["age"] * 250
    assert (
        len(column_findings(TableView(names, [["1"] * 250, ["2"] * 250], LEXICON), 0, set()))
        <= MAX_COLUMNS + 2
    )


def test_the_strongest_evidence_against_is_always_told() -> None:
    shares = {f"m{i}": 1.0 for i in range(20)} | {"low": -0.01}
    found = score_findings(
        Score(20.0, 0.0, shares), dict.fromkeys(shares, 1.0), dict.fromkeys(shares, "unit_records"), 0
    )
    assert any(f.polarity is Polarity.AGAINST and f.measure == "low" for f in found)

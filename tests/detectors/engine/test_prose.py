"""Identifiers in prose and logs, and blocks of keys and values."""

from __future__ import annotations

import random

from shipped import JUDGE

from detectors.engine.conclusion import Conclusion
from detectors.engine.table import Text
from detectors.engine.verdict import Outcome, Tier


def judged(lines: list[str]) -> Conclusion:
    judgement = JUDGE.begin()
    judgement.text(Text(iter(lines)))
    return judgement.conclude()


def test_statements_with_several_peoples_identifiers_are_flagged() -> None:
    lines = [
        f"Corporal Bevan gave National Insurance number JG {i}1 22 3{i} A at the gate." for i in range(1, 4)
    ]
    assert judged(lines).flagged


def test_one_identifier_in_text_is_a_possibility_only() -> None:
    found = judged(["Quote JG 11 22 33 A on the form."])
    assert found.tier is Tier.POSSIBLE and not found.flagged


def test_talk_about_identifiers_is_no_identifier() -> None:
    lines = [
        "Date of birth and National Insurance number must not be held in clear.",
        "The format is two letters, six digits.",
    ]
    assert judged(lines).outcome is Outcome.NO_RECORDS


def test_telephone_like_serial_numbers_are_not_people() -> None:
    r = random.Random(18)
    assert not judged([f"07{r.randint(100, 999)} {r.randint(100000, 999999)}" for _ in range(300)]).flagged


def test_an_access_log_is_not_flagged() -> None:
    r = random.Random(19)
    lines = [
        f'10.0.0.{i % 250} - - [14/Mar/2024] "GET /a{i} HTTP/1.1" 200 {r.randint(200, 90000)}'
        for i in range(500)
    ]
    assert judged(lines).outcome is Outcome.NO_RECORDS


def test_blocks_of_keys_and_values_are_records() -> None:
    r = random.Random(20)
    lines = []
    for i in range(12):
        born = f"{r.randint(1, 28):02d}/{r.randint(1, 12):02d}/{r.randint(1940, 2000)}"
        lines += [
            f"Surname: Tranter{chr(97 + i)}",
            f"Date of birth: {born}",
            f"Postcode: CF{i + 1} 3NQ",
            "Blood group: O+",
            "",
        ]
    assert judged(lines).flagged


def test_what_stands_above_names_and_addresses_tells_whether_they_are_credits() -> None:
    def lines(above: str) -> list[str]:
        names = ["Catrin Talar", "Owain Talbot", "Sioned Talgarth", "Gareth Talwyn"]
        return [
            line
            for name in names
            for line in (
                f"{above}.name: {name}",
                f"{above}.email: {name.lower().replace(' ', '.')}@example.org",
            )
        ]

    assert not judged(lines("contributor")).flagged
    assert judged(lines("customer")).flagged


def test_a_manual_with_a_few_fields_in_each_entry_holds_no_records() -> None:
    r = random.Random(21)
    lines = [
        line
        for i in range(40)
        for line in (
            f"The property number {i} of the object",
            "tells how it is drawn and by whom it is used.",
            "Owner: Widget",
            f"Flags: {r.choice(['Read', 'Read / Write'])}",
            f"Default value: {r.choice(['NULL', 'TRUE', '0'])}",
            f"Since: 2.{r.randint(2, 9)}",
            "It may be changed at any time before the object is shown.",
            "See also the signal of the same name.",
            "Changing it later has no effect on what is shown already.",
        )
    ]
    assert judged(lines).outcome is Outcome.NO_RECORDS


def test_signatures_are_no_list_of_addresses() -> None:
    signed = [f"  * Mended the widget. Jo Bell{i} <jo{i}@example.org>" for i in range(30)]
    assert judged(signed).outcome is Outcome.NO_RECORDS
    listed = [f"  * Jo Bell{i}, jo{i}@example.org, has asked about the widget." for i in range(30)]
    assert judged(listed).tier is Tier.POSSIBLE

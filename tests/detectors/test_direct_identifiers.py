"""Identifiers are decided by column, whatever spreadsheets did to them; chance look-alikes are not."""

from __future__ import annotations

import random

import pytest
from shipped import LEXICON

from detectors import direct_identifiers
from detectors.engine.rules import RuleBook
from detectors.engine.stanza import StanzaError
from detectors.engine.view import TableView

BOOK = RuleBook()


def rules_of(header: list[str] | None, rows: list[list[str]]) -> set[str]:
    found = direct_identifiers.find(TableView(header, rows, LEXICON), BOOK, direct_identifiers.Options())
    return {h.rule.id for h in found}


def nhs_number(r: random.Random) -> str:
    while True:
        digits = "4" + "".join(r.choice("0123456789") for _ in range(8))
        check = 11 - sum(int(d) * w for d, w in zip(digits, range(10, 1, -1), strict=True)) % 11
        if check != 10:
            return digits + str(check % 11)


def test_a_column_of_nhs_numbers_is_found_without_a_header_in_any_spacing() -> None:
    r = random.Random(1)
    plain = [nhs_number(r) for _ in range(20)]
    spaced = [[f"{n[:3]} {n[3:6]} {n[6:]}"] for n in plain]
    damaged = [[n + ".0"] for n in plain]
    assert (
        rules_of(None, [[n] for n in plain])
        == rules_of(None, spaced)
        == rules_of(None, damaged)
        == {"nhs_number"}
    )


def test_random_ten_digit_numbers_are_not_nhs_numbers() -> None:
    r = random.Random(2)
    assert rules_of(["reading"], [[str(r.randint(10**9, 10**10 - 1))] for _ in range(300)]) == set()


def test_numbers_that_count_on_are_no_identifiers() -> None:
    assert rules_of(["epoch"], [[str(1700000000 + 300 * i)] for i in range(300)]) == set()


@pytest.mark.parametrize(
    "written",
    [
        "AB123456C",
        "ab 12 34 56 c",
        "AB-12-34-56-C",
        "ＡＢ１２３４５６Ｃ",
        "AB\u00a012\u00a034\u00a056\u00a0C",
    ],
)
def test_a_nino_is_one_in_any_dress(written: str) -> None:
    rows = [[written.replace("6", str(i)).replace("６", "０１２３４５６７"[i])] for i in range(8)]
    assert rules_of(["x"], rows) == {"nino"}


def test_codes_of_one_series_are_no_ninos_unless_their_header_says_so() -> None:
    codes = [[f"CN{i * 1009:06d}"] for i in range(30)]
    many = [
        [f"{a}{b}{i * 1009:06d}"]
        for i, (a, b) in enumerate(zip("ABCEHJKLMNPRSTWX" * 2, "ABCEHJKLMN" * 4, strict=False))
    ]
    assert (rules_of(["x"], codes), rules_of(["NINO"], codes)) == (set(), {"nino"})
    assert rules_of(["x"], many) == {"nino"}


def test_a_valid_isbn_column_speaks_for_books_not_for_cards() -> None:
    r = random.Random(3)

    def isbn() -> str:
        digits = "978" + "".join(r.choice("0123456789") for _ in range(9))
        total = sum(int(d) * (3 if i % 2 else 1) for i, d in enumerate(digits))
        return digits + str(-total % 10)

    assert rules_of(["isbn13"], [[isbn()] for _ in range(40)]) == {"isbn"}


def test_service_numbers_count_only_under_their_header() -> None:
    rows = [[str(24000000 + 7919 * i % 999983)] for i in range(30)]
    assert rules_of(["Service No"], rows) == {"service_number"}
    assert rules_of(["batch"], rows) == set()


def test_leading_zeros_lost_by_a_spreadsheet_are_put_back() -> None:
    rows = [[f"7700900{i:03d}"] for i in range(30)]
    assert rules_of(["Mobile"], rows) == {"uk_phone"}


def test_an_administrators_rule_needs_examples_that_hold() -> None:
    stanza = {
        "id": "visa_ref",
        "pattern": "VX[0-9]{6}",
        "match": ["VX123456"],
        "no_match": ["VX1"],
        "strength": "conclusive",
    }
    book = RuleBook([stanza])
    view = TableView(["ref"], [[f"VX{100000 + 37 * i}"] for i in range(12)], LEXICON)
    assert [h.rule.id for h in direct_identifiers.find(view, book, direct_identifiers.Options())] == [
        "visa_ref"
    ]
    with pytest.raises(StanzaError) as wrong:
        RuleBook([stanza | {"match": ["ZZ123456"]}])
    assert wrong.value.key == "detectors.direct_identifiers.rules[0].match"


def test_a_pattern_without_linear_time_is_refused() -> None:
    with pytest.raises(StanzaError) as wrong:
        RuleBook([{"id": "bad", "pattern": r"(a)\1", "match": ["aa"]}])
    assert "pattern" in wrong.value.key

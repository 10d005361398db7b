"""Statistics are never flagged, whatever words they use; identifiers override shape."""

from __future__ import annotations

import random
from itertools import product

import pytest
from shipped import JUDGE

from detectors.engine.conclusion import Conclusion
from detectors.engine.table import Table
from detectors.engine.verdict import Finding, Outcome, Role, Subject, Tier

SEXES, AGES = ["Male", "Female"], ["16-24", "25-34", "35-49", "50-64", "65+"]


def judged(header: list[str] | None, rows: list[list[str]], context: list[str] | None = None) -> Conclusion:
    judgement = JUDGE.begin()
    judgement.table(Table(header, iter(rows), context or []))
    return judgement.conclude()


def crosstab(r: random.Random) -> tuple[list[str], list[list[str]]]:
    rows = [[a, *(str(r.randint(20, 900) * 10) for _ in range(5))] for a in AGES]
    return ["Age group", *[f"1 April {y}" for y in range(2017, 2022)]], rows


def tidy(r: random.Random) -> tuple[list[str], list[list[str]]]:
    years = [str(y) for y in range(2012, 2024)]
    rows = [[y, s, a, str(r.randint(2, 900) * 5)] for y, s, a in product(years, SEXES, AGES)]
    return ["year", "sex", "age_group", "headcount"], rows


def means(r: random.Random) -> tuple[list[str], list[list[str]]]:
    grades = ["AO", "EO", "HEO", "SEO", "Grade 7", "Grade 6", "SCS1"]
    rows = [
        [g, str(r.randint(40, 900)), f"{r.uniform(20, 90):.2f}", f"{r.uniform(1, 9):.2f}"] for g in grades
    ]
    return ["Grade", "N", "Mean salary", "SD"], rows


@pytest.mark.parametrize("made", [crosstab, tidy, means])
@pytest.mark.parametrize("seed", range(5))
def test_published_statistics_are_not_flagged(made: object, seed: int) -> None:
    header, rows = made(random.Random(seed))  # type: ignore[operator]
    found = judged(header, rows, ["Table 3: strength by age and sex", "Source: made up"])
    assert found.outcome is Outcome.AGGREGATE and not found.flagged


def staff(n: int) -> list[list[str]]:
    r = random.Random(13)
    surnames = ["Ashworth", "Bevan", "Corrigan", "Davies", "Okafor", "Pryce", "Stott", "Wynn"]
    return [
        [r.choice(surnames), f"{r.randint(1, 28):02d}/{r.randint(1, 12):02d}/{r.randint(1950, 2004)}",
         f"JG{r.randint(100000, 999999)}{r.choice('ABCD')}", str(r.randint(200, 900) * 100)]
        for _ in range(n)
    ]  # fmt: skip


def test_a_staff_list_with_identifiers_is_confirmed_and_a_cut_of_three_rows_still_likely() -> None:
    header = ["Surname", "DOB", "NI Number", "Salary"]
    assert judged(header, staff(40)).tier is Tier.CONFIRMED
    assert judged(header, staff(3)).tier in (Tier.LIKELY, Tier.CONFIRMED)


def test_identifiers_override_what_looks_like_statistics() -> None:
    rows = [[nino, "12", "40", "52"] for _, _, nino, _ in staff(30)] + [["Total", "360", "1200", "1560"]]
    found = judged(["ref", "Q1", "Q2", "Total"], rows)
    assert found.flagged
    assert any(f.role is Role.DIRECT_IDENTIFIER and f.term == "nino" for f in found.findings)


def test_households_are_households() -> None:
    r = random.Random(14)
    rows = [
        [f"H{r.randint(10000, 99999)}", str(r.randint(1, 6)), r.choice(["own", "rent"]),
         str(r.randint(90, 900) * 100), str(r.randint(0, 3))]
        for _ in range(300)
    ]  # fmt: skip
    found = judged(["hhid", "hhsize", "tenure", "hhincome", "cars"], rows)
    assert found.flagged and found.subject is Subject.HOUSEHOLD


def test_an_empty_form_holds_no_records() -> None:
    assert judged(["Surname", "NI Number", "DOB"], [["", "", ""]] * 4).outcome is Outcome.NO_RECORDS


def test_every_code_of_a_finding_is_in_the_vocabulary() -> None:
    def codes(f: Finding) -> set[str]:
        return {f.detector, f.measure} | ({f.term} if f.term else set())

    for header, rows in [(["Surname", "DOB", "NI Number", "Salary"], staff(40)), tidy(random.Random(1))]:
        for finding in judged(header, rows).findings:
            assert codes(finding) <= JUDGE.vocabulary


def test_evidence_against_is_told_too() -> None:
    header, rows = tidy(random.Random(2))
    assert any(f.weight < 0 for f in judged(header, rows).findings)


AUTHORS = [["Catrin", "Owain", "Sioned", "Gareth"][i % 4] + f" Tal{chr(97 + i)}" for i in range(12)]


def test_who_made_something_is_a_possibility_and_a_list_of_customers_is_not() -> None:
    rows = [[name, name.replace(" ", ".").lower() + "@example.org"] for name in AUTHORS]
    assert judged(None, rows).tier is Tier.POSSIBLE
    assert judged(["name", "email"], rows, ["authors"]).tier is Tier.POSSIBLE
    assert judged(["author.name", "author.email"], rows).tier is Tier.POSSIBLE
    assert judged(["N", "E"], rows).tier is Tier.POSSIBLE
    assert judged(["name", "email"], rows).flagged
    assert judged(["name", "email"], rows[:2]).tier is Tier.POSSIBLE
    assert judged(["name", "email"], rows[:3]).flagged
    born = [[*row, f"{i + 1:02d}/03/19{60 + i}"] for i, row in enumerate(rows)]
    assert judged(["author.name", "author.email", "date of birth"], born).flagged

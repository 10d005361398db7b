"""Names need a header or forenames; dates of birth need spread and disorder."""

from __future__ import annotations

import random

from shipped import LEXICON

from detectors import named_people
from detectors.engine.view import TableView

FORENAMES = frozenset(
    {"alun", "beth", "carys", "dylan", "fiona", "gareth", "helen", "imran", "joan", "kelly", "liam", "megan"}
)


def found(header: list[str] | None, rows: list[list[str]]) -> named_people.Named:
    return named_people.find(TableView(header, rows, LEXICON), FORENAMES, named_people.Options())


def test_surnames_under_their_header_are_names() -> None:
    rows = [[s] for s in ("Ashworth", "Bevan", "Okafor", "O'Shea", "Prŷs")]
    assert found(["Surname"], rows).names == (0,)


def test_forenames_without_a_header_are_names_and_towns_are_not() -> None:
    people = [[f"{f.title()} Tranter{i}"] for i, f in enumerate(sorted(FORENAMES))]
    towns = [
        [t]
        for t in [
            "Ashby",
            "Carn",
            "Deepwater",
            "Elmstow",
            "Farley",
            "Inverlee",
            "Lowmoor",
            "Millbrook",
            "Oldcastle",
            "Penrhos",
        ]
    ]
    assert found(None, people).names == (0,)
    assert found(None, towns).names == ()


def test_whole_names_with_many_records_each_are_names_and_lone_words_are_not() -> None:
    lone = [[f.title()] for f in sorted(FORENAMES) for _ in range(9)]
    whole = [[f"TRANTER{i}, {f.upper()}"] for i, f in enumerate(sorted(FORENAMES)) for _ in range(9)]
    assert (found(["label"], whole).names, found(["label"], lone).names) == ((0,), ())


def test_file_names_and_firms_are_no_names() -> None:
    assert found(["file name"], [["report"], ["notes"], ["budget"]]).names == ()
    firms = [[f"{f.title()} Trading Ltd"] for f in sorted(FORENAMES)]
    assert found(["name"], firms).names == ()


def test_places_in_their_states_are_no_names_with_initials() -> None:
    places = [[f"Port Alder{i}, {'AL' if i % 2 else 'AK'}"] for i in range(20)]
    people = [[f"Tranter{i}, {'A' if i % 2 else 'JK'}"] for i in range(20)]
    measured = [
        named_people.measure(TableView(None, rows, LEXICON))["rows_named"] for rows in (places, people)
    ]
    assert measured == [0.0, 1.0]


def test_dates_over_decades_in_no_order_are_births_and_recent_events_are_not() -> None:
    r = random.Random(4)
    births = [[f"{r.randint(1, 28):02d}/{r.randint(1, 12):02d}/{r.randint(1945, 2005)}"] for _ in range(40)]
    events = [[f"{r.randint(1, 28):02d}/{r.randint(1, 12):02d}/{r.randint(2022, 2023)}"] for _ in range(40)]
    assert found(["d"], births).births == (0,)
    assert found(["d"], events).births == ()


def test_a_date_of_birth_kept_as_a_day_number_is_a_birth_under_its_name_only() -> None:
    r = random.Random(5)
    serials = [[str(r.randint(15_000, 38_000))] for _ in range(40)]
    assert found(["dob"], serials).births == (0,)
    assert found(["amount"], serials).births == ()
    assert found(
        ["dob"], [[f"{r.randint(1950, 2004)}{r.randint(1, 12):02d}11"] for _ in range(40)]
    ).births == (0,)


def test_rows_that_carry_peoples_names_are_measured() -> None:
    def share(texts: list[str]) -> float:
        return named_people.measure(TableView(None, [[x, "1"] for x in texts], LEXICON))["rows_named"]

    assert share(["Pryce, D", "Bevan, A.J.", "Stott, K", "Kerr, M", "Iqbal, S"]) == 1.0
    assert share(["Alan Tranter", "Beth Ashworth", "Megan Okafor", "Gareth Wynn"]) == 1.0
    assert share(["Ashby", "Barrow Vale", "Glen Ard", "Kings Marsh", "Nant Goch"]) == 0.0
    assert share(["Alun Tranter Ltd", "Beth Trading Ltd", "Megan Holdings plc", "Gareth Ltd"]) == 0.0


def test_words_of_a_program_and_families_of_fonts_are_no_names_whatever_their_header() -> None:
    calls = [[f"make_part{i}"] for i in range(12)]
    fonts = [
        [f"Carnwood Pro {kind}"]
        for kind in ("Bold", "Light", "Italic", "Black", "Thin", "Wide", "Book", "Cond")
    ]
    assert found(["surname"], calls).names == ()
    assert found(["full name"], fonts).names == ()
    assert found(["full name"], [[f"{f.title()} Bevan"] for f in sorted(FORENAMES)[:6]]).names == (0,)


def test_a_few_days_over_decades_on_which_much_was_done_are_no_births() -> None:
    pick = random.Random(5)
    days = ["1991-06-06", "2004-02-10", "1973-12-13", "1985-01-30", "2011-08-21"]
    assert found(["d"], [[pick.choice(days)] for _ in range(120)]).births == ()


def test_whom_a_thing_is_assigned_to_is_a_variable_of_the_thing() -> None:
    people = [[f"{f.title()} Tranter{i}"] for i, f in enumerate(sorted(FORENAMES))]
    for header in ("assigned to", "Owner", "created_by", "referee", "Trefnydd"):
        assert found([header], people).names == ()
    assert found(["employee"], people).names == (0,)
    rows = [[f"Task {i}", *p, "open"] for i, p in enumerate(people)]
    view = TableView(["task", "assignee", "status"], rows, LEXICON)
    assert named_people.measure(view)["rows_named"] == 0

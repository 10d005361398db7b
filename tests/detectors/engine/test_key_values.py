from __future__ import annotations

from itertools import chain

from detectors.engine.key_values import records


def found(lines: list[str]) -> list[tuple[list[str] | None, list[list[str]]]]:
    return [(table.header, [list(row) for row in table.rows]) for table in records(lines)]


def test_forms_with_a_field_left_out_are_records_all_the_same() -> None:
    lines = [
        line
        for i in range(8)
        for line in (f"Name: Jo {i}", f"Born: 198{i}", *([f"Rank: R{i}"] if i % 2 else []), "")
    ]
    assert found(lines) == [
        (["Name", "Born", "Rank"], [[f"Jo {i}", f"198{i}", f"R{i}" if i % 2 else ""] for i in range(8)])
    ]


def test_forms_without_blank_lines_begin_with_the_name_that_comes_again() -> None:
    assert found([f"{k} = {i}" for i in range(4) for k in ("id", "age")]) == [
        (["id", "age"], [[str(i)] * 2 for i in range(4)])
    ]


def test_two_of_a_kind_or_prose_are_no_records() -> None:
    assert found(["Name: Jo", "Born: 1980", "", "Name: Al", "Born: 1981"]) == []
    assert found(["Note: this is one line.", "The rest is prose.", "And so on it goes."] * 3) == []


def test_calls_with_named_arguments_amid_prose_are_no_log() -> None:
    prose = ["An operation takes an entry as one of its arguments, like this:", "and the result comes back."]
    calls = ['    name="New book", kind="General",', "    printed=day, price=1.23)"]
    assert found([*prose, *calls] * 5 + prose * 3) == []
    assert found([f"name=Jo{i}, age={i + 20}, dept=D{i % 3}" for i in range(6)]) != []


def test_cards_are_records_whatever_is_said_about_a_value() -> None:
    lines = [
        line
        for i in range(5)
        for line in (
            "BEGIN:VCARD",
            f"FN:Carys Bevan {i}",
            f"TEL;TYPE=CELL;PREF=1:020 7946 100{i}",
            "TEL;TYPE=HOME:020 7946 2000",
            f'item1.ADR;LABEL="Home: {i}":;;{i} Mill Lane',
            " that goes on;Abergavenny",
            "END:VCARD",
        )
    ]
    assert found(lines) == [
        (
            ["FN", "TEL", "ADR"],
            [[f"Carys Bevan {i}", f"020 7946 100{i}", f";;{i} Mill Lane"] for i in range(5)],
        )
    ]


def test_cards_within_cards_are_records_of_the_kind_with_most() -> None:
    alarm = ["BEGIN:VALARM", "ACTION:DISPLAY", "END:VALARM"]
    events = [["BEGIN:VEVENT", f"SUMMARY:Board {i}", "LOCATION:Hall", *alarm, "END:VEVENT"] for i in range(4)]
    lines = ["BEGIN:VCALENDAR", "VERSION:2.0", *chain.from_iterable(events), "END:VCALENDAR"]
    assert found(lines) == [(["SUMMARY", "LOCATION"], [[f"Board {i}", "Hall"] for i in range(4)])]
    assert found(["BEGIN:VCARD", "FN:Jo", "TEL:1", "END:VCARD"] * 2) == []


def test_a_query_on_each_line_is_a_record() -> None:
    assert found([f"id={i}&region=South+{i}&free=a%26b" for i in range(4)]) == [
        (["id", "region", "free"], [[str(i), f"South {i}", "a&b"] for i in range(4)])
    ]
    calls = ["See the page /list?id=3&page=2 for it.", "if (a == 1 && b == 2) { c = a & b; }"]
    assert found(calls * 4) == []


def test_quotes_around_a_value_are_no_part_of_it() -> None:
    blocks = [["[[person]]", f'id = "{i}"', "note = 'a \"b\"'", 'both = "a" or "b"', ""] for i in range(3)]
    assert found(list(chain.from_iterable(blocks))) == [
        (["id", "note", "both"], [[str(i), 'a "b"', '"a" or "b"'] for i in range(3)])
    ]


def test_several_pairs_on_a_line_and_names_above_their_values_are_records() -> None:
    people = [["Al B", str(20 + i), "F"] for i in range(5)]
    forms = [line for n, a, s in people for line in ("CARD", f"Name : {n}     Age : {a}", f"Sex: {s}", "")]
    assert found(forms) == [(["Name", "Age", "Sex"], people)]
    asked = [
        line
        for n, a, s in people
        for line in ("INTERVIEW", "Q1. Name?", f"A1. {n}", "2) Age", a, "Sex", s, "")
    ]
    assert found(asked) == [(["Name?", "Age", "Sex"], people)]


def test_names_may_be_numbered_marked_or_asked() -> None:
    for form in ("Q{0}. {1}?  {2}", "{0}) {1}: {2}", "- **{1}**: {2}", "**{1}:** {2}", "* *{1}*: {2}"):
        lines = [
            line
            for i in range(6)
            for line in (*(form.format(k + 1, n, 20 + i) for k, n in enumerate(("age last", "hours"))), "")
        ]
        assert found(lines) == [(["age last", "hours"], [[str(20 + i)] * 2 for i in range(6)])], form


def test_calls_with_the_same_names_on_each_line_are_records_and_others_are_a_program() -> None:
    alike = [f"EXEC dbo.Add @id={i}, @age={30 + i}, @sex='F';" for i in range(12)]
    assert found(alike) == [(["id", "age", "sex"], [[str(i), str(30 + i), "F"] for i in range(12)])]
    names = ("kind", "size", "help", "default", "type", "nargs")
    other = [f"parser.add({names[i % 6]}='x', {names[i % 5]}=2, {names[i % 4]}={i})" for i in range(12)]
    assert found(other) == []


def test_a_query_within_a_line_is_one_record() -> None:
    lines = [f'10.0.0.{i} - "GET /save?id={i}&age={20 + i}&job=a+b HTTP/1.1" 200' for i in range(6)]
    assert found(lines) == [(["id", "age", "job"], [[str(i), str(20 + i), "a b"] for i in range(6)])]


def test_a_value_on_each_line_with_a_blank_one_between_records_is_a_table() -> None:
    rows = [["ref", "sex", "age"], *([f"r{i}", "MF"[i % 2], str(20 + i)] for i in range(15))]
    for mark in ("", "| "):
        lines = [line for row in rows for line in (*(mark + cell for cell in row), "")]
        assert (rows[0], rows[1:]) in found(lines)
    verses = [line for i in range(15) for line in (f"A line {i}", "and one", "and a third", "")]
    assert not any(header is None or len(header) == 3 for header, _ in found(verses))


def test_questions_with_answers_are_forms_and_of_boxes_the_checked_one_counts() -> None:
    lines = [
        x for i in range(9) for x in ("Q: Your age?", f"A: {20 + i}", "Q: Your sex?", "A: F", "", "***", "")
    ]
    assert found(lines)[0] == (["Your age", "Your sex"], [[str(20 + i), "F"] for i in range(9)])
    boxes = [x for i in range(6) for x in (f"Age: {20 + i}", "Sex: [ ] Male  [x] Female", "")]
    assert found(boxes) == [(["Age", "Sex"], [[str(20 + i), "Female"] for i in range(6)])]


def test_entries_of_a_directory_have_values_of_one_name_on_end_and_folded_lines() -> None:
    people = [
        f"dn: uid=u{i},ou=people,dc=example,dc=org\nobjectClass: top\nobjectClass: person\n"
        f"cn: Mair Preece {i}\nsn: Preece\n"
        f"description: {'works at the far end of the corridor ' * 3}\n in cn=wing {i}\n"
        f"mail: m{i}@example.org\n"
        for i in range(6)
    ]
    group = "dn: cn=all,dc=example,dc=org\ncn: all\n" + "".join(f"member: uid=u{i}\n" for i in range(40))
    (table,) = records("\n".join([*people, group]).split("\n"))
    assert table.header == ["dn", "objectClass", "cn", "sn", "description", "mail"]
    assert [row[5] for row in table.rows if row[5]] == [f"m{i}@example.org" for i in range(6)]

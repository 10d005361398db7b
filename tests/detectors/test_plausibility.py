"""What is no table of data, or says nothing of people, is not taken for records by its shape alone."""

from __future__ import annotations

import random

import pytest
from shipped import LEXICON

from detectors import plausibility
from detectors.engine.judge import Judge
from detectors.engine.lexicon import Lexicon
from detectors.engine.roster import measured, roster
from detectors.engine.table import Table
from detectors.engine.verdict import Outcome, Tier
from detectors.engine.view import TableView

NOBODY = {
    "age_values": 0.0,
    "birth_values": 0.0,
    "person_concepts": 0.0,
    "answer_cells": 0.0,
    "person_cells_share": 0.0,
    "people_concepts": 0.0,
    "says_people": 0.0,
    "says_others": 0.0,
    "codes_in_blocks": 0.0,
    "key_runs": 0.0,
    "uneven_runs": 0.0,
}
PROGRAM = [["hi", "def", f"link{i};", "{ return x->y; }"] for i in range(30)]
PROSE = [[f"The {i}th of many long sentences that go on about this and that", "yes"] for i in range(30)]
WORDS = [[f"alpha{i}", f"beta{i}"] for i in range(30)]


def doubts(
    rows: list[list[str]], header: list[str] | None = None, text_lines: int = 0, **measures: float
) -> list[plausibility.Doubt]:
    view = TableView(header, rows, LEXICON, text_lines=text_lines)
    return plausibility.find(view, NOBODY | measures, plausibility.Options())


def numbers(rows: int) -> list[list[str]]:
    pick = random.Random(4)
    return [[str(pick.randrange(5)), str(pick.randrange(90)), pick.choice("ab")] for _ in range(rows)]


@pytest.mark.parametrize(
    ("rows", "measure"), [(PROGRAM, "untidy_cells"), (PROSE, "wordy_cells"), (WORDS, "no_values")]
)
def test_what_is_no_data_gets_no_tier_from_its_shape(rows: list[list[str]], measure: str) -> None:
    found = doubts(rows)
    assert measure in {d.measure for d in found}
    assert all(d.ceiling is Tier.NONE for d in found)


def test_few_unnamed_numbers_are_held_back_and_many_are_not() -> None:
    assert [d.ceiling for d in doubts(numbers(20))] == [Tier.NONE]
    assert [d.ceiling for d in doubts(numbers(40))] == [Tier.POSSIBLE]
    assert doubts(numbers(60)) == []


def test_a_short_file_of_data_is_believed_where_its_values_speak_clearly() -> None:
    (short,) = doubts(numbers(20))
    options = plausibility.Options()

    def outweighed(p: float, **about: bool | int) -> bool:
        return plausibility.outweighed(short, TableView(None, numbers(20), LEXICON, **about), p, options)

    assert outweighed(0.75)
    assert not outweighed(0.65)
    assert not outweighed(0.99, loose=True)
    assert not outweighed(0.99, text_lines=9)


def test_numbers_that_speak_of_people_are_not_held_back() -> None:
    assert doubts(numbers(20), age_values=0.8) == []
    assert doubts(numbers(20), ["marital status", "age", "sex"], people_concepts=3, says_people=0.5) == []


def told(rows: list[list[str]], header: list[str] | None, text_lines: int) -> bool:
    judgement = Judge().begin()
    judgement.table(Table(header, iter(rows), text_lines=text_lines))
    return judgement.conclude().flagged


def test_a_block_of_numbers_within_a_program_or_a_manual_is_no_data_but_people_are_found_there() -> None:
    pick = random.Random(9)
    block = [[str(pick.randrange(5)) for _ in range(40)] for _ in range(80)]
    assert {d.measure for d in doubts(block, text_lines=100)} == {"within_text"}
    assert doubts(block, text_lines=70) == []
    header = ["age", "sex", "marital status", "occupation", "income"]
    people = [
        [str(pick.randrange(17, 70)), pick.choice("MF"), pick.choice(["single", "married"]),
         pick.choice(["cook", "clerk"]), str(pick.randrange(15, 60) * 1000)]
        for _ in range(60)
    ]  # fmt: skip
    assert told(people, header, 500)


def test_definitions_that_share_hardly_a_field_are_no_records() -> None:
    rows = [["structure", *("x" if (i + j) % 7 == 0 else "" for j in range(30))] for i in range(60)]
    found = doubts(
        rows, ["type", *(f"members.person{j}" for j in range(30))], people_concepts=3, says_people=1
    )
    assert "sparse_cells" in {d.measure for d in found}


def test_what_is_the_same_in_every_row_does_not_tell_of_people() -> None:
    rows = [["it", "Italian", f"key{i}", f"Parola {i}"] for i in range(60)]
    header = ["language", "nationality", "name", "text"]
    found = doubts(rows, header, person_concepts=1, people_concepts=2, says_people=0.5)
    assert "no_values" in {d.measure for d in found}


def test_ragged_words_of_which_none_speaks_of_people_are_a_possibility_however_many() -> None:
    pick = random.Random(16)
    rows = [
        [pick.choice(["slot", "signal"]), pick.choice(["box", "list"]), pick.choice("xyz")] for _ in range(90)
    ]
    assert doubts(rows) == []
    ragged = [row[: 2 + (i % 2)] for i, row in enumerate(rows)]
    assert [(d.measure, d.ceiling) for d in doubts(ragged)] == [("words_alone", Tier.POSSIBLE)]
    assert doubts([[pick.choice(["agree", "disagree"]), *row] for row in ragged]) == []
    assert doubts(ragged, people_concepts=1) == []


def test_lists_of_unequal_length_without_a_header_are_a_possibility() -> None:
    pick = random.Random(19)
    rows = [[str(pick.randrange(5)) for _ in range(1 + i % 9)] for i in range(90)]
    assert "ragged_rows" in {d.measure for d in doubts(rows)}
    scattered = [[str(pick.randrange(5)) if pick.random() < 0.7 else "" for _ in range(9)] for _ in range(90)]
    assert "ragged_rows" not in {d.measure for d in doubts(scattered)}


def test_a_picture_in_numbers_is_a_possibility_and_a_panel_is_told_by_its_runs() -> None:
    rows = [[str(int((i - 30) ** 2 + (j - 20) ** 2 < 300)) for j in range(40)] for i in range(60)]
    view = TableView(None, rows, LEXICON)
    seen = measured(view, roster({}))
    assert "picture" in {d.measure for d in plausibility.find(view, seen, plausibility.Options())}
    panel = plausibility.find(view, seen | {"uneven_runs": 1.0}, plausibility.Options())
    assert "picture" not in {d.measure for d in panel}


def test_calls_at_stops_are_a_timetable_and_a_diary_says_what_was_done() -> None:
    pick, rows = random.Random(17), []
    for trip in range(20):
        at = pick.randrange(300, 1200)
        for k in range(pick.randrange(6, 14)):
            at += pick.randrange(1, 5)
            rows.append(
                [f"L{trip}", f"{at // 60:02d}:{at % 60:02d}", str(pick.randrange(100, 900)), str(k + 1), "0"]
            )
    header = ["trip", "arrival", "stop", "sequence", "boarding"]
    assert "timetable" in {
        d.measure for d in plausibility.find(*viewed(rows, header), plausibility.Options())
    }
    diary = [[*row[:4], pick.choice("12345")] for row in rows]
    assert "timetable" not in {
        d.measure for d in plausibility.find(*viewed(diary, header), plausibility.Options())
    }


def test_identifiers_paths_and_calls_are_words_of_a_program_and_names_of_people_are_none() -> None:
    def held_back(*texts: str) -> bool:
        rows = [[texts[i % len(texts)] + str(i), str(i % 9), str(i % 7)] for i in range(90)]
        return "program_texts" in {d.measure for d in doubts(rows)}

    assert held_back("getName", "on_open", "https://a.example/b")
    assert not held_back("Mair Pugh ", "McDonald, T", "Llanelli", "a.pugh@example.org")


def test_names_of_program_parts_are_marks_of_settings() -> None:
    rows = [[f"org.example.desktop{i}", "allow", "com.example.Bus.Get"] for i in range(20)]
    assert "untidy_cells" in {d.measure for d in doubts(rows)}


def test_a_program_cut_into_cells_is_not_microdata_but_identifiers_are_found_in_any_dress() -> None:
    judgement = Judge().begin()
    judgement.table(Table(None, iter(PROGRAM)))
    assert judgement.conclude().outcome is not Outcome.MICRODATA
    people = [[f"{{{i}}}", f"AB{i:02d}34{i:02d}C", f"<M{i}>", f"f{i}->x;"] for i in range(10, 40)]
    judgement = Judge().begin()
    judgement.table(Table(["k", "ni number", "m", "f"], iter(people)))
    assert judgement.conclude().tier in (Tier.LIKELY, Tier.CONFIRMED)


def test_a_dump_of_bytes_and_columns_that_are_mostly_blank_are_nothing_to_go_by() -> None:
    pick = random.Random(11)
    dump = [[f"{16 * i:08x}", *(f"{pick.randrange(256):02x}" for _ in range(16))] for i in range(60)]
    assert "untidy_cells" in {d.measure for d in doubts(dump)}
    keyed = [
        [pick.choice(["arch", "x", "y"]), str(pick.randrange(40)), "", "n" * (i % 9 == 0)] for i in range(90)
    ]
    assert "little_to_go_by" in {d.measure for d in doubts(keyed)}


def test_a_hashed_number_of_a_person_is_no_dump() -> None:
    pick = random.Random(12)
    rows = [
        [f"{pick.getrandbits(40):010x}", str(pick.randint(16, 90)), pick.choice("12")] for _ in range(300)
    ]
    assert doubts_of(rows) == set()


def test_categories_with_open_ends_and_answers_in_words_are_no_programs() -> None:
    sizes = [[str(i % 7), "<=3cm" if i % 3 else ">3cm", str(i % 4)] for i in range(30)]
    assert "untidy_cells" not in doubts_of(sizes)
    joined = ("all_of_the_time", "most_of_the_time", "not_at_all", "1_to_3_times")
    answers = [[str(i % 7), joined[i % 4], joined[i * 7 % 3]] for i in range(60)]
    assert "untidy_cells" not in doubts_of(answers)
    lone = [[str(i % 7), f"first_of_{i}", f"__name_{i}__"] for i in range(60)]
    assert "untidy_cells" in doubts_of(lone)
    words = [[("much_more", "as_now", "much_less")[(i * k) % 3] for k in (1, 2, 5, 7)] for i in range(90)]
    assert "no_values" not in doubts_of(words)
    assert "no_values" in doubts_of(words[:20])


def doubts_of(rows: list[list[str]]) -> set[str]:
    view = TableView(["a", "b", "c", "d"][: len(rows[0])], rows, Lexicon.load())
    found = plausibility.find(view, measured(view, roster({})), plausibility.Options())
    return {d.measure for d in found}


def test_keys_with_values_of_their_own_kinds_are_a_listing_of_settings() -> None:
    pick = random.Random(12)
    rows = [
        row
        for i in range(40)
        for row in (["arch", f"wall{i % 7}"], ["x", str(pick.randrange(40))], ["end", ""])
    ]
    assert "no_values" in {
        d.measure for d in doubts(rows, ["race", "sport"], people_concepts=2, says_people=1.0)
    }
    sexes = [[pick.choice("MF"), pick.choice("12")] for _ in range(90)]
    assert doubts(sexes, ["sex", "marital status"], people_concepts=2, says_people=1.0) == []


def test_a_few_rows_of_yes_and_no_or_one_column_of_words_in_many_do_not_tell_of_people() -> None:
    pick = random.Random(13)
    fields = [
        [f"field{i}", pick.choice(["YES", "NO"]), str(i % 4), str(pick.randrange(3))] for i in range(20)
    ]
    assert doubts(fields, None, person_concepts=1, answer_cells=0.25, person_cells_share=0.25) != []
    keys = [["def", f"schema{i % 3}", pick.choice(["primary", "none"]), "a", f"t{i}", "b"] for i in range(60)]
    assert doubts(keys, None, person_concepts=1, person_cells_share=0.17) != []


def test_a_bracket_in_every_row_makes_it_a_statement() -> None:
    pick = random.Random(14)
    rows = [["insert", "(", *(str(pick.randrange(5)) for _ in range(12)), ")"] for _ in range(80)]
    assert "untidy_cells" in {d.measure for d in doubts(rows)}


def test_a_name_that_is_set_in_every_row_makes_it_settings() -> None:
    pick = random.Random(18)
    rows = [[f"{1300 + i}=30", *(pick.choice(["29", "30"]) for _ in range(11))] for i in range(80)]
    assert "untidy_cells" in {d.measure for d in doubts(rows)}
    assert doubts([["30", *row[1:]] for row in rows]) == []


def test_one_stray_word_in_a_short_table_tells_nobody_apart() -> None:
    header = ["name", "bits", "kind", "set"]
    rows = [[f"r{i}", "64", "whole", "general" if i > 1 else "status"] for i in range(18)]
    found = plausibility.find(*viewed(rows, header), plausibility.Options())
    assert "little_to_go_by" in {d.measure for d in found}
    rows = [[*row[:3], "female" if i % 3 else "male"] for i, row in enumerate(rows)]
    assert plausibility.find(*viewed(rows, header), plausibility.Options()) == []


def test_a_form_of_which_half_is_the_same_each_time_does_not_tell_of_people() -> None:
    header = ["Subject", "Support"]
    rows = [[f"Alpha {i}", "help desk"] for i in range(30)]
    told = {"people_concepts": 2, "says_people": 1.0}
    assert {d.ceiling for d in doubts(rows, header, **told)} == {Tier.NONE}
    assert doubts([[a, f"{b} {i % 3}"] for i, (a, b) in enumerate(rows)], header, **told) == []


def test_a_few_numbers_in_a_sparse_column_are_no_ages() -> None:
    pick = random.Random(12)
    lists = [[f"{i:04x}x", "ab", str(pick.randrange(6, 60)) if i % 4 == 0 else "", ""] for i in range(120)]
    assert "no_values" in {d.measure for d in doubts(lists, age_values=1.0)}
    full = [[*row[:2], str(pick.randrange(18, 70)), row[3]] for row in lists]
    assert doubts(full, age_values=1.0) == []


def viewed(
    rows: list[list[str]], header: list[str], text_lines: int = 0
) -> tuple[TableView, dict[str, float]]:
    view = TableView(header, rows, LEXICON, text_lines=text_lines)
    return view, measured(view, roster({}))


def test_many_words_of_one_line_taken_for_a_header_are_of_one_variable() -> None:
    header = ["- one|- two", "part", "status of the line on dead connections and their condition"]
    rows = [["- two", str(8000 + i % 3), f"Add part {i}"] for i in range(10)]
    found = plausibility.find(*viewed(rows, header, 400), plausibility.Options())
    assert "within_text" in {d.measure for d in found}


def in_doubt(
    rows: list[list[str]], header: list[str] | None = None, p: float = 0.8, loose: bool = True
) -> bool:
    view = TableView(header, rows, LEXICON, loose=loose)
    return bool(plausibility.unspoken(view, measured(view, roster({})), p, plausibility.Options()))


def test_codes_out_of_a_trace_need_more_certainty_than_those_of_a_file_of_data() -> None:
    pick = random.Random(20)
    rows = [[str(pick.randrange(5)), str(pick.randrange(9)), str(pick.randrange(700))] for _ in range(200)]
    assert in_doubt(rows)
    assert not in_doubt(rows, loose=False)
    assert not in_doubt(rows, p=0.98)


def test_switches_of_a_program_say_nothing_of_people_in_a_tree() -> None:
    pick = random.Random(22)
    header = ["default", "language", "required", "depth"]
    rows = [
        [pick.choice(["true", "false"]), "java", pick.choice(["true", "false"]), str(pick.randrange(9))]
        for _ in range(60)
    ]
    assert in_doubt(rows, header)


def test_numbers_of_records_beside_a_few_sizes_are_no_ages_in_a_tree() -> None:
    sizes = ["40", "21", "", "33"] + [""] * 8
    rows = [[str((7 * i) % 36), sizes[i % 12], str(i % 3)] for i in range(36)]
    assert in_doubt(rows, ["id", "indent", "bold"])
    assert not in_doubt(
        [[str(16 + (11 * i) % 60), "", str(i % 3)] for i in range(36)], ["a7", "indent", "bold"]
    )


def test_points_of_a_curve_and_readings_at_even_times_are_nobody() -> None:
    pick = random.Random(23)
    counts = [str(pick.randrange(18, 60)) for _ in range(80)]
    codes = [str(pick.randrange(4)) for _ in range(80)]

    def held(firsts: list[str]) -> bool:
        rows = [list(row) for row in zip(firsts, counts, codes, strict=True)]
        return "even_steps" in {d.measure for d in doubts(rows, age_values=0.0)}

    assert held([f"{20 + i / 50:.2f}" for i in range(80)])
    assert held([f"2024-05-01T{10 + i // 60}:{i % 60:02d}:00Z" for i in range(80)])
    assert not held([str(1000 + 3 * i) for i in range(80)])  # numbers of records
    assert not held([f"{pick.randrange(24):02d}:{pick.randrange(60):02d}" for _ in range(80)])


def test_hosts_and_paths_are_words_of_a_program_though_they_are_few() -> None:
    pick = random.Random(24)
    rows = [
        [f"10.0.3.{pick.randrange(99)}", pick.choice(["/", "/a", "/b/c"]), pick.choice("345")]
        for _ in range(60)
    ]
    assert "program_texts" in {d.measure for d in doubts(rows)}
    hosts = ["127.0.0.1", "7f00:6:5ea7::a00:0", "0:0:bb01::", "2001:db8:0:1:1:1:1:1"]
    mixed = [[pick.choice(hosts), pick.choice("12"), pick.choice("345")] for _ in range(60)]
    assert "program_texts" in {d.measure for d in doubts(mixed)}
    times = [[f"{pick.randrange(24):02d}:{pick.randrange(60):02d}:07", "1", "2"] for _ in range(60)]
    assert "program_texts" not in {d.measure for d in doubts(times)}


def test_ages_and_words_that_their_values_bear_out_speak_of_people_in_a_trace_as_well() -> None:
    pick = random.Random(21)
    aged = [[str(pick.randrange(17, 85)), str(pick.randrange(3)), str(pick.randrange(9))] for _ in range(60)]
    assert not in_doubt(aged)
    header = ["marital status", "sex", "score"]
    coded = [
        [str(pick.randrange(1, 5)), str(pick.randrange(1, 3)), str(pick.randrange(9))] for _ in range(60)
    ]
    assert not in_doubt(coded, header)
    constant = [["1", "1", str(pick.randrange(9))] for _ in range(60)]
    assert in_doubt(constant, header)


def test_names_of_variables_whose_values_are_words_of_a_program_do_not_speak_of_people() -> None:
    pick = random.Random(22)
    header = ["surname", "occupation", "line"]
    rows = [[f"make_part{i}", f"partFactory{i}", str(pick.randrange(9))] for i in range(60)]
    found = plausibility.find(*viewed(rows, header), plausibility.Options())
    assert "no_values" in {d.measure for d in found}

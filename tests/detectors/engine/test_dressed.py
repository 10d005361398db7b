"""Marks around rows are taken off, and only where they are marks."""

from __future__ import annotations

from detectors.engine.dressed import undress

ROWS = [["ref", "age", "sex"], *([str(100 + i), str(20 + i), "12"[i % 2]] for i in range(12))]
PLAIN = "".join(",".join(row) + "\n" for row in ROWS)


def off(text: str) -> str:
    undressed = undress(text)
    return undressed(text) if undressed else text


def test_lines_that_are_quoted_as_a_whole_are_lines_of_cells() -> None:
    assert off("".join('"' + ",".join(row) + '"\n' for row in ROWS)) == PLAIN
    doubled = "".join('"' + ",".join(f'""{cell}""' for cell in row) + '"\n' for row in ROWS)
    assert off(doubled) == "".join(",".join(f'"{cell}"' for cell in row) + "\n" for row in ROWS)


def test_quoted_cells_and_quoted_sentences_stay_as_they_are() -> None:
    cells = "".join(",".join(f'"{cell}"' for cell in row) + "\n" for row in ROWS)
    sentences = "".join(f'"A sentence{", and more" * (i % 3)}."\n' for i in range(9))
    assert off(cells) == cells and off(sentences) == sentences


def test_headings_of_wikis_are_rows_like_the_others() -> None:
    rows = "".join("|" + "|".join(row) + "|\n" for row in ROWS[1:])
    plain = "|ref|age|sex|\n" + rows
    assert off("h1. People\n\n||ref||age||sex||\n" + rows) == "h1. People\n\n" + plain
    assert off("^ref^age^sex^\n" + rows) == plain
    assert off("|_.ref|_.age|_.sex|\n" + rows) == plain


def test_rows_between_double_bars_have_no_heading() -> None:
    text = "".join("||" + "||".join(row) + "||\n" for row in ROWS)
    assert off(text) == text


def test_a_delimiter_of_several_marks_becomes_one_unless_it_is_a_part_of_words() -> None:
    for mark in ("|~|", "::", "~~", "__", "^|^"):
        assert off("".join(mark.join(row) + "\n" for row in ROWS)) == PLAIN.replace(",", "\x1f"), mark
    arrows = "".join(" -> ".join(row) + "\n" for row in ROWS)
    assert off(arrows) == PLAIN.replace(",", " \x1f ")
    for text in ("".join(f"http://a{i}/b//c\n" for i in range(20)), "a--b--c\n" * 20, "x::y\n" * 20):
        assert off(text) == text

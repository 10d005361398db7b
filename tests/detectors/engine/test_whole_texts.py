from __future__ import annotations

from detectors.engine.whole_texts import MAX_TEXTS, WholeTexts, may_hold_a_table

PRINTED = "".join(f"{i:4}  {20 + i}  F  {i % 3}\n" for i in range(12))


def test_a_text_is_one_value_or_a_list_of_its_lines() -> None:
    lines, whole = WholeTexts(), WholeTexts()
    for line in PRINTED.splitlines(keepends=True):
        lines.value(line, True)
    lines.value("  13  33  M  1", True)
    whole.value(PRINTED + "  13  33  M  1", False)
    assert lines.parts() == whole.parts() == [(PRINTED + "  13  33  M  1").encode()]


def test_words_programs_and_pictures_are_not_kept() -> None:
    texts = WholeTexts()
    texts.value("A note of several lines\nthat says a thing or two\n" * 10, False)
    texts.value("import os\nfor name in os.listdir():\n    print(name)\n    size += 1\n" * 5, False)
    texts.value("iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJ0123456789abcdefghijklmnopqrs\n" * 9, False)
    texts.value("<svg><path d='M 1 2'/></svg>" + "<text>1</text>" * 9, False)
    assert texts.parts() == []


def test_rows_of_a_page_need_no_lines() -> None:
    assert may_hold_a_table("<table>" + "<tr><td>1</td></tr>" * 5 + "</table>")
    assert not may_hold_a_table("<table><tr><td>1</td></tr></table>")


def test_the_longest_are_kept_when_there_are_many() -> None:
    texts = WholeTexts()
    for i in range(MAX_TEXTS + 5):
        texts.value(PRINTED * (1 + i % 3), False)
    kept = texts.parts()
    assert len(kept) == MAX_TEXTS
    assert kept.count((PRINTED * 3).encode()) == (MAX_TEXTS + 5) // 3

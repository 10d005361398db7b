"""SYLK and DIF: sheets as text."""

from __future__ import annotations

from detectors.engine.interchange import lines_of, messages_of, sheet_of

SYLK = 'ID;PWXL;N;E\nB;Y3;X2\nC;Y1;X1;K"age"\nC;X2;K"a;;b"\nC;Y2;X1;K44\nF;Y3;X2\nC;K"M"\nE\n'
DIF = (
    'TABLE\n0,1\n"MADE UP"\nTUPLES\n0,2\n""\nDATA\n0,0\n""\n-1,0\nBOT\n1,0\n"age"\n0,44\nV\n'
    '-1,0\nBOT\n1,0\n"sex"\n-1,0\nEOD\n1,0\n"behind"\n'
)


def rows(text: str, widest: int = 100) -> list[list[str]]:
    reader = sheet_of(text)
    assert reader is not None
    return [list(row) for row in reader(lines_of([text]), widest)]


def test_cells_of_sylk_have_a_line_each_and_may_leave_out_their_place() -> None:
    assert rows(SYLK) == [["age", "a;b"], ["44"], ["", "M"]]


def test_cells_of_dif_have_two_lines_each() -> None:
    assert rows(DIF) == [["age", "44"], ["sex"]]


def test_a_sheet_that_breaks_off_or_claims_much_is_read_in_bounds() -> None:
    assert rows(SYLK[:60]) and rows(DIF[:40]) == [] and rows(DIF[:80]) != []
    assert rows("ID;P\nC;Y1;X99999999;K1\nC;Y1;X3;K2\n", widest=5) == [["", "", "2"]]
    assert rows("ID;P\nC;Yx;X;K\nC;;;;\nC;Y1;X1;K1\n") == [["1"]]


def test_other_text_is_no_such_sheet() -> None:
    assert sheet_of("ID;Pay;Age\n1;20;44\nC;3;4\n") is None and sheet_of("TABLE\nof contents\n") is None


MESSAGES = (
    "FHS|^~\\&|A\nMSH|^~\\&|A|B\nPID|1||77^^^ZZ||Jones^Ann||19500203|F\nPV1|1|I|W1\nOBX|1|NM|HB||12.1\n"
    "OBX|2|NM|WBC||7\nMSH|^~\\&|A\nPID|1||78||Kerr^Bob||19510203|M"
)


def test_messages_about_patients_are_a_row_for_each() -> None:
    reader = messages_of(MESSAGES)
    assert reader is not None
    names, *patients = reader(lines_of([MESSAGES]), 100)
    at = dict(zip(names, zip(*patients, strict=True), strict=True))
    assert at["name"] == ("Jones Ann", "Kerr Bob") and at["date of birth"] == ("19500203", "19510203")
    assert at["patient number"] == ("77 ZZ", "78") and at["result"] == ("12.1", "")
    assert [len(row) for row in reader(lines_of([MESSAGES]), 3)] == [3, 3, 3]
    assert messages_of("MSHA\n") is messages_of("PID|1") is None

from __future__ import annotations

from detectors.engine.layout import fixed_width


def lay(rows: list[list[str]], widths: list[int]) -> list[str]:
    return ["".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) for row in rows]


ROWS = [[f"Name{i * 7 % 11} Of{i}", str(20 + i), "MF"[i % 2], f"{i * 1.5:.1f}"] for i in range(40)]


def test_columns_are_where_all_lines_are_blank() -> None:
    lines = lay(ROWS, [16, 5, 2, 6])
    layout = fixed_width(lines)
    assert layout is not None
    assert layout.cuts == (0, 16, 21, 23)
    assert layout.rows("\n".join(lines)) == ROWS


def test_two_words_in_one_column_stay_together() -> None:
    rows = [[str(100 + i), "Black British" if i % 3 else "White", str(i)] for i in range(40)]
    layout = fixed_width(lay(rows, [5, 15, 3]))
    assert layout is not None
    assert layout.cuts == (0, 5, 20)


def test_lines_that_blanks_part_alike_are_not_cut_through_words() -> None:
    codes = ["censored" if i % 80 == 40 else str(i % 3) for i in range(160)]
    rows = [[str(i), str(i % 2), code, str(i * 7 % 50)] for i, code in enumerate(codes)]
    to_the_right = ["".join(cell.rjust(10) for cell in row) for row in rows]
    assert fixed_width(to_the_right) is None


def test_prose_is_no_layout() -> None:
    assert (
        fixed_width(
            ["The board met on Tuesday and noted it.", "Nobody spoke of it again for years.", "That was all."]
        )
        is None
    )

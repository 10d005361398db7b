from __future__ import annotations

import io
import json

from detectors.engine.table import Part, ReadLimits, Table, Text
from detectors.readers import html


def found(data: str) -> tuple[list[tuple[list[str] | None, list[list[str]]]], str]:
    tables, lines = [], []
    for content in html.read(io.BytesIO(data.encode()), "text/html", ReadLimits()):
        if isinstance(content, Table):
            tables.append((content.header, [list(row) for row in content.rows]))
        elif isinstance(content, Text):
            lines.extend(content.lines)
    return tables, "\n".join(lines)


def row(cells: list[str], tag: str = "td") -> str:
    return "<tr>" + "".join(f"<{tag}>{cell}</{tag}>" for cell in cells) + "</tr>"


def test_cells_that_reach_down_and_across_are_filled_in() -> None:
    data = (
        "<table><tr><th rowspan=2>Area<th colspan=2>Men<tr><th>2023<th>2024"
        "<tr><td>A<td>1<td>2<tr><td rowspan=2>B<td>3<td>4<tr><td>5<td>6</table>"
    )
    assert found(data)[0] == [
        (["Area", "Men|2023", "Men|2024"], [["A", "1", "2"], ["B", "3", "4"], ["B", "5", "6"]])
    ]


def test_a_table_with_no_marked_header_is_read_by_its_looks() -> None:
    body = [[str(i), str(20 + i), "MF"[i % 2]] for i in range(9)]
    data = "<table>" + "".join(map(row, [["ref", "age", "sex"], *body])) + "</table>"
    assert found(data)[0] == [(["ref", "age", "sex"], body)]


def test_a_table_inside_a_layout_table_is_found() -> None:
    inner = (
        "<table>"
        + row(["ref", "age"], "th")
        + "".join(row([str(i), str(i + 30)]) for i in range(5))
        + "</table>"
    )
    tables, text = found(f"<table><tr><td>Menu</td><td>{inner}</td></tr></table><p>Bye &amp; thanks</p>")
    assert (["ref", "age"], [[str(i), str(i + 30)] for i in range(5)]) in tables
    assert "Bye & thanks" in text


def test_scripts_and_comments_are_text_and_styles_are_not() -> None:
    _, text = found("<script>var staff = ['Jo']</script><!-- AB123456C --><style>p{}</style><p>x</p>")
    assert "Jo" in text
    assert "AB123456C" in text
    assert "p{}" not in text


def test_an_endless_row_span_costs_nothing() -> None:
    tables, _ = found("<table>" + "<tr><td rowspan=9999999999>1<td colspan=99999>2" * 3 + "</table>")
    assert len(tables) <= 1


PEOPLE = [[str(100 + 7 * i), str(20 + i * 13 % 60), "MF"[i % 2], "North"] for i in range(20)]
NAMES = ["ref", "age", "sex", "region"]


def test_rows_of_other_elements_and_cards_are_tables_and_their_text_stays_text() -> None:
    lines = "".join(
        "<div class=r>" + "".join(f"<span>{cell}</span> " for cell in line) + "</div>"
        for line in [NAMES, *PEOPLE]
    )
    tables, text = found(f"<h1>List</h1><div>{lines}</div><p>end")
    assert (NAMES, PEOPLE) in tables
    assert text.startswith("List") and text.endswith("end") and "100 20 M North" in text
    cards = "".join(
        "<dl>" + "".join(f"<dt>{n}<dd>{cell}" for n, cell in zip(NAMES, line, strict=True)) + "</dl>"
        for line in PEOPLE
    )
    assert (NAMES, PEOPLE) in found(f"<main>{cards}</main>")[0]


def test_data_in_scripts_are_tables_or_documents_even_amid_a_table() -> None:
    script = f"<script>var rows = {json.dumps(PEOPLE)}; var cols = {json.dumps(NAMES)};</script>"
    around = f"<table>{row(['a', 'b'])}<tr><td>{script}<td>x</tr>{row(['c', 'd'])}</table>"
    tables, _ = found(around)
    assert (NAMES, PEOPLE) in tables and len(tables) == 2
    page = f"<script type=application/json>{json.dumps({'people': PEOPLE})}</script>".encode()
    (part,) = [c for c in html.read(io.BytesIO(page), "text/html", ReadLimits()) if isinstance(c, Part)]
    assert json.loads(part.open().read()) == {"people": PEOPLE}


def test_menus_and_prose_hold_no_tables() -> None:
    menu = "<ul>" + "".join(f"<li><a href=x>Page {i}</a></li>" for i in range(60)) + "</ul>"
    prose = "".join(f"<p>Of <b>this</b> and <i>that</i>, {i} times</p>" for i in range(60))
    assert found(menu + prose)[0] == []


def test_preformatted_text_keeps_its_columns_and_a_form_its_lines() -> None:
    body = [[f"{100 + i}", str(20 + i), "MF"[i % 2], "NESW"[i % 4]] for i in range(12)]
    listing = "\n".join(
        "{:5} {:5} {:5} {:5}".format(*line) for line in [["ref", "age", "sex", "area"], *body]
    )
    assert found(f"<p>A</p><pre>{listing}</pre><p>B</p>")[0] == [(["ref", "age", "sex", "area"], body)]
    form = "\n\n".join(f"Age: {i}\nSex: M" for i in range(20, 24))
    tables, text = found(f"<pre><b>{form}</b><table>{row(['x', 'y', 'z'])}</table>")
    assert tables[0] == (["Age", "Sex"], [[str(i), "M"] for i in range(20, 24)]) and "Age: 20" in text
    assert "z" in str(tables[1])


def test_what_was_filled_into_forms_stands_under_its_label() -> None:
    form = (
        "<form><label>Age</label><input name=a value={0}><label>Job</label><input name=j value=x{0}></form>"
    )
    data = "<html><body>" + "".join(form.format(20 + i) for i in range(9)) + "</body></html>"
    assert (["Age", "Job"], [[str(20 + i), f"x{20 + i}"] for i in range(9)]) in found(data)[0]


def test_lines_of_a_page_that_are_delimited_are_a_table() -> None:
    rows = [["ref", "age", "sex"], *([f"r{i}", str(20 + i), "12"[i % 2]] for i in range(20))]
    data = "<html><body><p>" + "<br>".join(",".join(row) for row in rows) + "</p></body></html>"
    assert (rows[0], rows[1:]) in found(data)[0]

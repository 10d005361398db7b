from __future__ import annotations

import io

import pytest

from detectors.engine.table import ReadLimits, Table, Text, Unreadable
from detectors.readers import xml_text

Tables = list[tuple[list[str] | None, list[list[str]]]]


def found(data: str | bytes) -> tuple[Tables, str]:
    data = data.encode() if isinstance(data, str) else data
    tables: Tables = []
    lines: list[str] = []
    for content in xml_text.read(io.BytesIO(data), "application/xml", ReadLimits()):
        if isinstance(content, Table):
            tables.append((content.header, [list(row) for row in content.rows]))
        elif isinstance(content, Text):
            lines.extend(content.lines)
    return tables, "\n".join(lines)


ROWS = [[str(20 + i), "MF"[i % 2]] for i in range(6)]


@pytest.mark.parametrize(
    "record",
    [
        '<p age="{}" sex="{}"/>',
        "<p><age>{}</age><sex>{}</sex></p>",
        '<p><field name="age">{}</field><field name="sex">{}</field></p>',
    ],
)
def test_records_read_the_same_however_values_are_written(record: str) -> None:
    assert found("<all>" + "".join(record.format(*row) for row in ROWS) + "</all>")[0] == [
        (["age", "sex"], ROWS)
    ]


def test_values_around_a_record_belong_to_it() -> None:
    people = "<who><p><age>4{0}</age><sex>M</sex></p><p><age>3{0}</age><sex>F</sex></p></who>"
    home = '<home id="{0}"><postcode>AB1 {0}</postcode>' + people + "</home>"
    tables, _ = found("<all>" + "".join(home.format(i) for i in range(4)) + "</all>")
    assert tables[0][0] == ["home.id", "home.postcode", "age", "sex"]
    assert tables[0][1][:3] == [
        ["0", "AB1 0", "40", "M"],
        ["0", "AB1 0", "30", "F"],
        ["1", "AB1 1", "41", "M"],
    ]


def test_rows_of_cells_are_a_sheet() -> None:
    rows = [["ref", "age"], *[[str(900 + i), str(20 + i)] for i in range(8)]]
    cells = ["".join(f'<Cell><Data Type="String">{c}</Data></Cell>' for c in row) for row in rows]
    data = (
        "<Workbook xmlns='urn:x'><Table>" + "".join(f"<Row>{c}</Row>" for c in cells) + "</Table></Workbook>"
    )
    assert found(data)[0] == [(rows[0], rows[1:])]


def test_no_entity_is_expanded() -> None:
    data = '<!DOCTYPE a [<!ENTITY b "SECRET"><!ENTITY c SYSTEM "file:///etc/hostname">]><a>&b;&c;</a>'
    tables, text = found(data)
    assert tables == []
    assert text == data


def test_a_document_type_is_no_obstacle() -> None:
    data = (
        '<!DOCTYPE all SYSTEM "http://example.org/x.dtd"><all>'
        + "".join(f"<p a='{a}' b='{b}'/>" for a, b in ROWS)
        + "</all>"
    )
    assert found(data)[0] == [(["a", "b"], ROWS)]


def test_what_breaks_off_is_read_as_text_too() -> None:
    tables, text = found(
        "<all>" + "".join(f"<p><age>{a}</age><sex>{b}</sex></p>" for a, b in ROWS) + "<p><note>AB123456C"
    )
    assert "AB123456C" in text or any("AB123456C" in "".join(row) for _, rows in tables for row in rows)


def test_values_outside_records_are_text() -> None:
    assert "title: Minutes" in found("<doc><title>Minutes</title><para>Nothing to report.</para></doc>")[1]


def test_a_drawing_and_a_page_give_their_text_and_no_tables() -> None:
    shapes = "".join(f'<rect x="{i}" style="fill: red" width="140"/>' for i in range(30))
    drawing = f'<svg width="9">{shapes}<text>Made-up words</text></svg>'
    tables: list[Table] = []
    lines: list[str] = []
    for content in xml_text.read(io.BytesIO(drawing.encode()), "image/svg+xml", ReadLimits()):
        if isinstance(content, Text):
            lines.extend(content.lines)
        elif isinstance(content, Table):
            tables.append(content)
    assert tables == [] and "Made-up words" in lines
    page = "<page>" + "<credit><name>Jo</name><email>jo@example.org</email></credit>" * 4
    tables_of_page, text = found(page + "<p>Press <key>F1</key> now.</p>" * 5 + "</page>")
    assert tables_of_page == [] and "jo@example.org" in text


def test_the_name_of_the_elements_that_are_records_stands_beside_them() -> None:
    data = b"<project>" + b"<developer><id>a</id><email>a@example.org</email></developer>" * 4 + b"</project>"
    contents = xml_text.read(io.BytesIO(data), "application/xml", ReadLimits())
    assert [c.context[0] for c in contents if isinstance(c, Table)] == ["developer"]


def test_lone_elements_keep_the_name_of_the_one_around_them() -> None:
    person = (
        "<{0}><name>Jo Bell</name></{0}>" * 4
        + "<{0}><name>Al Mead</name><mail>a@example.org</mail></{0}>" * 3
    )
    parts = "<part><id>1</id><version>2</version></part>" * 3
    for around in ("contributor", "customer"):
        (_, (header, rows)), text = found(f"<all><note>x</note>{parts}<p>{person.format(around)}</p></all>")
        assert header == [f"{around}.name", f"{around}.mail"]
        assert rows == [["Al Mead", "a@example.org"]] * 3
        assert "note: x" in text and f"{around}.name: Jo Bell" in text
    assert "number: 7" in found(f"<all><part><{'a' * 40}><number>7</number></{'a' * 40}></part></all>")[
        1
    ].split("\n")


def test_values_of_one_name_stay_apart_and_a_tree_with_branches_is_loose() -> None:
    def tables(record: str) -> list[tuple[bool, list[str]]]:
        content = xml_text.read(
            io.BytesIO(f"<all>{record * 4}</all>".encode()), "application/xml", ReadLimits()
        )
        return [(t.loose, list(next(iter(t.rows)))) for t in content if isinstance(t, Table)]

    assert tables("<p><n>1234</n><n>5678</n><m>2</m></p>") == [(False, ["1234; 5678", "2"])]
    assert tables("<p><n>1</n><m><k>2</k><l>3</l></m></p>") == [(True, ["1", "2", "3"])]
    assert tables('<s a="1" b="2"/><s c="3" d="4"/><s e="5"/>')[0][0]  # elements that share few fields


def test_the_parts_of_a_record_are_columns_of_one_table() -> None:
    case = "<case id='{0}'><who><sex>1</sex><age>4{0}</age></who><said><a>{0}</a><b>2</b></said></case>"
    ((header, rows),), _ = found("<all>" + "".join(map(case.format, range(4))) + "</all>")
    assert header == ["id", "who.sex", "who.age", "said.a", "said.b"]
    assert rows == [[str(i), "1", f"4{i}", str(i), "2"] for i in range(4)]


def test_cells_that_name_their_place_are_a_sheet() -> None:
    rows = [["ref", "age", ""], *[[str(900 + i), "", str(20 + i)] for i in range(8)]]
    cells = [
        f"<g:Cell Row='{y}' Col='{x}' ValueType='60'>{v}</g:Cell>"
        for y, row in enumerate(rows)
        for x, v in enumerate(row)
        if v
    ]
    ((header, body),), _ = found("<g:Book xmlns:g='urn:x'><g:Cells>" + "".join(cells) + "</g:Cells></g:Book>")
    assert [header, *body] == [rows[0][:2], *rows[1:]] or [header, *body] == rows


def test_a_cell_far_out_is_a_limit_and_no_memory() -> None:
    with pytest.raises(Unreadable):
        found("<b>" + "".join(f"<Cell Row='{i}' Col='{10**12}'>1</Cell>" for i in range(5)) + "</b>")


@pytest.mark.parametrize("separator", [" ", ",", "; "])
def test_records_of_one_text_each_are_cut_and_named_by_what_is_as_many(separator: str) -> None:
    names = "".join(f'<variable name="{name}" label="made up"/>' for name in ("age", "sex", "score"))
    rows = [[str(20 + n), str(n % 2), f"{n / 7:.2f}"] for n in range(12)]
    obs = "".join(f"<obs>{separator.join(row)} </obs>" for row in rows)
    document = f"<data><variables>{names}</variables><observations>{obs}</observations></data>"
    assert (["age", "sex", "score"], rows) in found(document)[0]


def test_cells_that_are_repeated_passed_over_or_covered_keep_their_columns() -> None:
    rows = (
        "<table-row><table-cell number-columns-spanned='3'><p>Title</p></table-cell>"
        "<covered-table-cell number-columns-repeated='2'/></table-row>"
        "<table-row><table-cell><p>id</p></table-cell><table-cell><p>age</p></table-cell><table-cell><p>sex</p>"
        "</table-cell></table-row>"
    ) + "".join(
        f"<table-row><table-cell number-columns-repeated='2'><p>{i}</p></table-cell><table-cell Index='3'>"
        "<p>M</p></table-cell><table-cell number-columns-repeated='9000'/></table-row>"
        for i in range(20, 26)
    )
    tables, text = found(f"<a><table>{rows}</table></a>")
    assert (
        tables == [(["id", "age", "sex"], [[str(i), str(i), "M"] for i in range(20, 26)])] and "Title" in text
    )


@pytest.mark.parametrize(
    "pair",
    [
        "<Data name='{0}'><value>{1}</value></Data>",
        "<Field><Name>{0}</Name><Value>{1}</Value></Field>",
        "<Field><Value>{1}</Value><Name>{0}</Name></Field>",
    ],
)
def test_an_element_that_holds_a_name_and_its_value_is_a_variable(pair: str) -> None:
    records = "".join("<r>" + "".join(map(pair.format, ("age", "sex"), row)) + "</r>" for row in ROWS)
    assert found(f"<a>{records}</a>")[0] == [(["age", "sex"], ROWS)]


def test_rows_of_elements_with_one_name_are_rows_of_cells() -> None:
    rows = [["ref", "age", "sex"], *([f"r{i}", str(20 + i), "12"[i % 2]] for i in range(9))]
    body = "".join("<r>" + "".join(f"<c>{cell}</c>" for cell in row) + "</r>" for row in rows)
    contents = xml_text.read(io.BytesIO(f"<grid>{body}</grid>".encode()), "application/xml", ReadLimits())
    found = [(c.header, [list(row) for row in c.rows]) for c in contents if isinstance(c, Table)]
    assert found == [(rows[0], rows[1:])]

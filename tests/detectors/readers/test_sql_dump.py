from __future__ import annotations

import io

from detectors.engine.table import ReadLimits, Table, Text
from detectors.readers import sql_dump

Tables = list[tuple[list[str] | None, list[list[str]]]]


def found(data: str) -> tuple[Tables, str]:
    tables: Tables = []
    lines: list[str] = []
    for content in sql_dump.read(io.BytesIO(data.encode()), "application/sql", ReadLimits()):
        if isinstance(content, Table):
            tables.append((content.header, [list(row) for row in content.rows]))
        elif isinstance(content, Text):
            lines.extend(content.lines)
    return tables, "\n".join(lines)


def test_names_come_from_the_statement_or_from_create_table() -> None:
    created = 'CREATE TABLE "public"."p" ("id" integer NOT NULL, name varchar(20), PRIMARY KEY (id));\n'
    assert found(created + "INSERT INTO p VALUES (1,'a');")[0] == [(["id", "name"], [["1", "a"]])]
    assert found("INSERT INTO `p` (`id`, `x y`) VALUES (1,'a'),\n(2,'b');")[0] == [
        (["id", "x y"], [["1", "a"], ["2", "b"]])
    ]


def test_statements_for_one_table_are_one_table() -> None:
    data = "".join(f"INSERT [dbo].[T] ([a], [b]) VALUES (N'v{i}', {i})\nGO\n" for i in range(50))
    assert found(data)[0] == [(["a", "b"], [[f"v{i}", str(i)] for i in range(50)])]


def test_quotes_brackets_and_null_are_understood() -> None:
    first = "('O''Neil, (A)', NULL, CAST('2020-01-02' AS date))"
    data = f"INSERT INTO t (a, b, c) VALUES {first}, ('x);', -1.5, 'y');"
    assert found(data)[0] == [(["a", "b", "c"], [["O'Neil, (A)", "", "2020-01-02"], ["x);", "-1.5", "y"]])]


def test_backslashes_escape_where_the_dialect_says_so() -> None:
    assert found("INSERT INTO `t` (`a`,`b`) VALUES ('O\\'Neil',1),('c:\\\\',2);")[0][0][1] == [
        ["O'Neil", "1"],
        ["c:\\", "2"],
    ]
    assert found("INSERT INTO t (a,b) VALUES ('c:\\',1),('d',2);")[0][0][1] == [["c:\\", "1"], ["d", "2"]]


def test_copied_blocks_are_tables() -> None:
    data = "COPY public.t (a, b) FROM stdin;\n1\tx\n2\t\\N\n\\.\n\nSELECT 1;\n"
    tables, text = found(data)
    assert tables == [(["a", "b"], [["1", "x"], ["2", ""]])]
    assert "SELECT 1" in text


def test_a_statement_cut_off_keeps_the_rows_before() -> None:
    assert found("INSERT INTO t (a) VALUES (1),(2),('thr")[0] == [(["a"], [["1"], ["2"]])]


def test_a_table_left_half_way_does_not_hide_the_next() -> None:
    data = (
        "INSERT INTO t (a) VALUES "
        + ",".join(f"({i})" for i in range(90_000))
        + ";INSERT INTO u (b) VALUES (7);"
    )
    headers = []
    for content in sql_dump.read(io.BytesIO(data.encode()), "application/sql", ReadLimits()):
        if isinstance(content, Table):
            headers.append(content.header)
            next(content.rows)
    assert headers == [["a"], ["b"]]


def test_rows_amid_a_script_are_told_how_many_other_lines_there_are() -> None:
    script = (
        "SELECT a FROM t1;\n" * 40 + "CREATE TABLE t1 (a INT, b INT);\nINSERT INTO t1 VALUES (1,2),(3,4);\n"
    )
    contents = sql_dump.read(io.BytesIO(script.encode()), "application/sql", ReadLimits())
    assert [c.text_lines >= 40 for c in contents if isinstance(c, Table)] == [True]

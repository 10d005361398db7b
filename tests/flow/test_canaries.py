"""No text from a file leaves the worker: unique marks in every corner of every format, sought everywhere."""

from __future__ import annotations

import gzip
import io
import itertools
import json
import secrets
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import xlsxwriter


class Marks:
    """Gives out unique strings and remembers them."""

    def __init__(self) -> None:
        self.given: list[str] = []

    def __call__(self) -> str:
        mark = "Zq" + secrets.token_hex(8) + "Kw"
        self.given.append(mark)
        return mark


def rows(mark: Marks, made_up, count: int = 200) -> list[list[str]]:
    """A survey with marks in a header cell, in the first row, deep inside and in every tenth row."""
    lines = [line.split(",") for line in made_up.survey(count).decode().split("\r\n") if line]
    lines[0] += [mark(), "remark"]
    for number, line in enumerate(lines[1:]):
        line += [str(number % 3), mark() if number % 10 == 0 else ""]
    lines[-1][-1] = mark()
    return lines


def csv_of(lines: list[list[str]], delimiter: str = ",") -> bytes:
    return "".join(delimiter.join(line) + "\r\n" for line in lines).encode()


def xlsx_of(lines: list[list[str]], mark: Marks) -> bytes:
    out = io.BytesIO()
    with xlsxwriter.Workbook(out, {"in_memory": True}) as book:
        book.set_properties({"title": mark(), "author": mark(), "comments": mark()})
        sheet = book.add_worksheet(mark())
        for number, line in enumerate(lines):
            sheet.write_row(number, 0, line)
        sheet.write_comment(0, 0, mark())
        hidden = book.add_worksheet(mark())
        hidden.write(0, 0, mark())
        hidden.very_hidden()
    return out.getvalue()


def zip_of(members: dict[str, bytes], comment: str) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.comment = comment.encode()
        for name, content in members.items():
            archive.writestr(name, content)
    return out.getvalue()


def files(mark: Marks, made_up) -> Iterator[tuple[str, bytes]]:
    """One of every format that this version reads, whole; names of the files themselves bear no mark."""

    def lines() -> list[list[str]]:
        return rows(mark, made_up)

    def objects(lines: list[list[str]]) -> list[dict[str, str]]:
        return [dict(zip(lines[0], line, strict=True)) for line in lines[1:]]

    def parquet() -> bytes:
        table, out = lines(), io.BytesIO()
        columns = list(zip(*table[1:], strict=True))
        pq.write_table(pa.table(dict(zip(table[0], map(list, columns), strict=True))), out)
        return out.getvalue()

    yield "comma.csv", csv_of(lines())
    yield "semicolon.csv", csv_of(lines(), ";")
    yield "tab.tsv", csv_of(lines(), "\t")
    yield "utf16.csv", csv_of(lines()).decode().encode("utf-16")
    yield "titled.csv", f"{mark()}\r\n\r\n".encode() + csv_of(lines())
    yield "book.xlsx", xlsx_of(lines(), mark)
    yield "objects.json", json.dumps({mark(): objects(lines())}).encode()
    yield "lines.jsonl", "\n".join(json.dumps(o) for o in objects(lines())).encode()
    yield "columns.parquet", parquet()
    yield "packed.csv.gz", gzip.compress(csv_of(lines()))
    yield (
        "packed.zip",
        zip_of({f"{mark()}/{mark()}.csv": csv_of(lines()), "b.xlsx": xlsx_of(lines(), mark)}, mark()),
    )
    yield (
        "prose.txt",
        "\n".join(f"Patient {mark()} was seen on 3 May, NHS 943 476 5919" for _ in range(40)).encode(),
    )
    yield "page.html", f"<html><title>{mark()}</title><p>{mark()}</p></html>".encode()
    yield "noise.bin", mark().encode() + secrets.token_bytes(5000) + mark().encode()


def broken(name: str, content: bytes) -> Iterator[tuple[str, bytes]]:
    """The same file cut short, with its middle overwritten, and under a name that lies."""
    middle = len(content) // 2
    yield f"cut_{name}", content[:middle]
    yield f"torn_{name}", content[: middle - 40] + b'\xff\x00<&"]}' * 12 + content[middle + 40 :]
    yield f"lying_{name}.parquet", content
    yield f"lying_{name}.xlsx", content
    yield f"lying_{name}.json", content


def places(service) -> Iterator[tuple[str, bytes]]:
    """Everything that the service wrote, except the ciphertexts themselves."""
    for folder in (service.state, service.base):
        for path in sorted(folder.rglob("*")):
            if path.is_file() and not path.is_symlink():
                yield str(path), path.read_bytes()


@pytest.mark.timeout(300)
def test_no_text_from_any_file_is_ever_written_or_printed(
    service, made_up, drop: Callable[[Path, bytes], Path]
):
    mark = Marks()
    root = service.root()
    dropped: dict[Path, bytes] = {}
    whole = list(files(mark, made_up))
    service.start()
    for name, content in itertools.chain(whole, *(broken(n, c) for n, c in whole)):
        dropped[drop(root / name, content)] = content
    service.settled()
    service.settled()
    printed: list[tuple[str, str]] = []
    for arguments in (
        ("scan", str(root), "--json", "--all"), ("scan", str(root), "--all"), ("status",),
        ("status", "--json"),
        ("coverage",), ("alerts", "list"), ("alerts", "list", "--json"), ("quarantine", "list"),
        ("quarantine", "verify"), ("audit", "export"), ("audit", "verify"),
    ):  # fmt: skip
        done = service.command(*arguments)
        printed += [(" ".join(arguments), done.stdout), (" ".join(arguments) + " (errors)", done.stderr)]
    for entry in service.entries()[:5]:
        done = service.command("quarantine", "show", entry["entry_id"])
        printed.append(("quarantine show", done.stdout + done.stderr))
    for record in service.alerts()[::8]:
        done = service.command("alerts", "show", record["finding_info"]["uid"])
        printed.append(("alerts show", done.stdout + done.stderr))
    left = [path for path in sorted(root.glob("*")) if not path.name.endswith(".quarantined.txt")]
    for path in left[:: max(1, len(left) // 12)]:
        done = service.command("explain", str(path))
        printed.append((f"explain {path.name}", done.stdout + done.stderr))
    vault = service.vault_digests()
    service.stop()

    assert len(vault) >= len(whole) - 3, "too little was caught for this test to mean anything"
    assert len(mark.given) > 300
    originals = {str(path) for path in dropped}
    leaks = []
    for where, content in places(service):
        if where in originals:
            continue
        leaks += [(where, m) for m in mark.given if m.encode() in content or m.encode("utf-16-le") in content]
    for where, text in printed:
        leaks += [(where, m) for m in mark.given if m in text]
    assert leaks == []


def test_the_search_would_find_a_leak(service, made_up):
    """The test above must be able to fail: a mark in a log is found where it looks."""
    mark = Marks()
    leak = mark()
    service.log_file.write_text(f"trouble with {leak}\n")
    assert any(leak.encode() in content for _, content in places(service))

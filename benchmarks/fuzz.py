"""Broken files for every family of readers: `python benchmarks/fuzz.py [--seconds 60] [--family zip]`.

Takes one sound file of each family, damages it by chance (bits, bytes, cuts, doubled and swapped
stretches, numbers at their bounds) and has each examined in a process of its own, as a worker does
but without the walls. It fails on anything but a verdict: an exception, a signal, a hang, or a mark
from inside the file in the answer. What it fails on is kept in the folder of `--keep`.

This is damage without coverage guidance; a guided fuzzer for each family is still to come.
"""

from __future__ import annotations

import argparse
import gzip
import io
import json
import multiprocessing
import multiprocessing.connection
import os
import random
import resource
import secrets
import sys
import time
import zipfile
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import xlsxwriter
from running_service import MadeUp

from detectors.engine.examine import examine, warm_up
from detectors.engine.judge import Judge
from detectors.engine.table import ReadLimits

MARK = b"Zq" + secrets.token_hex(8).encode()
HANG_SECONDS = 20
LIMITS = ReadLimits(max_expanded_bytes=64 * 1024**2, max_input_bytes=64 * 1024**2)
MEMORY_BYTES = 1024**3


def rows() -> list[list[str]]:
    lines = [line.split(",") for line in MadeUp.survey(60).decode().split("\r\n") if line]
    return [[*line, MARK.decode()] for line in lines]


def csv() -> bytes:
    return "".join(",".join(line) + "\n" for line in rows()).encode()


def records() -> list[dict[str, str]]:
    lines = rows()
    return [dict(zip(lines[0], line, strict=True)) for line in lines[1:]]


def xlsx() -> bytes:
    out = io.BytesIO()
    with xlsxwriter.Workbook(out, {"in_memory": True}) as book:
        sheet = book.add_worksheet("Sheet")
        for number, line in enumerate(rows()):
            sheet.write_row(number, 0, line)
    return out.getvalue()


def packed() -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.csv", csv())
        archive.writestr("b.json", json.dumps(records()))
    return out.getvalue()


def parquet() -> bytes:
    out, lines = io.BytesIO(), rows()
    columns = list(zip(*lines[1:], strict=True))
    pq.write_table(pa.table(dict(zip([*lines[0][:-1], "mark"], map(list, columns), strict=True))), out)
    return out.getvalue()


SOUND: dict[str, Callable[[], bytes]] = {
    "delimited": csv,
    "utf16": lambda: csv().decode().encode("utf-16"),
    "xlsx": xlsx,
    "json": lambda: json.dumps({"data": records()}).encode(),
    "jsonl": lambda: "\n".join(map(json.dumps, records())).encode(),
    "zip": packed,
    "gzip": lambda: gzip.compress(csv()),
    "aes_zip": lambda: MadeUp.aes_zip(csv()),
    "parquet": parquet,
    "html": lambda: b"<table>" + b"".join(b"<tr><td>1<td>" + MARK for _ in range(30)) + b"</table>",
    "noise": lambda: secrets.token_bytes(3000),
}
EDGES = [
    b"\0",
    b"\xff",
    b"\x7f\xff\xff\xff",
    b"\xff" * 8,
    b"\0" * 8,
    b"PK\x03\x04",
    b'"',
    b"[" * 500,
    b"\n" * 50,
    b"<",
]


def damaged(sound: bytes, chance: random.Random) -> bytes:
    data = bytearray(sound)
    for _ in range(chance.choice([1, 1, 2, 4, 12])):
        at = chance.randrange(len(data) + 1)
        length = min(chance.choice([1, 2, 8, 64, 600]), len(data) - at)
        match chance.randrange(6):
            case 0:
                data[at : at + length] = secrets.token_bytes(length)
            case 1:
                data[at : at + length] = b""
            case 2:
                data[at:at] = data[at : at + length] * chance.choice([1, 3, 50])
            case 3:
                data[at : at + len(edge)] = (edge := chance.choice(EDGES))
            case 4 if at < len(data):
                data[at] ^= 1 << chance.randrange(8)
            case _:
                del data[max(1, at) :]
        if not data:
            return b""
    return bytes(data)


def one(data: bytes, judge: Judge, answer: multiprocessing.connection.Connection) -> None:
    resource.setrlimit(resource.RLIMIT_DATA, (MEMORY_BYTES, MEMORY_BYTES))
    try:
        answer.send_bytes(examine(io.BytesIO(data), len(data), judge, LIMITS).to_wire())
    except MemoryError:  # a worker says limit_memory
        answer.send_bytes(b'{"reason": "limit_memory"}')


def fault_of(data: bytes, judge: Judge) -> str | None:
    """What went wrong with one damaged file, or None."""
    ours, theirs = multiprocessing.Pipe(duplex=False)
    process = multiprocessing.get_context("fork").Process(target=one, args=(data, judge, theirs))
    process.start()
    theirs.close()
    try:
        if not ours.poll(HANG_SECONDS):
            return "hang"
        said = ours.recv_bytes()
    except EOFError:
        process.join(5)
        return f"no verdict (exit {process.exitcode})"
    finally:
        process.kill()
        process.join()
        ours.close()
    if MARK in said:
        return "a mark in the answer"
    return "internal" if json.loads(said).get("reason") == "internal" else None


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seconds", type=float, default=60, help="for each family")
    parser.add_argument("--family", choices=SOUND, action="append")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--keep", type=Path, default=Path("build/fuzz"))
    chosen = parser.parse_args()
    judge = Judge()
    warm_up(judge, True)
    failed = 0
    for family in chosen.family or SOUND:
        chance, sound = random.Random(f"{family}{chosen.seed}"), SOUND[family]()
        faults: Counter[str] = Counter()
        end, number = time.monotonic() + chosen.seconds, 0
        while time.monotonic() < end:
            number += 1
            data = damaged(sound, chance)
            if fault := fault_of(data, judge):
                faults[fault] += 1
                chosen.keep.mkdir(parents=True, exist_ok=True)
                (chosen.keep / f"{family}-{number}").write_bytes(data)
        failed += sum(faults.values())
        print(f"{family:>10}: {number:6} files, {dict(faults) or 'no fault'}", flush=True)
    if failed:
        print(f"kept in {chosen.keep}", file=sys.stderr)
    return 1 if failed else 0


if __name__ == "__main__":
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    sys.exit(main())

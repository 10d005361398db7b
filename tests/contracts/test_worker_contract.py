"""The contract of workers: behind the walls every format gives the verdict it gives outside, and no text.

A parser that loads a module, a codec or a character conversion only when it needs one works in any
test but this.
"""

from __future__ import annotations

import importlib.util
import io
import random
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from msoffcrypto.format.ooxml import OOXMLFile
from workers import Workers

from config.settings import Settings
from detectors.engine.examine import examine
from detectors.engine.exchange import Kind
from detectors.engine.judge import Judge
from detectors.engine.table import ReadLimits
from detectors.engine.verdict import Verdict


def reader_contract() -> ModuleType:
    """The families of formats that the readers' own contract suite writes."""
    name = "reader_contract_families"
    spec = importlib.util.spec_from_file_location(name, Path(__file__).with_name("test_reader_contract.py"))
    assert spec is not None and spec.loader is not None
    module = sys.modules[name] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


CONTRACT = reader_contract()
CANARY: str = CONTRACT.CANARY
HEADER_CANARY = "rk7q2xw9"
every_family = pytest.mark.parametrize("family", CONTRACT.FAMILIES, ids=lambda family: family.name)


def survey(rows: int = 150) -> tuple[list[str], list[list[str]]]:
    """Made-up people with a canary in the header, the first row and deep down."""
    pick = random.Random(5)
    header = ["record_id", "age", "sex", "ethnic_group", "salary_grade", HEADER_CANARY]
    lines = [
        [
            str(1000 + i),
            str(pick.randrange(18, 65)),
            pick.choice("MF"),
            str(pick.randrange(9)),
            pick.choice("ABC"),
            "x",
        ]
        for i in range(rows)
    ]
    lines[0][-1] = lines[-2][-1] = CANARY
    return header, lines


class Watched(Workers):
    """Workers of whom no answer may hold a canary."""

    def answer(self, data: bytes) -> tuple[Kind, bytes]:
        kind, payload = super().answer(data)
        assert CANARY.encode() not in payload
        assert HEADER_CANARY.encode() not in payload
        return kind, payload


@pytest.fixture(scope="module")
def workers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workers]:
    folder = tmp_path_factory.mktemp("workers")
    running = Watched(folder)
    yield running
    assert running.stop() == b"", "a worker or the template printed something"


@pytest.fixture(scope="module")
def outside() -> Callable[[bytes], Verdict]:
    judge = Judge(Settings().detectors)
    return lambda data: examine(io.BytesIO(data), len(data), judge, ReadLimits())


def as_told(verdict: Verdict) -> dict[str, Any]:
    """A verdict as it comes over the wire, without its time."""
    plain = Verdict.from_wire(replace(verdict, elapsed_ms=0).to_wire(), _Anything())
    return plain.to_json()


class _Anything(frozenset[str]):
    """A vocabulary of all words: which ones are allowed is not the question here."""

    def __contains__(self, word: object) -> bool:
        return True


def told(wire: bytes) -> dict[str, Any]:
    return as_told(Verdict.from_wire(wire, _Anything()))


@every_family
def test_the_walls_change_no_verdict(
    family: Any, workers: Workers, outside: Callable[[bytes], Verdict]
) -> None:
    data = family.write(*survey())
    for encode in (lambda same: same, *family.encodings.values()):
        kind, wire = workers.answer(encode(data))
        assert kind is Kind.VERDICT
        assert told(wire) == as_told(outside(encode(data)))


@every_family
def test_a_damaged_file_gives_a_verdict_without_text(family: Any, workers: Workers) -> None:
    data = family.write(*survey())
    pick = random.Random(11)
    broken = [data[: len(data) // 2], data[len(data) // 3 :]]
    for _ in range(2):
        torn = bytearray(data)
        for _ in range(8):
            torn[pick.randrange(len(torn))] = pick.randrange(256)
        broken.append(bytes(torn))
    for sample in broken:
        kind, payload = workers.answer(sample)
        assert kind is Kind.VERDICT, payload
        assert told(payload)["reason"] != "internal"


@pytest.mark.parametrize("password", ["VelvetSweatshop", "made-up-password"])
def test_encrypted_workbooks_are_told_apart_behind_the_walls(
    password: str, workers: Workers, outside: Callable[[bytes], Verdict]
) -> None:
    """A parser that could not be loaded once made the published password look like strong encryption."""
    family = next(f for f in CONTRACT.FAMILIES if f.name == "xlsx")
    encrypted = io.BytesIO()
    OOXMLFile(io.BytesIO(family.write(*survey()))).encrypt(password, encrypted)
    kind, wire = workers.answer(encrypted.getvalue())
    assert kind is Kind.VERDICT
    assert told(wire) == as_told(outside(encrypted.getvalue()))
    assert told(wire)["outcome"] == ("microdata" if password == "VelvetSweatshop" else "encrypted")

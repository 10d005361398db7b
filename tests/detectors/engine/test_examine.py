"""What decides a file that holds several things, and what keeps it from being clean."""

from __future__ import annotations

import gzip
import io
import json
import random
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from types import SimpleNamespace
from typing import Any, BinaryIO

import pytest

from detectors.engine import examine as module
from detectors.engine.examine import NeedsHeavy, examine
from detectors.engine.judge import Judge
from detectors.engine.table import Content, Part, Protected, ReadLimits, Text, Unreadable
from detectors.engine.verdict import BadWire, Outcome, Protection, Reason, Tier, Verdict

LIMITS = ReadLimits()


@pytest.fixture(scope="module")
def judge() -> Judge:
    return Judge({})


Examine = Callable[..., Verdict]


@pytest.fixture
def judged(judge: Judge) -> Examine:
    def judged(data: bytes, **limits: int) -> Verdict:
        return examine(io.BytesIO(data), len(data), judge, replace(LIMITS, **limits))  # type: ignore[arg-type]

    return judged


def people(rows: int = 300) -> bytes:
    lines = ["record_id,age,sex,ethnic_group,marital_status,salary_grade"]
    lines += [
        f"{100000 + i * 37},{18 + i * 7 % 60},{i % 2 + 1},{i * 5 % 9},{i * 3 % 5},{i * 11 % 8}"
        for i in range(rows)
    ]
    return "\n".join(lines).encode() + b"\n"


def totals() -> bytes:
    lines = ["Region," + ",".join(str(y) for y in range(2010, 2022))]
    for i, region in enumerate(("North", "South", "East", "West", "All regions")):
        lines.append(region + "," + ",".join(str((i + 3) * 1230 + y % 7 * 40) for y in range(12)))
    return "\n".join(lines).encode() + b"\n"


NOTE = b"This folder holds the tables of the yearly bulletin.\nAsk the statistics desk for more.\n"


def zipped(*members: bytes, names: str = "abcdefgh") -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in zip(names, members, strict=False):
            archive.writestr(name, data)
    return out.getvalue()


def aes_zip(data: bytes, clear: bytes | None = None) -> bytes:
    pyzipper = pytest.importorskip("pyzipper")
    out = io.BytesIO()
    with pyzipper.AESZipFile(out, "w", compression=zipfile.ZIP_DEFLATED) as archive:
        if clear is not None:
            archive.writestr("clear.csv", clear)
        archive.setpassword(b"made-up password")
        archive.setencryption(pyzipper.WZ_AES, nbits=256)
        archive.writestr("secret.csv", data)
    return out.getvalue()


def test_people_are_flagged_and_totals_are_not(judged: Examine) -> None:
    assert judged(people()).flagged
    verdict = judged(totals())
    assert (verdict.outcome, verdict.flagged, verdict.complete) == (Outcome.AGGREGATE, False, True)


def test_the_name_of_a_format_changes_nothing_about_its_content(judged: Examine) -> None:
    for wrapped in (gzip.compress(people()), zipped(people()), zipped(gzip.compress(people()))):
        assert judged(wrapped).flagged


def test_the_worst_member_decides_and_its_position_is_told(judged: Examine) -> None:
    verdict = judged(zipped(totals(), NOTE, zipped(NOTE, people()), totals()))
    assert (verdict.flagged, verdict.member) == (True, "2/1")
    assert verdict.media_type == "application/zip"
    assert judged(people()).member is None


def test_a_zip_of_totals_is_complete_and_clean(judged: Examine) -> None:
    verdict = judged(zipped(totals(), NOTE))
    assert (verdict.outcome, verdict.complete, verdict.reason) == (Outcome.AGGREGATE, True, None)


def test_all_strongly_protected_is_encrypted(judged: Examine) -> None:
    verdict = judged(aes_zip(people()))
    assert (verdict.outcome, verdict.protection) == (Outcome.ENCRYPTED, Protection.STRONG)
    assert verdict.reason is Reason.STRONG_ENCRYPTION
    assert not verdict.flagged
    assert [f.measure for f in verdict.findings] == ["zip_aes"]


def test_people_in_clear_beside_a_protected_member_are_flagged(judged: Examine) -> None:
    verdict = judged(aes_zip(people(), clear=people()))
    assert verdict.flagged
    assert verdict.protection is Protection.NONE


def test_totals_in_clear_beside_a_protected_member_leave_it_encrypted(judged: Examine) -> None:
    assert judged(aes_zip(people(), clear=totals())).outcome is Outcome.ENCRYPTED


@pytest.mark.parametrize(
    ("data", "limits", "reason"),
    [
        (zipped(NOTE, NOTE, NOTE), {"max_entries": 2}, Reason.LIMIT_ENTRIES),
        (zipped(b"a,b\n" + b"1,2\n" * 50_000), {"max_expanded_bytes": 1000}, Reason.LIMIT_EXPANDED),
        (zipped(zipped(zipped(zipped(NOTE)))), {"max_depth": 2}, Reason.LIMIT_DEPTH),
        (totals(), {"max_input_bytes": 10}, Reason.LIMIT_BYTES),
        (random.Random(1).randbytes(20_000), {}, None),
        (b"%PDF-1.4\nbroken", {}, None),
        (zipped(totals())[:-40], {}, None),
    ],
)
def test_what_was_not_examined_to_its_end_is_unreadable_with_its_reason(
    judged: Examine, data: bytes, limits: dict[str, int], reason: Reason | None
) -> None:
    verdict = judged(data, **limits)
    assert (verdict.outcome, verdict.complete) == (Outcome.UNREADABLE, False)
    assert reason in (None, verdict.reason)


def test_people_found_before_a_limit_are_still_flagged(judged: Examine) -> None:
    verdict = judged(zipped(people(), NOTE, NOTE, NOTE), max_entries=2)
    assert verdict.flagged
    assert not verdict.complete


@pytest.mark.parametrize("data", [totals() * 3 + b"\n", NOTE * 5, zipped(totals(), totals(), totals())])
def test_more_work_than_allowed_leaves_a_file_partial_at_the_same_place(
    judged: Examine, monkeypatch: pytest.MonkeyPatch, data: bytes
) -> None:
    monkeypatch.setattr(module, "MOST_WORK", 150)
    monkeypatch.setattr(module, "WORK_PER_BYTE", 0)
    verdicts = [replace(judged(data), elapsed_ms=0) for _ in range(2)]
    assert verdicts[0] == verdicts[1]
    assert (verdicts[0].outcome, verdicts[0].reason) == (Outcome.UNREADABLE, Reason.PARTIAL)


@pytest.mark.parametrize(
    ("before", "behind"),
    [(b"PAR1", b"PAR1"), (b"ORC", b"ORC!"), (b"PK\x03\x04\n", b""), (b"%PDF-1.4\n", b""), (b"[\n", b"")],
)
def test_a_few_bytes_of_another_format_hide_no_people(judged: Examine, before: bytes, behind: bytes) -> None:
    assert judged(before + people() + behind).flagged


def test_packed_text_is_unpacked_once(judged: Examine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("detectors.engine.table.MEMORY_BYTES", 1000)
    big = totals() + b"".join(b"North %d,%d\n" % (i, i * 37 % 1009) for i in range(60_000))
    assert judged(gzip.compress(big), max_expanded_bytes=len(big) * 3 // 2).reason is None


@pytest.mark.parametrize(("rows", "complete"), [(60, True), (60_000, False)])
def test_only_what_was_read_to_its_end_is_complete(judged: Examine, rows: int, complete: bool) -> None:
    verdict = judged(people(rows))
    assert (verdict.flagged, verdict.complete) == (True, complete)


def test_an_empty_file_is_clean(judged: Examine) -> None:
    verdict = judged(b"")
    assert (verdict.outcome, verdict.complete, verdict.media_type) == (
        Outcome.NO_RECORDS,
        True,
        "application/x-empty",
    )


def test_an_empty_member_is_clean(judged: Examine) -> None:
    assert judged(zipped(b"", NOTE)).outcome is Outcome.NO_RECORDS


def test_the_same_bytes_get_the_same_verdict(judged: Examine) -> None:
    for data in (people(), totals(), zipped(people(), totals()), b"\0" * 100):
        first, second = (replace(judged(data), elapsed_ms=0) for _ in range(2))
        assert first == second


def test_every_verdict_passes_the_strict_parse(judged: Examine, judge: Judge) -> None:
    words = judge.vocabulary | module.vocabulary()
    for data in (people(), totals(), zipped(people()), aes_zip(people()), b"\0", b"", NOTE):
        verdict = judged(data)
        parsed = Verdict.from_wire(verdict.to_wire(), words)
        assert set(parsed.findings) == set(verdict.findings)
        assert replace(parsed, findings=()) == replace(verdict, findings=())


# -- with readers made for the purpose


@pytest.fixture
def reader(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., None]]:
    def use(read: Callable[[BinaryIO], Iterator[Content]], **extra: Any) -> None:
        stand_in = SimpleNamespace(read=lambda stream, media_type, limits: read(stream), **extra)
        real = dict(module.readers())
        real["image/png"] = stand_in  # type: ignore[assignment]
        monkeypatch.setattr(module, "readers", lambda: real)

    yield use


PNG = b"\x89PNG\r\n\x1a\n" + bytes(200)


def test_a_readers_fault_is_internal_and_its_words_go_nowhere(
    judged: Examine, reader: Callable[..., None]
) -> None:
    def read(stream: BinaryIO) -> Iterator[Content]:
        yield Text(iter(["Jane Example"]))
        raise KeyError("Jane Example")

    reader(read)
    verdict = judged(PNG)
    assert (verdict.outcome, verdict.reason) == (Outcome.UNREADABLE, Reason.INTERNAL)
    assert b"Jane" not in verdict.to_wire()


def test_a_panic_in_a_rust_parser_is_malformed(judged: Examine, reader: Callable[..., None]) -> None:
    class PanicException(BaseException):
        pass

    def read(stream: BinaryIO) -> Iterator[Content]:
        raise PanicException("Jane Example")
        yield

    reader(read)
    assert judged(PNG).reason is Reason.MALFORMED


def test_endless_recursion_is_a_limit_of_depth(judged: Examine, reader: Callable[..., None]) -> None:
    def read(stream: BinaryIO) -> Iterator[Content]:
        yield from read(stream)

    reader(read)
    assert judged(PNG).reason is Reason.LIMIT_DEPTH


def test_a_part_of_itself_ends_at_the_limit_of_depth(judged: Examine, reader: Callable[..., None]) -> None:
    reader(lambda stream: iter([Part(0, lambda: io.BytesIO(PNG)), Part(1, lambda: io.BytesIO(PNG))]))
    verdict = judged(PNG, max_depth=4)
    assert (verdict.outcome, verdict.reason) == (Outcome.UNREADABLE, Reason.LIMIT_DEPTH)


def test_a_member_that_cannot_be_opened_does_not_hide_its_neighbours(
    judged: Examine, reader: Callable[..., None]
) -> None:
    def broken() -> BinaryIO:
        raise Unreadable(Reason.MALFORMED)

    reader(lambda stream: iter([Part(0, broken), Part(1, lambda: io.BytesIO(people()))]))
    verdict = judged(PNG)
    assert (verdict.flagged, verdict.member, verdict.reason) == (True, "1", Reason.MALFORMED)
    reader(lambda stream: iter([Part(0, broken), Part(1, lambda: io.BytesIO(totals()))]))
    assert judged(PNG).reason is Reason.MALFORMED


@pytest.mark.parametrize("first_strong", [True, False])
def test_weak_protection_outweighs_strong(
    judged: Examine, reader: Callable[..., None], first_strong: bool
) -> None:
    both = [Protected("zip_aes", first_strong), Protected("zip_crypto", not first_strong)]
    reader(lambda stream: iter(both))
    verdict = judged(PNG)
    assert (verdict.outcome, verdict.protection, verdict.reason) == (
        Outcome.ENCRYPTED,
        Protection.WEAK,
        Reason.PASSWORD,
    )


def test_a_light_process_asks_for_the_heavy_one(
    judge: Judge, judged: Examine, reader: Callable[..., None]
) -> None:
    reader(lambda stream: iter([]), HEAVY=("no_such_parser",))
    with pytest.raises(NeedsHeavy):
        examine(io.BytesIO(PNG), len(PNG), judge, LIMITS, light=True)
    packed = zipped(PNG)
    with pytest.raises(NeedsHeavy):
        examine(io.BytesIO(packed), len(packed), judge, LIMITS, light=True)
    assert judged(PNG).outcome is Outcome.NO_RECORDS


def test_running_out_of_memory_is_for_the_worker_to_tell(
    judged: Examine, reader: Callable[..., None]
) -> None:
    def read(stream: BinaryIO) -> Iterator[Content]:
        raise MemoryError
        yield

    reader(read)
    with pytest.raises(MemoryError):
        judged(PNG)


def test_an_unflagged_suspicion_survives_what_could_not_be_read(judge: Judge) -> None:
    examination = module._Examination(judge, LIMITS, light=False)
    suspicion = replace(judge.begin().conclude(), outcome=Outcome.MICRODATA, tier=Tier.POSSIBLE)
    examination.note(module.Examined((0,), "text/csv", reason=Reason.MALFORMED))
    examination.note(module.Examined((1,), "text/csv", conclusion=suspicion))
    verdict = examination.verdict()
    assert (verdict.outcome, verdict.tier, verdict.reason) == (
        Outcome.MICRODATA,
        Tier.POSSIBLE,
        Reason.MALFORMED,
    )
    assert not verdict.complete


def test_a_verdict_says_how_sure_it_is_without_a_detector_in_audit_mode() -> None:
    numbers = [f"AB{i:06d}{'ABCD'[i % 4]}" for i in range(40)]
    data = ("p,q\n" + "".join(f"{n},box\n" for n in numbers)).encode()

    def told(stanzas: dict[str, dict[str, object]]) -> Verdict:
        return examine(io.BytesIO(data), len(data), Judge(stanzas), ReadLimits())

    plain = told({})
    audited = told({"direct_identifiers": {"mode": "audit"}})
    assert plain.flagged and plain.advisories == ()
    assert (audited.flagged, audited.tier) == (plain.flagged, plain.tier)
    assert audited.advisories == ("without_audited_none",)
    assert told({"aggregate_shape": {"mode": "audit"}}).advisories == ()


@pytest.mark.parametrize("layout", ["name", "N", "n" * 301, "n ", "nn\n", 5, None, ["n"]])
def test_a_layout_has_no_room_for_text(layout: object) -> None:
    plain = Verdict(Outcome.NO_RECORDS).to_json() | {"layout": layout}
    with pytest.raises(BadWire):
        Verdict.from_wire(json.dumps(plain).encode(), frozenset())


def test_a_form_for_each_person_in_a_container_is_judged_with_the_others(judged: Examine) -> None:
    r = random.Random(8)
    forms = [
        {"serial": 1000 + i, "age": r.randint(16, 90), "sex": r.choice("MF"),
         "marital_status": r.randint(1, 5), "health": r.randint(1, 5),
         "hours_worked": r.choice([0, 20, 37]), "income": 50 * r.randint(80, 900)}
        for i in range(40)
    ]  # fmt: skip
    texts = ["\n".join(f"{name}: {value}" for name, value in form.items()) for form in forms]
    for members in (map(json.dumps, forms), texts):
        out = io.BytesIO()
        with zipfile.ZipFile(out, "w") as archive:
            for i, text in enumerate(members):
                archive.writestr(f"{i}.txt", text)
        assert judged(out.getvalue()).flagged
    assert not judged(zipped(*(text.encode() for text in texts[:4]))).flagged

"""Windows' volumes, from answers that were written from documentation and not recorded on a machine."""

from __future__ import annotations

import ctypes
import json
import struct
from pathlib import Path
from typing import Any

import pytest

from agent.platform import windows_calls, windows_service, windows_worker
from agent.platform.windows import System, facts, kind_of_disk, proof_of
from agent.volume_facts import Mount, VolumeFacts

WRITTEN = json.loads(Path(__file__).with_name("written.json").read_text())["windows"]
FOREIGN = OSError("no answer")


def refuse(*_: object) -> Any:
    raise FOREIGN


def descriptor(removable: int, bus: int) -> bytes:
    return struct.pack("<IIBBBBIIIII", 40, 60, 0, 0, removable, 1, 0, 0, 0, 0, bus) + b"\0" * 28


def drive(letter: str, source: str = "") -> Mount:
    return Mount(1, "", "/", letter, ("rw",), "NTFS", source or letter)


@pytest.mark.parametrize("name", WRITTEN["drives"])
def test_a_drive_as_it_was_written(name: str) -> None:
    told = WRITTEN["drives"][name]
    system = System(
        lambda _: int(told["type"]),
        lambda _: descriptor(told["removable"], told["bus"]),
        lambda: json.dumps(WRITTEN["bitlocker"]),
    )
    found = facts(drive(told["drive"]), system=system)
    assert (found.kind, found.encryption_proof) == (told["kind"], told["proof"])


def test_where_nothing_answers_a_volume_is_unknown_and_bare() -> None:
    found = facts(drive("E:\\"), system=System(refuse, refuse, refuse))
    assert found == VolumeFacts(fstype="NTFS", source="E:\\")
    assert facts(drive("E:\\"), system=System(lambda _: 3, refuse, refuse)).kind == "unknown"
    assert facts(drive("E:\\")).kind == "unknown"  # the real calls, where there is no Windows


def test_the_settings_say_what_counts_as_removable_and_a_share_is_never_proven() -> None:
    system = System(lambda _: 3, lambda _: descriptor(0, 17), lambda: json.dumps(WRITTEN["bitlocker"]))
    assert facts(drive("C:\\"), (), ["C:*"], system=system).kind == "removable"
    share = facts(drive("\\\\server\\returns", "C:"), system=system)
    assert (share.kind, share.encryption_proof) == ("shared", "")


@pytest.mark.parametrize(
    "answer",
    ["", "nonsense", "[" * 100_000, "null", "7", '"C:"', "[[]]", '[{"DriveLetter": ["C:"]}]', "{}"],
    ids=range(9),
)
def test_an_odd_answer_of_bitlocker_is_no_proof(answer: str) -> None:
    system = System(lambda _: 3, lambda _: descriptor(0, 17), lambda: answer)
    assert facts(drive("C:\\"), system=system).encryption_proof == ""


def test_each_of_the_three_numbers_must_be_right_and_a_number() -> None:
    good = WRITTEN["bitlocker"][0]
    assert proof_of("c:\\", good)  # one volume comes without a list around it
    for key in ("ProtectionStatus", "ConversionStatus", "EncryptionMethod"):
        for wrong in (0, 99, True, "1", 1.0, None):
            assert proof_of("C:\\", {**good, key: wrong}) == ""
    assert proof_of("C:\\", [good, good]) == ""  # of two that say they are C: neither is believed
    assert proof_of("C:\\", {**good, "PersistentVolumeID": "{evil\n}"}) == "BitLocker XTS-AES 256 C:"


@pytest.mark.parametrize("length", [0, 8, 31])
def test_a_short_descriptor_tells_nothing(length: int) -> None:
    assert kind_of_disk(descriptor(1, 7)[:length]) == "unknown"


def test_structures_are_laid_out_as_in_the_headers_of_windows() -> None:
    """Sizes and offsets on 64 bits, compared once with those of the mingw-w64 headers by a compiler."""
    sizes = {
        windows_calls.FileId: 24, windows_worker.BasicLimits: 64, windows_worker.JobLimits: 144,
        windows_worker.Label: 16, windows_worker.StartupInfo: 104, windows_worker.Process: 24,
        windows_service.Status: 28, windows_service.Entry: 16,
    }  # fmt: skip
    assert {kind: ctypes.sizeof(kind) for kind in sizes} == sizes
    assert windows_worker.BasicLimits.flags.offset == 16
    assert windows_worker.BasicLimits.active_processes.offset == 40
    assert windows_worker.JobLimits.process_memory.offset == 112


class MadeUpLibrary:
    """Answers each call with 1, or as told, and remembers what was called."""

    def __init__(self, **answers: Any) -> None:
        self.answers, self.called = answers, list[str]()

    def __getattr__(self, name: str) -> Any:
        def call(*arguments: Any) -> Any:
            self.called.append(name)
            answer = self.answers.get(name, 1)
            return answer(*arguments) if callable(answer) else answer

        return call


@pytest.fixture
def windows(monkeypatch: pytest.MonkeyPatch) -> Any:
    def made_up(**answers: Any) -> MadeUpLibrary:
        library = MadeUpLibrary(**answers)
        for module in (windows_calls, windows_worker, windows_service):
            monkeypatch.setattr(module, "library", lambda name: library)
        return library

    return made_up


@pytest.mark.parametrize(("byte", "removed"), [(7, True), (8, False)])
def test_only_the_file_that_was_vaulted_is_removed(windows, byte: int, removed: bool) -> None:
    vaulted = windows_calls.FileId(5)
    vaulted.file[0] = 7

    def told(handle: object, kind: int, buffer: Any, size: int) -> int:
        buffer._obj.volume, buffer._obj.file[0] = 5, byte
        return 1

    library = windows(GetFileInformationByHandleEx=told)
    assert windows_calls.remove("E:\\survey.csv", vaulted) is removed
    assert ("SetFileInformationByHandle" in library.called) is removed
    assert library.called[-1] == "CloseHandle"


def test_what_may_not_be_removed_is_an_error_and_no_right_is_taken(windows) -> None:
    library = windows(CreateFileW=ctypes.c_void_p(-1).value)
    with pytest.raises(OSError):
        windows_calls.remove("E:\\survey.csv", windows_calls.FileId())
    assert library.called == ["CreateFileW"]


def test_a_job_holds_one_process_within_its_memory_and_time() -> None:
    limits = windows_worker.job_limits(64 << 20, 5)
    assert (limits.basic.active_processes, limits.process_memory) == (1, 64 << 20)
    assert limits.basic.job_time == 50_000_000
    assert limits.basic.flags & windows_worker.LIMIT_KILL_ON_JOB_CLOSE


def test_a_worker_runs_only_when_it_is_confined(windows) -> None:
    library = windows()
    windows_worker.start(["python", "-m", "x y"], 1 << 20, 1)
    steps = ["CreateProcessAsUserW", "AssignProcessToJobObject", "ResumeThread"]
    assert [c for c in library.called if c in steps] == steps and "TerminateProcess" not in library.called


@pytest.mark.parametrize(
    "step", ["SetInformationJobObject", "SetTokenInformation", "AssignProcessToJobObject"]
)
def test_what_could_not_be_confined_never_runs(windows, step: str) -> None:
    library = windows(**{step: 0})
    with pytest.raises(OSError):
        windows_worker.start(["python"], 1 << 20, 1)
    assert "ResumeThread" not in library.called
    started = "CreateProcessAsUserW" in library.called
    assert started is ("TerminateProcess" in library.called)


def test_the_service_says_that_there_is_nothing_to_serve(windows) -> None:
    told = []

    def dispatch(table: Any) -> int:
        table[0].main(0, None)
        return 1

    library = windows(
        StartServiceCtrlDispatcherW=dispatch,
        SetServiceStatus=lambda handle, status: told.append((status._obj.state, status._obj.own_exit_code)),
    )
    assert windows_service.serve(windows_service.nothing_yet) == 69
    assert told == [(windows_service.RUNNING, 0), (windows_service.STOPPED, 69)]
    assert "ReportEventW" in library.called


def test_a_failure_is_told_so_that_the_service_manager_acts() -> None:
    assert windows_service.status(windows_service.STOPPED, 69).exit_code == 1066
    assert windows_service.status(windows_service.STOPPED).exit_code == 0
    assert windows_service.status(windows_service.STOP_PENDING).accepts == 0
    assert [windows_service.event_type(s) for s in range(7)] == [4, 4, 2, 2, 1, 1, 1]

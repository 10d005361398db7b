"""One job's clock, memory and fate; the processes here stand in for workers."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Iterator

import pytest

from detectors.engine import exchange, jobs, worker
from detectors.engine.exchange import Kind
from detectors.engine.jobs import Job
from detectors.engine.verdict import MAX_WIRE_BYTES, Reason

Act = Callable[[int], None]


@pytest.fixture
def begin(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[Act], Job]]:
    """Start a job whose worker does what `act` does with the answer pipe, then exits with 0."""
    begun: list[Job] = []

    def start(act: Act) -> Job:
        def work(descriptor: int, answer: int, *_: object) -> None:
            try:
                act(answer)
            finally:
                os._exit(0)

        monkeypatch.setattr(worker, "work", work)
        job = Job(1, 5, os.open("/dev/null", os.O_RDONLY), 0)
        job.start(None, 5.0)  # type: ignore[arg-type]
        begun.append(job)
        return job

    yield start
    for job in begun:
        if job.pidfd >= 0:
            job.kill(None)
            os.waitpid(job.pid, 0)
        job.close()


def ended(job: Job) -> Job:
    end = time.monotonic() + 60
    while not job.reap():
        job.drain()
        assert time.monotonic() < end
        time.sleep(0.002)
    return job


def test_an_answer_is_handed_on_as_it_is(begin: Callable[[Act], Job]) -> None:
    job = ended(begin(lambda pipe: os.write(pipe, b"Vwire") and None))  # type: ignore[func-returns-value]
    assert job.reply() == exchange.reply(5, Kind.VERDICT, b"wire")


@pytest.mark.parametrize(
    ("act", "reason"),
    [
        (lambda pipe: None, Reason.CRASHED),
        (lambda pipe: os._exit(worker.EXIT_INTERNAL), Reason.INTERNAL),
        (lambda pipe: os._exit(worker.EXIT_MEMORY), Reason.LIMIT_MEMORY),
        (lambda pipe: os._exit(worker.EXIT_WALLS_MISSING), Reason.WORKER_UNAVAILABLE),
        (lambda pipe: os._exit(1), Reason.CRASHED),
        (lambda pipe: os.kill(os.getpid(), signal.SIGKILL), Reason.CRASHED),
        (lambda pipe: os.kill(os.getpid(), signal.SIGXCPU), Reason.TIMEOUT),
        (lambda pipe: os.write(pipe, b"Vhalf") and os.kill(os.getpid(), signal.SIGKILL), Reason.CRASHED),
        (lambda pipe: os.write(pipe, b"nonsense"), Reason.BAD_ANSWER),
    ],
)
def test_an_end_without_an_answer_has_its_reason(
    begin: Callable[[Act], Job], act: Act, reason: Reason
) -> None:
    assert ended(begin(act)).reply() == exchange.reply(5, Kind.FAULT, reason.value.encode())


def test_more_than_an_answer_may_hold_ends_the_worker(begin: Callable[[Act], Job]) -> None:
    job = ended(begin(lambda pipe: os.write(pipe, b"V" * (MAX_WIRE_BYTES * 4)) and None))  # type: ignore[func-returns-value]
    assert job.fate is Reason.BAD_ANSWER


def test_time_and_memory_are_watched(begin: Callable[[Act], Job]) -> None:
    late = begin(lambda pipe: time.sleep(60))
    late.watch(late.deadline + 1, 1 << 40)
    assert ended(late).fate is Reason.TIMEOUT
    big = begin(lambda pipe: time.sleep(60))
    big.watch(time.monotonic(), 1)
    assert ended(big).fate is Reason.LIMIT_MEMORY


def test_a_worker_that_has_answered_but_lingers_is_ended_and_believed(begin: Callable[[Act], Job]) -> None:
    def linger(pipe: int) -> None:
        os.write(pipe, b"Vwire")
        os.close(pipe)
        time.sleep(60)

    job = begin(linger)
    while not job.closed:
        job.drain()
    assert job.deadline <= time.monotonic() + jobs.LINGER_SECONDS
    job.watch(job.deadline, 1 << 40)
    assert ended(job).reply() == exchange.reply(5, Kind.VERDICT, b"wire")


def test_the_file_is_let_go_when_the_worker_is_condemned(begin: Callable[[Act], Job]) -> None:
    job = begin(lambda pipe: time.sleep(60))
    descriptor = job.descriptor
    job.kill(Reason.TIMEOUT)
    with pytest.raises(OSError, match="Bad file descriptor"):
        os.fstat(descriptor)
    job.kill(Reason.LIMIT_MEMORY)
    assert ended(job).fate is Reason.TIMEOUT, "the first fate stays"


def test_a_call_for_the_heavy_template_keeps_the_file(begin: Callable[[Act], Job]) -> None:
    job = ended(begin(lambda pipe: os.write(pipe, worker.NEEDS_HEAVY) and None))  # type: ignore[func-returns-value]
    assert job.needs_heavy
    assert os.fstat(job.descriptor)


def test_memory_of_a_process_that_is_gone_is_nothing() -> None:
    assert jobs.resident_bytes(os.getpid()) > 1024**2
    assert jobs.resident_bytes(2**22 + 1) == 0

"""Sandboxed workers for commands: several files judged at the same time, none by this process."""

from __future__ import annotations

import os
import queue
import threading
import time
from collections.abc import Iterator
from concurrent.futures import CancelledError, Future, ThreadPoolExecutor
from contextlib import contextmanager

from agent.commands.walk import Found
from agent.errors import Misconfigured
from agent.sandbox import Examiner, Template
from config.load import ConfigError
from config.settings import Settings
from detectors.engine.verdict import Verdict


class Examination:
    """A few askers of one template, each used by one thread at a time."""

    def __init__(self, template: Template, settings: Settings) -> None:
        self.in_flight = settings.limits.workers * 2
        """How many files to submit before waiting for the first: keeps every worker busy."""
        self._seconds = settings.limits.examine_seconds
        self._digest = template.ready.digest if template.ready else ""
        self._closing = threading.Event()
        self._threads = ThreadPoolExecutor(self.in_flight)
        self._askers: queue.SimpleQueue[Examiner] = queue.SimpleQueue()
        for _ in range(self.in_flight):
            self._askers.put(template.examiner())

    def submit(self, found: Found) -> Future[Verdict]:
        """Have one file judged; closes its descriptor."""
        return self._threads.submit(self._judge, found)

    def close(self) -> None:
        """Give up what is under way."""
        self._closing.set()
        self._threads.shutdown(cancel_futures=True)
        while not self._askers.empty():
            self._askers.get().close()

    def _stop_if_closing(self) -> None:
        if self._closing.is_set():
            raise CancelledError

    def _judge(self, found: Found) -> Verdict:
        if found.reason is not None:
            return Verdict.unreadable(found.reason, config_digest=self._digest)
        asker = self._askers.get()
        try:
            deadline = time.monotonic() + self._seconds
            return asker.examine(found.descriptor, found.size, deadline, self._stop_if_closing)
        finally:
            os.close(found.descriptor)
            self._askers.put(asker)


@contextmanager
def examination(settings: Settings, source: str = "") -> Iterator[Examination]:
    """Workers for as long as the block lasts. Raises `ConfigError` for a wrong stanza in `source`."""
    with _template(settings, source) as template:
        workers = Examination(template, settings)
        try:
            yield workers
        finally:
            workers.close()


def check_detectors(settings: Settings, source: str) -> str:
    """Have the detectors validate their stanzas; gives back the judge's digest."""
    with _template(settings, source) as template:
        return template.ready.digest if template.ready else ""


@contextmanager
def _template(settings: Settings, source: str) -> Iterator[Template]:
    template = Template(settings)
    try:
        template.start()
    except Misconfigured as error:
        raise ConfigError(source, error.key, str(error), error.hint) from None
    try:
        yield template
    finally:
        template.stop()

"""Sandboxed workers for commands: several files judged at the same time, none by this process."""

from __future__ import annotations

import os
import queue
import threading
import time
from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import contextmanager

from agent.commands.walk import Found
from agent.errors import Misconfigured
from agent.sandbox import Examiner, Template
from config.load import ConfigError
from config.settings import Settings
from detectors.engine.exchange import Allowance
from detectors.engine.verdict import Verdict

_END_SECONDS = 1.0


class GivenUp(Exception):
    """The examination was closed before this file had its verdict."""


class Examination:
    """A few threads, each with an asker of its own at one template.

    Plain threads, not an executor: an interrupt must be able to end the main thread anywhere, and an
    executor's locks may then stay locked for ever.
    """

    def __init__(self, template: Template, settings: Settings) -> None:
        self.in_flight = settings.limits.workers * 2
        """How many files to submit before waiting for the first: keeps every worker busy."""
        limits = settings.limits
        self._allowed = Allowance(limits.examine_seconds, limits.examine_seconds_per_gb)
        self._digest = template.ready.digest if template.ready else ""
        self._closing = threading.Event()
        self._waiting: queue.SimpleQueue[tuple[Found, Future[Verdict]] | None] = queue.SimpleQueue()
        askers = [template.examiner() for _ in range(self.in_flight)]
        self._threads = [threading.Thread(target=self._work, args=(a,), daemon=True) for a in askers]
        for thread in self._threads:
            thread.start()

    def submit(self, found: Found) -> Future[Verdict]:
        """Have one file judged; closes its descriptor."""
        future: Future[Verdict] = Future()
        if found.reason is not None:
            future.set_result(Verdict.unreadable(found.reason, config_digest=self._digest))
        else:
            self._waiting.put((found, future))
        return future

    def close(self) -> None:
        """Give up what is under way."""
        self._closing.set()
        for _ in self._threads:
            self._waiting.put(None)
        for thread in self._threads:
            thread.join(_END_SECONDS)

    def _work(self, asker: Examiner) -> None:
        while (task := self._waiting.get()) is not None:
            found, future = task
            try:
                deadline = time.monotonic() + self._allowed.of(found.size)
                future.set_result(asker.examine(found.descriptor, found.size, deadline, self._end_if_closing))
            except GivenUp as given_up:
                future.set_exception(given_up)
            finally:
                os.close(found.descriptor)
        asker.close()

    def _end_if_closing(self) -> None:
        if self._closing.is_set():
            raise GivenUp


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
        raise ConfigError.about(source, error.key, str(error), error.hint) from None
    try:
        yield template
    finally:
        template.stop()

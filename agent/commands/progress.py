"""The progress line of a scan: how far, how fast, how long still. Only on a terminal."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Protocol

from agent.commands.terminal import is_terminal, say
from agent.commands.walk import measure
from agent.escape import shorten


class Progress(Protocol):
    """What a scan tells while it runs."""

    def at(self, untrusted_path: str) -> None:
        """The scan has come to this file."""

    def done(self, size: int) -> None:
        """One file of `size` bytes is finished."""

    def say(self, text: str, colour: str | None = None) -> None:
        """Print a line of results without tearing the progress line."""


class Silence:
    """Progress that nobody watches: results only."""

    def at(self, untrusted_path: str) -> None:
        pass

    def done(self, size: int) -> None:
        pass

    def say(self, text: str, colour: str | None = None) -> None:
        say(text, fg=colour)


@contextmanager
def progress(tops: Sequence[str]) -> Iterator[Progress]:
    """A progress line over all that lies below `tops` if standard error is a terminal."""
    if not is_terminal(sys.stderr):
        yield Silence()
        return
    with _Bar() as bar:
        threading.Thread(target=bar.measure, args=(tops,), daemon=True).start()
        yield bar


@contextmanager
def bytes_done(total: int) -> Iterator[Callable[[int], None]]:
    """A progress line over `total` bytes if standard error is a terminal: call what it gives with the
    size of each piece that is done."""
    if not is_terminal(sys.stderr):
        yield lambda size: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, TimeRemainingColumn
    from rich.progress import Progress as RichProgress

    columns = (BarColumn(bar_width=24), DownloadColumn(), TimeRemainingColumn(compact=True))
    with RichProgress(*columns, console=Console(stderr=True), transient=True, redirect_stdout=False) as bar:
        task = bar.add_task("", total=total)
        yield lambda size: bar.advance(task, size)


class _Bar:
    """Files done of files found. The total grows while a thread of its own walks ahead."""

    def __init__(self) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
        from rich.progress import Progress as RichProgress

        self._console = Console(stderr=True)
        self._width = min(max(self._console.width - 66, 12), 60)
        self._rich = RichProgress(
            TextColumn("{task.fields[name]}", markup=False),
            BarColumn(bar_width=24),
            MofNCompleteColumn(),
            TextColumn("{task.fields[rate]}"),
            TimeRemainingColumn(compact=True),
            console=self._console,
            transient=True,
            redirect_stdout=False,  # results go to standard output, whoever reads that
            redirect_stderr=False,
        )
        self._task = self._rich.add_task("", total=None, name="", rate="")
        self._stopped = False

    def __enter__(self) -> _Bar:
        self._rich.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopped = True
        self._rich.stop()

    def measure(self, tops: Sequence[str]) -> None:
        files = 0
        for top in tops:
            for _ in measure(top):
                files += 1
                if self._stopped:
                    return
        self._rich.update(self._task, total=files)

    def at(self, untrusted_path: str) -> None:
        self._rich.update(self._task, name=shorten(untrusted_path, self._width).ljust(self._width))

    def done(self, size: int) -> None:
        self._rich.advance(self._task)
        speed = self._rich.tasks[0].finished_speed or self._rich.tasks[0].speed
        if speed:
            self._rich.update(self._task, rate=f"{speed:,.0f} files/s")

    def say(self, text: str, colour: str | None = None) -> None:
        if is_terminal():
            from rich.text import Text

            self._console.print(Text(text, style=colour or ""), soft_wrap=True)
        else:
            say(text)

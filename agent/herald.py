"""A word on the desktop of whoever a file belonged to: that it was taken, why, the reference. Off as shipped.

It is sent by `busctl`, running as that very person, to the bus of their session: the service itself neither
touches that bus nor the folder that it lies in, which are theirs. It is a courtesy: what becomes of it is not
looked at, and the notice in the file's place says all of it. The file's name is not in it.
"""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable, Sequence
from contextlib import suppress

from agent.escape import escape
from agent.notice_words import fill, words_of
from config.notice import Notice

PAUSE_SECONDS = 60.0
"""Whoever loses many files at once is told once; the notices are there."""
MOST_WAITING = 8
_BUSCTL = "/usr/bin/busctl"
_OBJECT = ("org.freedesktop.Notifications", "/org/freedesktop/Notifications", "org.freedesktop.Notifications")


class Herald:
    """One for the service."""

    def __init__(
        self,
        notice: Callable[[], Notice],
        clock: Callable[[], float] = time.monotonic,
        sessions: str = "/run/user",
    ) -> None:
        self._notice = notice
        self._clock = clock
        self._sessions = sessions
        self._told: dict[int, float] = {}
        self._sent: list[subprocess.Popen[bytes]] = []

    def tell(self, uid: int, reference: str) -> None:
        """Tell `uid`, if that is wished, and was not done just now. Waits for nothing."""
        notice, now = self._notice(), self._clock()
        self._sent = [process for process in self._sent if process.poll() is None]
        self._told = {who: at for who, at in self._told.items() if now - at < PAUSE_SECONDS}
        if not notice.desktop or uid == 0 or uid in self._told or len(self._sent) >= MOST_WAITING:
            return
        self._told[uid] = now
        with suppress(OSError):  # no busctl here, or no right to become somebody else
            self._sent.append(_send(f"unix:path={self._sessions}/{uid}/bus", uid, words(notice, reference)))


def words(notice: Notice, reference: str) -> tuple[str, str]:
    """(title, text), in the first of the notice's languages."""
    told = words_of(notice.languages[0])
    known = {"rule": escape(notice.rule or told["rule"]), "reference": reference}
    return told["desktop"]["title"], fill(told["desktop"]["text"], known).replace("&", "&amp;").replace(
        "<", "&lt;"
    )


def _send(address: str, uid: int, told: Sequence[str]) -> subprocess.Popen[bytes]:
    arguments = ("Notify", "susssasa{sv}i", "recordwarden", "0", "", *told, "0", "0", "-1")
    return subprocess.Popen(
        [_BUSCTL, f"--address={address}", "--timeout=10", "call", "--", *_OBJECT, *arguments],
        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        cwd="/", env={}, user=uid, group=_NOBODY, extra_groups=[],
    )  # fmt: skip


_NOBODY = 65534
"""A group that owns nothing: the bus looks at the user alone."""

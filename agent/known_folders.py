"""The part of the ledger that remembers folders in which everything was judged.

A row says that every file of a folder was seen as it then was: its digest is over all names, inodes,
sizes and times. It spares a sweep the look at each file, and must go as soon as one of them may have
to be met again. Like `seen` it is lazy: a lost row costs one more look.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from hashlib import blake2b
from pathlib import Path

from agent.database import Database
from agent.protocol import folder_key

_PENDING_MOST = 2000

Folder = tuple[str, str]
"""Key and digest."""


class KnownFolders(Database):
    """Folders by root; `judge` is the digest of all that decides about files there."""

    def __init__(self, connection: sqlite3.Connection, path: Path | None = None) -> None:
        super().__init__(connection, path)
        self._folders_pending: dict[tuple[str, str], str | None] = {}

    def unknown_folders(self, root_id: str, judge: str, folders: Sequence[Folder]) -> list[int]:
        """The indexes of those in which there may be something that was not judged under `judge`."""
        return [
            index
            for index, (key, digest) in enumerate(folders)
            if not digest or self._folder(root_id, key) != _under(judge, digest)
        ]

    def know_folders(self, root_id: str, judge: str, folders: Sequence[Folder]) -> None:
        """All in them was judged and nothing of it needs to be met again."""
        for key, digest in folders:
            if digest:
                self._folders_pending[root_id, key] = _under(judge, digest)
        if len(self._folders_pending) >= _PENDING_MOST:
            self.flush()

    def doubt_folder(self, root_id: str, relpath: str) -> None:
        """Something in the folder of this file must be met by the next sweep."""
        self._folders_pending[root_id, folder_key(relpath.rpartition("/")[0])] = None

    def flush(self) -> None:
        if self._folders_pending:
            with self._transaction():
                pass

    def _folder(self, root_id: str, key: str) -> str | None:
        if (root_id, key) in self._folders_pending:
            return self._folders_pending[root_id, key]
        sql = "SELECT digest FROM folders WHERE root_id = ? AND folder = ?"
        rows = self._rows(sql, (root_id, bytes.fromhex(key)))
        return rows[0]["digest"].hex() if rows else None

    def _write_pending(self) -> None:
        pending = [(r, bytes.fromhex(k), d) for (r, k), d in self._folders_pending.items()]
        known = [(r, k, bytes.fromhex(d)) for r, k, d in pending if d is not None]
        self._db.executemany("INSERT OR REPLACE INTO folders VALUES (?,?,?)", known)
        gone = [(r, k) for r, k, d in pending if d is None]
        self._db.executemany("DELETE FROM folders WHERE root_id = ? AND folder = ?", gone)

    def _pending_written(self) -> None:
        self._folders_pending.clear()


def _under(judge: str, digest: str) -> str:
    return blake2b(f"{judge}:{digest}".encode(), digest_size=16).hexdigest()

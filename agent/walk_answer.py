"""What the supervisor answers to a keeper that walks its root, and to its doubts."""

from __future__ import annotations

from agent.ledger import Ledger
from agent.protocol import Cursor, Done, Doubted, Folders, FoldersAnswer, FoldersKnown, Walking
from agent.volumes import WatchedRoot


def walk_answer(ledger: Ledger, root: WatchedRoot, judge: str, message: Walking) -> FoldersAnswer | Done:
    """`judge` is the digest of all that decides about files of this root."""
    match message:
        case Folders(folders):
            return FoldersAnswer(ledger.unknown_folders(root.root_id, judge, _pairs(folders)))
        case FoldersKnown(folders):
            ledger.know_folders(root.root_id, judge, _pairs(folders))
        case Cursor(relpath):
            ledger.set_meta(cursor_key(root.root_id), relpath)
        case Doubted(causes):
            told = {"event": "coverage_doubted", "root": root.root_id, "path": root.path}
            ledger.queue_audit([{**told, "causes": [str(cause) for cause in causes]}])
    return Done()


def cursor_key(root_id: str) -> str:
    """Where the ledger's `meta` keeps how far the sweep of a root has come."""
    return f"cursor:{root_id}"


def _pairs(folders: list[tuple[str, str]]) -> list[tuple[str, str]]:
    """As the ledger takes them; JSON made lists of them. Raises `ValueError` for what are no digests."""
    pairs = [(str(key), str(digest)) for key, digest in folders]
    for key, digest in pairs:
        bytes.fromhex(key + digest)
    return pairs

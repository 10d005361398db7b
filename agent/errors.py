"""The errors that a person must act on, one family for each who must act.

Each is one sentence and a hint; neither repeats anything from a file's content. Names of files are
escaped by whoever builds the sentence (`agent.escape`). `agent.cli` maps each to its exit code.
"""

from __future__ import annotations


class Problem(Exception):
    """Base of all: `str(problem)` is the sentence, `hint` says what to do about it."""

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.hint = hint


class Mistyped(Problem):
    """Whoever typed the command must type it otherwise."""


class NotFound(Problem):
    """Whoever typed the command named something that is not there."""


class NotRunning(Problem):
    """The administrator must start the service, or make it answer."""


class NotPermitted(Problem):
    """Whoever typed the command may not do this; somebody else must, or grant it."""


class Unprotected(Problem):
    """The administrator must give the service a protection that is compulsory and missing."""


class Unsupported(Problem):
    """The administrator must take a machine whose operating system it runs on."""


class VaultTrouble(Problem):
    """The administrator must mend the vault: full, damaged, unwritable or of a wrong owner."""


class LedgerTrouble(Problem):
    """The administrator must mend the ledger: damaged, locked, full or of a newer version."""


class Refused(Problem):
    """Policy does not allow it: an analyst must decide first, or another place must be chosen."""


class Misconfigured(Problem):
    """The administrator must mend the configuration: `key` names the place."""

    def __init__(self, key: str, message: str, hint: str = "") -> None:
        super().__init__(message, hint)
        self.key = key


class WorkerUnavailable(Problem):
    """The administrator must see why files cannot be examined at all on this machine."""

"""When what a removed original held is overwritten: at once, or if it is large behind new files."""

from __future__ import annotations

from collections.abc import Callable

from agent.erasure import SLICE_BYTES, CannotErase, Overwriting
from agent.opening import OpenedFile
from agent.removal import Ending

MOST_ERASED_LATER = 4
"""Files without a name that are held open, and keep their room on the medium, until they are overwritten."""


def _not_done() -> bool:
    return False


class Erasures:
    """One keeper's. `told` is called with the entry of a large file that was overwritten later."""

    def __init__(self, wanted: bool, breathe: Callable[[], None], told: Callable[[str], object]) -> None:
        self._wanted, self._breathe, self._told = wanted, breathe, told
        self._later: list[tuple[str, Overwriting]] = []

    def erase(self, entry_id: str, opened: OpenedFile, ending: Ending) -> Callable[[], bool]:
        """Overwrite what a removed file held, unless other names share it: the answer does it, durably, if it
        was not done at once, and says whether it was done.

        A large one is left to `go_on`: its custody is told first.
        """
        if not self._wanted or ending != Ending("quarantined"):
            return _not_done
        try:
            overwriting = Overwriting(opened.fd, opened.status.st_size)
        except CannotErase:
            return _not_done
        large = overwriting.size > SLICE_BYTES
        if large and overwriting.may_wait and len(self._later) < MOST_ERASED_LATER:
            self._later.append((entry_id, overwriting))
            return _not_done
        if large or not overwriting.may_wait:
            done = overwriting.finish(self._breathe)
            return lambda: done
        return lambda: overwriting.finish(self._breathe)

    def go_on(self) -> bool:
        """Overwrite a slice of a large file that is in custody, the oldest first; False if there is none."""
        if not self._later:
            return False
        entry_id, overwriting = self._later[0]
        try:
            erased = overwriting.work(self._breathe)
            if not erased:
                return True
        except CannotErase:
            erased = False
        overwriting.close()
        del self._later[0]
        if erased:
            self._told(entry_id)
        return True

    def close(self) -> None:
        """Let go of them as they are."""
        for _, overwriting in self._later:
            overwriting.close()

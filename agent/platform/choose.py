"""The seam to the operating system: the module of a platform, of which the rest asks the same questions.

Linux goes through it as the others do. Only there does the service run; what was tried elsewhere, and that
it is nothing, stands in docs/platforms.md.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Protocol

from agent.volume_facts import Device, Mount, VolumeFacts

if sys.platform == "win32":
    from agent.platform import windows as here
elif sys.platform == "darwin":
    from agent.platform import macos as here
elif sys.platform == "linux":
    from agent.platform import linux as here
else:
    raise ImportError(f"recordwarden knows nothing of the volumes of {sys.platform}")

__all__ = ["PLATFORM", "Platform", "here"]


class Platform(Protocol):
    """What each module answers; it may take more, with a default, for tests."""

    def mounted(self) -> list[Mount]:
        """What is mounted now, in the order in which it was."""

    def facts(
        self,
        mount: Mount,
        mounts: Sequence[Mount] = (),
        treat_as_removable: Sequence[str] = (),
        approved: Sequence[Device] = (),
    ) -> VolumeFacts:
        """What kind of volume it is, and the proof that it is encrypted; what is not known is `unknown`,
        and without proof. It never raises, and never touches the mount point."""


PLATFORM: Platform = here
"""Asserted by mypy once for each platform (tests/agent/platform/test_choose.py)."""

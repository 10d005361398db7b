"""Whether the detectors of this version take a tuning: asked of a process of its own.

The console imports no detector. Workstations may have another version, and have the last word.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping
from typing import Any

SECONDS = 60.0


def fault_of(stanzas: Mapping[str, Mapping[str, Any]]) -> str:
    """ "" if the detectors take these stanzas, else which key is wrong and why."""
    try:
        done = subprocess.run(
            [sys.executable, "-I", "-m", "detectors.engine.catalogue"],
            input=json.dumps(stanzas), capture_output=True, text=True, timeout=SECONDS, check=False,
        )  # fmt: skip
        refused = json.loads(done.stdout).get("refused")
    except (OSError, ValueError, subprocess.TimeoutExpired):
        return "the detectors cannot be asked on the console's machine"
    return f"{refused['key']}: {refused['message']}" if refused else ""

"""`python -m agent.platform`: what this machine's volumes are taken for, one JSON object a line.

Changes nothing and needs no configuration. The first thing to try on a Windows or macOS machine.
"""

from __future__ import annotations

import json
from dataclasses import asdict

from agent.platform.choose import here

if __name__ == "__main__":
    mounts = here.mounted()
    for mount in mounts:
        print(json.dumps({"mount_point": mount.mount_point, **asdict(here.facts(mount, mounts))}))

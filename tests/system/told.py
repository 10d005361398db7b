"""Run on the machine: what is known of each mount below /mnt, as one JSON object."""

import json
import sys
from dataclasses import asdict

sys.dont_write_bytecode = True
sys.path[:0] = ["/shared/checkout", "/shared/packages"]

from agent.platform.linux import MountTable, facts  # noqa: E402
from agent.volume_facts import Device  # noqa: E402

approved = [Device(*word.split(":")) for word in sys.argv[1:]]
mounts = MountTable().read()
found = {
    m.mount_point: asdict(facts(m, mounts, (), approved)) for m in mounts if m.mount_point[:5] == "/mnt/"
}
print(json.dumps(found))

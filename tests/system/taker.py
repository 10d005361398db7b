"""Run on a machine whose power will be cut: takes files into custody, as they arrive, until then.

It is frozen when it says "ready". Its orders are one line of JSON: where its disks `state` and `root` are to
be mounted, the identity, the number of the first file, the time, some randomness (a machine that was frozen
has the same again and again), and whether to leave out a synchronisation. It says the number of
each file that is durable at its place.
"""

import fcntl
import itertools
import json
import os
import subprocess
import sys
import threading
import time
from pathlib import Path

sys.dont_write_bytecode = True
sys.path.insert(0, "/luggage")

import pyrage  # noqa: E402
from custody_rig import Rig, survey  # noqa: E402

from agent import streams  # noqa: E402

RESEED = 0x5207
"""RNDRESEEDCRNG of random(4)."""
NOISE_BYTES = 4 << 20


def begin(orders):
    time.clock_settime(time.CLOCK_REALTIME, orders["time"])
    with open("/dev/urandom", "wb", buffering=0) as random:
        random.write(bytes.fromhex(orders["random"]))
        fcntl.ioctl(random, RESEED)
    for name in ("state", "root"):
        point = Path(orders["folder"], name)
        point.mkdir(parents=True, exist_ok=True)
        while subprocess.run(["mount", "-L", name, point], capture_output=True, check=False).returncode:
            time.sleep(0.05)
    if orders["unsynced"]:
        streams.DurableWriter.finish = lambda self: self._put()


def arrive(root, first):
    for number in itertools.count(first):
        with open(root / f"wave{number}.csv", "wb", buffering=0) as file:
            file.write(survey(number, rows=100 + 300 * (number % 4)))
            os.fsync(file.fileno())
        folder = os.open(root, os.O_RDONLY)
        os.fsync(folder)
        os.close(folder)
        print(f"durable {number}.", flush=True)


def make_noise(folder):
    """Writes that nobody flushes, so that the disk is busy and the kernel chooses what it writes when."""
    while True:
        with open(folder / "noise", "ab") as file:
            file.write(os.urandom(200_000))
            if file.tell() > NOISE_BYTES:
                file.truncate(0)
        time.sleep(0.05)


print("ready", flush=True)
told = json.loads(input())
begin(told)
here = Path(told["folder"])
rig = Rig(here / "state", here / "root", pyrage.x25519.Identity.from_str(told["identity"]))
for work in (lambda: arrive(rig.root, told["first"]), lambda: make_noise(rig.state)):
    threading.Thread(target=work, daemon=True).start()
print("begun", flush=True)
rig.run(lambda ledger: False, 3600)

"""Who wrote a file: what /proc tells while the process lives, and no guess when it is gone."""

from __future__ import annotations

import os
import subprocess
import sys
import time

from agent.writer import Writer


def test_a_living_process_is_named_with_user_and_program():
    with subprocess.Popen(["sleep", "5"]) as process:
        until = time.monotonic() + 60
        while (told := Writer.of(process.pid)).name != "sleep" and time.monotonic() < until:
            time.sleep(0.01)  # not yet the program that it shall become
        process.kill()
    assert (told.pid, told.uid, told.name) == (process.pid, os.geteuid(), "sleep")
    assert told.program.endswith(("/sleep", "/coreutils", "/busybox"))


def test_a_process_that_is_gone_is_a_number_only():
    done = subprocess.Popen([sys.executable, "-c", ""])
    done.wait()
    assert Writer.of(done.pid) == Writer(done.pid)


def test_a_process_of_another_namespace_is_nobody():
    assert Writer.of(0) is None

"""An owner reads the notice in two languages, types what it says, and the security team is told."""

from __future__ import annotations

import os
import re
import socket

import pytest


@pytest.fixture
def asked(service, made_up, drop):
    """(service, the reference out of the notice)"""
    root = service.root()
    service.settings["notice"] = {
        "languages": ["cy", "en"], "rule": "Data Handling Policy 4.2",
        "request_socket": service.base / "request.sock",
    }  # fmt: skip
    service.start()
    file = drop(root / "wave4.csv", made_up.survey())
    service.caught(file)
    notice = (root / "wave4.csv.quarantined.txt").read_text()
    assert "Beth ddigwyddodd" in notice and "Data Handling Policy 4.2" in notice
    return service, re.search(r"recordwarden request (\S+)", notice)[1]


def test_what_the_notice_says_to_type_works(asked, wait_until):
    service, reference = asked
    done = service.command("request", reference, "--reason", "the deadline is near")
    assert done.returncode == 0, done.stderr
    told = wait_until(
        lambda: [r for r in service.alerts("wave4.csv") if "request" in r["unmapped"]],
        "the request is told",
        60,
    )
    assert told[0]["unmapped"]["request"]["reason"] == "the deadline is near"
    assert (told[0]["activity_id"], told[0]["disposition"]) == (2, "Quarantined")
    again = service.command("request", reference, "--reason", "the deadline is near")
    assert again.returncode != 0 and "already" in again.stderr


@pytest.mark.root
def test_another_user_reaches_the_socket_and_nothing_but_their_own_files(asked):
    service, reference = asked
    code = (
        "import json, os, socket, sys\nos.setgid(65534); os.setuid(65534)\n"
        "for ask in ({'command': 'request', 'id': sys.argv[2], 'reason': 'x'}, {'command': 'status'}):\n"
        "    s = socket.socket(socket.AF_UNIX); s.settimeout(60); s.connect(sys.argv[1])\n"
        "    s.sendall(json.dumps(ask).encode() + b'\\n'); print(s.makefile().readline().strip())\n"
    )
    import subprocess
    import sys

    done = subprocess.run(
        [sys.executable, "-I", "-c", code, str(service.base / "request.sock"), reference],
        capture_output=True, text=True, check=True, timeout=60,
    )  # fmt: skip
    first, second = done.stdout.splitlines()
    assert '"not_found"' in first and '"mistyped"' in second
    assert "wave4" not in done.stdout
    with socket.socket(socket.AF_UNIX) as sock, pytest.raises(OSError):
        sock.connect(str(service.base / "nowhere.sock"))
    assert os.stat(service.base / "request.sock").st_mode & 0o777 == 0o666

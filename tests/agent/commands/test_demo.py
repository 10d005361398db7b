"""The demo shows what it promises (`tests/flow` runs it to its end, as root and as nobody)."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time

import httpx
import psutil


def _start(tmp_path, *arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "agent", "demo", *arguments],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        env={**os.environ, "TMPDIR": str(tmp_path), "RECORDWARDEN_POLICY__MODE": "audit"},
    )  # fmt: skip


def _services(tmp_path) -> list[psutil.Process]:
    found = []
    for process in psutil.process_iter():
        try:
            if process.status() != psutil.STATUS_ZOMBIE and str(tmp_path) in " ".join(process.cmdline()):
                found.append(process)
        except psutil.Error:
            continue
    return found


def _alerts_are_in_the_console(said: str) -> str:
    """For whoever signs in as the demo says; gives back the password."""
    url = re.search(r"console at (http://127\.0\.0\.1:\d+)", said)
    person = re.search(r"sign in as (\S+) with the password (\S+)", said)
    assert url and person, said
    with httpx.Client(base_url=url[1], follow_redirects=True) as browser:
        entry = {"name": person[1], "password": person[2], "next": "/alerts?state=all"}
        page = browser.post("/sign-in", data=entry)
        until = time.monotonic() + 60
        while "survey_2026.csv" not in page.text and time.monotonic() < until:
            time.sleep(0.2)
            page = browser.get("/alerts?state=all")
    assert "survey_2026.csv" in page.text and "table_3" not in page.text
    return person[2]


def test_the_demo_takes_what_it_shall_restores_it_and_cleans_up(tmp_path):
    done = _start(tmp_path)
    out, err = done.communicate(timeout=60)
    assert done.returncode == 0, err
    assert out.count("TAKEN within") == 3
    assert out.count("left alone, byte for byte") == 3
    assert "the very bytes that were taken" in out
    assert "AGE-SECRET-KEY" not in out + err
    assert list(tmp_path.iterdir()) == []
    assert _services(tmp_path) == []


def test_kept_it_runs_on_until_it_is_told_to_end_and_its_folder_stays(tmp_path):
    kept = _start(tmp_path, "--keep")
    assert kept.stdout is not None
    said = ""
    for line in kept.stdout:
        said += line
        if line.startswith("Ctrl-C"):
            break
    assert _services(tmp_path)
    password = _alerts_are_in_the_console(said)
    kept.send_signal(signal.SIGINT)
    kept.communicate(timeout=120)
    assert kept.returncode == 0
    assert _services(tmp_path) == []
    (folder,) = tmp_path.iterdir()
    assert (folder / "state" / "ledger.db").exists()
    kept_files = [path.read_bytes() for path in folder.rglob("*") if path.is_file()]
    assert not any(password.encode() in content for content in kept_files), "the password is in no file"


def test_ended_in_the_middle_it_leaves_nothing(tmp_path):
    demo = _start(tmp_path)
    assert demo.stdout is not None
    for line in demo.stdout:
        if "arrive" in line:
            break
    demo.terminate()
    demo.communicate(timeout=120)
    assert demo.returncode == 130
    assert list(tmp_path.iterdir()) == []
    assert _services(tmp_path) == []

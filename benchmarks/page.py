"""The page that benchmarks write: each replaces its own section, between its own marks, and no other."""

from __future__ import annotations

import os
import platform
import re
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path


def machine() -> str:
    """On what, and how busy it was: one line for the head of a section."""
    cores = os.cpu_count()
    who = "root" if os.geteuid() == 0 else "an ordinary user"
    return (
        f"{datetime.now(UTC):%Y-%m-%d}; Linux {platform.release().split('-')[0]}, {cores} cores, Python "
        f"{platform.python_version()}, as {who}; load average at the start {os.getloadavg()[0]:.1f}."
    )


def write_section(page: Path, name: str, lines: Sequence[str]) -> None:
    """Put `lines` between the marks of `name`, at the end of the page if it has none yet."""
    begin, end = f"<!-- {name}: begin -->", f"<!-- {name}: end -->"
    section = "\n".join([begin, "", *lines, "", end])
    text = page.read_text("utf-8")
    if begin in text:
        found = re.compile(re.escape(begin) + ".*?" + re.escape(end), re.DOTALL)
        text = found.sub(lambda _: section, text, count=1)
    else:
        text = f"{text.rstrip()}\n\n{section}\n"
    page.write_text(text, "utf-8")

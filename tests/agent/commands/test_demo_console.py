"""The demo's console says what went wrong (`test_demo` signs in to one that did not)."""

from __future__ import annotations

import pytest

from agent.commands.demo_console import DemoConsole
from agent.commands.demo_service import DemoFailed, DemoService


def test_a_console_that_cannot_have_its_folder_is_told_in_one_line(tmp_path):
    service = DemoService(tmp_path)
    service.prepare()
    (tmp_path / "console").write_text("in the way")
    console = DemoConsole(tmp_path, service.config)
    with pytest.raises(DemoFailed, match="recordwarden console"):
        console.start()
    console.stop()

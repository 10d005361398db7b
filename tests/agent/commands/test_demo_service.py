"""The demo's service says what went wrong in the words of its log."""

from __future__ import annotations

import pytest

from agent.commands.demo_service import DemoFailed, DemoService


def test_a_service_that_cannot_start_is_told_with_its_last_words(tmp_path):
    service = DemoService(tmp_path)
    service.prepare()
    service.config.write_text(service.config.read_text().replace("enforce", "enforec"))
    service.start()
    try:
        with pytest.raises(DemoFailed, match="did you mean enforce"):
            service.wait_until_up()
    finally:
        service.stop()


def test_its_key_is_not_in_its_configuration(tmp_path):
    service = DemoService(tmp_path)
    recipient = service.prepare()
    assert recipient in service.config.read_text()
    assert "AGE-SECRET-KEY" not in service.config.read_text()

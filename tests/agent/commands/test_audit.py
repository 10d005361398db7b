"""The audit log from the command line, at a real service."""

from __future__ import annotations


def test_the_log_of_a_running_service_is_whole(typed, objects):
    code, out, _ = typed("audit", "verify")
    assert code == 0 and "whole" in out
    assert objects("audit", "verify")[-1]["whole"] is True


def test_a_removed_line_is_found_and_named(typed, objects, running):
    path = running.settings.state_dir / "audit.jsonl"
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join(lines[:1] + lines[2:]))
    try:
        code, out, _ = typed("audit", "verify")
        assert code == 1 and "removed" in out
        assert objects("audit", "verify")[-1]["whole"] is False
    finally:
        path.write_bytes(b"".join(lines))


def test_a_span_of_time_is_exported_with_its_chain(typed):
    code, out, _ = typed("audit", "export")
    assert code == 0 and '"event": "vaulted"' in out and '"prev": ' in out
    assert typed("audit", "export", "--from", "2999-01-01")[1] == ""
    assert typed("audit", "export", "--to", "2000-01-01")[1] == ""

"""`recordwarden breaker reset` at a service that runs; the whole story is in tests/flow/test_breaker.py."""

from __future__ import annotations


def test_a_breaker_that_is_not_tripped_is_left_alone(typed, objects, running):
    code, out, _ = typed("breaker", "reset")
    assert code == 0 and "no breaker is tripped" in out
    assert objects("breaker", "reset", str(running.watched)) == [{"roots": []}]


def test_a_root_that_is_not_watched_is_an_error(typed):
    code, _, err = typed("breaker", "reset", "/nowhere")
    assert code == 1 and "no such root" in err

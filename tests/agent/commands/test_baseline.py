"""Old files: listed, accepted, enforced, at a service that runs; the whole story is in tests/flow."""

from __future__ import annotations


def test_every_root_is_listed_with_what_waits(typed, objects, running):
    code, out, _ = typed("baseline", "list")
    assert code == 0 and str(running.watched) in out and "first contact" in out
    (root,) = objects("baseline", "list")
    assert (root["path"], root["held"], root["applies"]) == (str(running.watched), {}, True)


def test_a_decision_about_nothing_is_none(objects, running):
    for do in ("accept", "enforce"):
        (told,) = objects("baseline", do, str(running.watched), "--since", "2001-01-01", "--note", "made up")
        assert told == {"files": 0}


def test_a_root_that_is_not_watched_is_an_error(typed):
    code, _, err = typed("baseline", "enforce", "/nowhere")
    assert code == 1 and "no such root" in err

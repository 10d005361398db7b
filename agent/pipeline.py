"""The story of one file, in order, and nothing else."""

from __future__ import annotations

from agent.crew import DONE, SEEN, Crew, Fate, later
from agent.lease import WriteLease
from agent.opening import CannotOpen, OpenedFile, open_untrusted
from agent.protocol import RETRIED
from agent.removal import Content, take_away, tidy
from agent.streams import DepositFailed
from agent.watcher import FileEvent
from detectors.engine.verdict import PASSING_FAULTS, Reason


def one_file(event: FileEvent, crew: Crew, *, last_try: bool = False) -> Fate:
    """A file was sighted. On the `last_try` it is judged as it is, busy or not."""
    # Open: from here on there is only this descriptor, never the path again.
    try:
        opened = open_untrusted(crew.root, event.relpath)
    except CannotOpen as refusal:
        return crew.could_not_open(event, refusal, last_try)

    with opened:
        if not crew.is_unseen(opened.identity()):
            return SEEN
        if crew.is_being_written(opened) and not last_try:
            return later(Reason.CHANGED)

        # Examine: a worker gets a descriptor of its own, and can do nothing any more when we go on.
        verdict = crew.examine(opened, event)
        if verdict.reason in PASSING_FAULTS and not last_try:
            return later(verdict.reason)

        # Decide: the supervisor does, and has written its intent down before it says "take".
        orders = crew.judged(event, opened, verdict)
        if orders.do == "take":
            return take(opened, orders.entry_id, crew, last_try)
        if orders.do == "settle":  # it did not
            return later(Reason.CHANGED)
        return Fate("done", verdict.reason if verdict.outcome == "unreadable" else None)


def take(opened: OpenedFile, entry_id: str, crew: Crew, last_try: bool) -> Fate:
    """Into the vault, then out of the root. Whatever fails on the way leaves the file where it was."""
    with WriteLease(opened.fd) as lease:
        # Vault: durable ciphertext of exactly what this descriptor holds.
        try:
            deposit = crew.deposit(entry_id, opened, lease, last_try)
        except DepositFailed as failure:
            crew.not_vaulted(entry_id, failure)
            return later(Reason.CHANGED) if failure.passing and not last_try else DONE

        # Commit: custody and the held alert are durable when the answer comes.
        orders = crew.vaulted(entry_id, deposit)
        if orders.do == "discard":
            crew.discard(entry_id)
            return DONE

        # Remove: aside, compared, permitted, unlinked; or put back.
        vaulted = Content(deposit.sha256, crew.breathe)
        ending = take_away(crew.root, opened, orders.aside, crew.permission(entry_id), lease, vaulted)
    ending = crew.second_to_another(opened, ending)
    erased = crew.erasures.erase(entry_id, opened, ending)  # done after the notice, where it may be
    opened.close_file()  # under FUSE it is gone from the medium only now

    # Tell: a notice in its place, and the alert is released.
    noticed = ending.result == "quarantined" and crew.leave_notice(entry_id, opened)
    crew.outcome(entry_id, ending, noticed, erased())
    tidy(crew.root, orders.aside)
    return later(Reason.CHANGED) if ending.reason in RETRIED and not last_try else DONE

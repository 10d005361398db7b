"""First contact: what lay in a root before it was ever watched is reported as one, and not taken.

A share with thousands of old files must not become thousands of alerts on the first day. What the very
first sweep of a share or local root finds is *old*: judged and recorded, file by file, told in one digest
alert, and left until a person has it enforced (`recordwarden baseline`). All that is new, or changed, is
enforced at once, and so is everything on a removable drive and a website.

A person may also accept old files: they wait no longer. That exempts nothing. One person's word does not
make microdata lawful where it lies; agreements do. It stays `detected`, with their name on record.

Old is a file whose inode did not change (ctime, which no user can set back) since the root was first
attached, or, once that sweep has ended, a file that it has met, with the same size and modification
time. What came while the service was down was not met, and is new; so is what comes when the clock of the
machine was set back to before that sweep. The standing of each file lies in the
ledger beside its judgement; a crash in the first sweep leaves it to be ended by the next.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from agent.escape import escape
from agent.host_findings import HostFinding, tell
from agent.ledger import Ledger
from agent.policy import Disposition, Kind
from agent.protocol import Judged
from agent.standing import Seen, Standing
from agent.telling import Host
from agent.volumes import WatchedRoot, is_drive
from config.settings import Action, FirstContact, Policy, Zone

REASON = "first_contact"
ACCEPTED_REASON = "accepted"
CLOCK_SECONDS = 1.0
"""The kernel's times of files lag behind its clock, and a server's clock behind ours."""
GRACE_SECONDS = 3600.0
"""What the first sweep could not judge, because it was open for writing, may be judged so long after it."""


def applies(root: WatchedRoot, policy: Policy) -> bool:
    """Whether old files of this root are left to a person."""
    at_rest = root.facts.zone in (Zone.SHARED, Zone.LOCAL) and not is_drive(root)
    return at_rest and policy.first_contact is FirstContact.REPORT


def meet(
    ledger: Ledger, root: WatchedRoot, judged: Judged, wanted: Disposition, policy: Policy, now: float
) -> tuple[Standing, Disposition]:
    """The standing of a file that was judged, and what is done about it if policy would do `wanted`."""
    if not applies(root, policy):
        return Standing.NEW, wanted
    contact = ledger.contact(root.root_id)
    old = standing(root, contact, ledger.seen(root.root_id, judged.identity.relpath), judged, now)
    return old, softened(wanted, old, contact, breaker_open=wanted.reason == "circuit_breaker")


def tell_digest(
    ledger: Ledger, host: Host, root: WatchedRoot, sinks: Sequence[str], clock: Callable[[], float]
) -> None:
    """After a full sweep: the one alert about this root's old files, if anything about it is new."""
    tell(ledger, host, digest(root, ledger.held(root.root_id)), sinks, clock)


def standing(
    root: WatchedRoot, contact: dict[str, Any], known: Seen | None, judged: Judged, now: float
) -> Standing:
    """Of a file that was judged, in a root to which first contact applies; `contact` is the ledger's."""
    if known is not None:
        return known.standing if known.is_still(judged.identity) else Standing.NEW
    if contact.get("enforced") or "since" not in contact:
        return Standing.NEW
    ended = contact.get("ended")
    if ended is not None and not ended - CLOCK_SECONDS <= now <= ended + GRACE_SECONDS:
        return Standing.NEW
    # Where the inode's time is not the kernel's own, or the clock was set back meanwhile, an event tells that
    # the file was just written.
    clock_tells = root.volume.kind in ("fixed", "memory") and now >= contact["since"] - CLOCK_SECONDS
    if judged.origin == "event" and not clock_tells:
        return Standing.NEW
    before = contact["since"] - CLOCK_SECONDS
    return Standing.OLD if judged.identity.ctime_ns < before * 1e9 else Standing.NEW


def softened(
    disposition: Disposition, standing: Standing, contact: dict[str, Any], *, breaker_open: bool
) -> Disposition:
    """What is done about a file of that standing, if policy would do this."""
    if standing is Standing.NEW or disposition.act not in (Action.ALERT, Action.QUARANTINE):
        return disposition
    if standing is Standing.RELEASED and not breaker_open:
        return disposition
    if disposition.kind is Kind.ERROR:
        return replace(disposition, act=Action.RECORD)
    if standing is Standing.ACCEPTED:
        proof = f"accepted by {contact.get('accepted_by', '')}"
        return Disposition(Kind.DETECTED, ACCEPTED_REASON, Action.RECORD, proof)
    return Disposition(Kind.DETECTED, REASON, Action.RECORD)


def digest(root: WatchedRoot, held: dict[str, int]) -> HostFinding:
    """The one alert about a root's old files; `held` is how many wait for a person, by outcome."""
    total = sum(held.values())
    shown = escape(root.path)
    return HostFinding(
        finding=REASON,
        root_id=root.root_id,
        path=root.path,
        title="Files that were there before this place was watched",
        message=f"{total} old files in {shown} wait for a decision: recordwarden baseline"
        if total
        else f"No old file in {shown} waits for a decision any more",
        reason=REASON if total else "first_contact_settled",
        severity_id=4,
        facts={"held": held, "total": total, "zone": root.facts.zone.value},
        settled=not total,
    )

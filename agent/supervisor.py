"""The supervisor: a keeper for each root, one template, one courier, and the ledger between them.

One thread and one loop. It never touches a watched path, so that nothing on a medium can hang it. A
`LedgerError` goes through here untouched and ends the service: it must not act if it cannot remember.
"""

from __future__ import annotations

import socket
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, replace
from pathlib import Path

from agent import ending, recovery
from agent.carried import Carried
from agent.coverage import Changes, root_states
from agent.desk import Desk
from agent.dispatch import Dispatch
from agent.governor import Governor, rank_low
from agent.heartbeat import Heartbeat
from agent.hold import Holds
from agent.loop import Loop
from agent.notice_words import template_now
from agent.parts import Parts
from agent.post import Post
from agent.posture import OwnDisk
from agent.protocol import Beat, Judged, Message, Passed, Unseen, Walking, Welcome
from agent.schema import RootRow
from agent.telling import Judge, Teller
from agent.vault_care import VaultCare
from agent.volumes import WatchedRoot, canary_seconds, is_drive, wanted
from agent.walk_answer import cursor_key
from config.settings import Settings

TICK_SECONDS, CALM_TICK_SECONDS, CALM_AFTER_SECONDS = 1.0, 5.0, 10.0
"""How often all is looked after; less often while nothing happens."""
STRANDED_SECONDS = 30.0
VAULT_RETRY_SECONDS = 120.0
STOP_SECONDS = 8.0
VOLUMES_MOST = 64


class Supervisor:
    """Runs until `stop`."""

    def __init__(self, settings: Settings, parts: Parts, loop: Loop) -> None:
        self.settings, self.loop, self.parts = settings, loop, parts
        self.say, self.begin = parts.say, parts.births.begin
        self.started_at = time.time()
        self.posts: dict[str, Post] = {}
        self.said_missing: dict[str, str] = {}
        self.own_disk = OwnDisk(parts.ledger, parts.host)
        self._real_paths: dict[str, str] = {}
        self._going: list[Post] = []
        self._stopping = False
        self._said_too_many = False
        self._news, self._stirred_at = True, 0.0
        ready = parts.template.ready
        if ready is None:
            raise RuntimeError("the template was not started")
        self.teller = Teller(parts.ledger, settings, Judge(ready.vocabulary, ready.digest), parts.host)
        sinks: Callable[[], Sequence[str]] = lambda: self.dispatch.outbox.sinks  # noqa: E731
        self.desk = Desk(parts.ledger, self.teller, sinks, parts.say)
        agreements = self.desk.authority.agreements
        self.carried = Carried(parts.ledger, agreements, parts.host.host_id, lambda: self.settings)
        self.carried.later = lambda call: loop.after(0.0, call)
        self.dispatch = self._make_dispatch()
        self.holds = Holds(loop, self.teller, parts.ledger, parts.say)
        self._changes = Changes()
        self.governor = Governor()
        self._heartbeat = Heartbeat(parts.ledger, parts.host)
        self.vault_care = VaultCare(loop, parts.ledger, vault_of(settings), parts.host, sinks, parts.say)

    # -- what a post needs (`agent.post.House`)

    @property
    def stuck_seconds(self) -> float:
        return self.settings.service.stuck_seconds

    @property
    def restart_seconds(self) -> float:
        return self.settings.service.restart_seconds

    def attach_examiner(self) -> socket.socket:
        return self.parts.template.attach()

    def born(self, pid: int, root: WatchedRoot) -> None:
        if not is_drive(root):
            rank_low(pid, self.settings.governor)

    def welcome(self, root: WatchedRoot) -> Message:
        watch, policy = self.settings.watch, self.settings.policy
        return Welcome(
            root_id=root.root_id,
            path=root.path,
            zone=root.facts.zone.value,
            handling=root.facts.handling.value,
            mode=root.facts.mode.value,
            device=root.device,
            vault_dir=str(vault_of(self.settings)),
            recipients=self.parts.recipients,
            settle_seconds=watch.settle_seconds,
            quiet_seconds=watch.quiet_seconds,
            sweep_seconds=watch.sweep_seconds,
            share_seconds=watch.share_seconds if root.volume.kind == "shared" else 0.0,
            examine_seconds=self.settings.limits.examine_seconds,
            examine_seconds_per_gb=self.settings.limits.examine_seconds_per_gb,
            reserve_bytes=self.settings.vault.reserve_mb * 1024**2,
            capacity_bytes=(self.settings.vault.capacity_mb or 0) * 1024**2,
            notice=template_now(self.settings.notice, root.facts.zone.value, policy.contact, self.say),
            paused=self.governor.paused and not is_drive(root),
            canary_seconds=canary_seconds(root, self.settings),
            vocabulary=sorted(self.teller.judge.vocabulary),
            config_digest=self.teller.judge.digest,
            unfinished=self.desk.unfinished(root.root_id),
            erase=policy.erase,
            cursor=self.parts.ledger.meta(cursor_key(root.root_id)) or "",
            leftovers=self.desk.leftovers(root.root_id),
        )

    def arrived(self, post: Post) -> None:
        root = post.root
        facts, volume = root.facts, asdict(root.volume)
        row = RootRow(root.root_id, root.path, facts.zone.value, facts.handling.value, volume, time.time())
        self.parts.ledger.attach(row)
        self.holds.begin(post)
        self._news = True

    def answer(self, root: WatchedRoot, message: Message) -> Message | None:
        # the root as it is wanted now, whatever it was when the keeper was sent
        before = self.parts.ledger.written
        answer = self.desk.answer(root, message)
        # most judgements are only remembered, by and by: nothing there to be delivered
        untold = isinstance(message, Judged | Passed) and self.parts.ledger.written == before
        self._news = self._news or not (untold or isinstance(message, Unseen | Walking | Beat))
        return answer

    def keeper_lost(self, root: WatchedRoot, why: str) -> None:
        if why != "ended":  # coverage was lost, if only for a moment
            event = {"event": "keeper_lost", "root": root.root_id, "path": root.path, "why": why}
            self.parts.ledger.queue_audit([event])
            self._news = True
        self.parts.ledger.write_intents()  # what it was told a moment ago is revoked as well
        recovery.keeper_lost(self.parts.ledger, vault_of(self.settings), root.root_id)

    def found_elsewhere(self, root: WatchedRoot, real_path: str) -> None:
        """A configured path leads through links: watch where it leads."""
        configured = next((str(r.path) for r in self.settings.watch.roots if str(r.path) == root.path), None)
        if configured is None:
            self.say(f"root {root.root_id}: a mount point that is a link: not watched")
            return
        self._real_paths[configured] = real_path
        self.loop.after(0.0, self.mounts_changed)

    def check_protections(self, root: WatchedRoot, missing: list[str]) -> bool:
        """Whether a keeper that lacks these may work; what lacks is said once and kept for `status`."""
        for name in missing:
            if name not in self.said_missing:
                self.said_missing[name] = f"missing on {root.path}"
                self.say(f"protection missing: {name} (first seen on root {root.root_id})")
        return not set(missing) & set(self.settings.service.require)

    # -- roots come and go

    def mounts_changed(self) -> None:
        """Bring the posts to agree with the mounts and the settings."""
        if self._stopping:
            return
        mounts = self.parts.mounts.read()
        shall = {r.root_id: r for r in wanted(self.settings, mounts, self._real_paths)}
        for root_id, post in list(self.posts.items()):
            new = shall.get(root_id)
            if new is not None and _is_same(new, post.root):
                # the same place; only what lies inside it may have changed
                post.root = replace(post.root, others=new.others)
            else:
                self._let_go(post, gone=new is None)
        for root_id, root in shall.items():
            if root_id not in self.posts and not any(p.root.root_id == root_id for p in self._going):
                self.posts[root_id] = Post(root, self)
        self._begin()
        self._news |= self.own_disk.look(self.settings, mounts, self.dispatch.outbox.sinks)

    def _begin(self) -> None:
        """Let those look that do not yet; not all of them, since a user may mount a thousand times."""
        volumes = 0
        for post in self.posts.values():
            volumes += post.root.origin == "volume"
            if post.root.origin == "volume" and volumes > VOLUMES_MOST:
                post.hold("too_many")
            else:
                post.hurry()
        if volumes > VOLUMES_MOST and not self._said_too_many:
            self.say(f"{volumes} mounts should be watched: only {VOLUMES_MOST} of them are, see `status`")
        self._said_too_many = volumes > VOLUMES_MOST

    def _let_go(self, post: Post, *, gone: bool) -> None:
        del self.posts[post.root.root_id]
        self._going.append(post)
        self.holds.end(post)

        def ended() -> None:
            self._going.remove(post)
            if gone and self.parts.ledger.root(post.root.root_id) is not None:
                self.parts.ledger.detach(post.root.root_id, time.time())
                self._tell_stranded()
            self._news = True
            if not self._stopping:
                self.loop.after(0.0, self.mounts_changed)

        post.end(ended)

    def _tell_stranded(self) -> None:
        """Removals that cannot be ended because their root cannot be reached: their alerts go now."""
        attached = frozenset(root_id for root_id, post in self.posts.items() if post.works)
        for root, entry in recovery.stranded(self.parts.ledger, attached):
            if root.root_id not in self.posts:
                self.desk.give_up_waiting(root, entry, "medium_gone")
            elif time.time() - (entry.vaulted_at or 0.0) > STRANDED_SECONDS:
                self.desk.give_up_waiting(root, entry, "unreachable")
            self._news = True

    # -- running

    def start(self) -> None:
        """Everything on its way; `loop.run` does the rest."""
        self.parts.recovered.say(self.say)
        self.carried.again()
        self.parts.births.wait()
        self.dispatch.start()
        self.loop.watch(self.parts.mounts, self.mounts_changed)
        self.loop.watch(self.parts.template, self.parts.template.poll)
        self.loop.after(TICK_SECONDS, self._tick)
        self.loop.every(STRANDED_SECONDS, self._tell_stranded)
        self.loop.every(VAULT_RETRY_SECONDS, self._try_vault_again)
        self.vault_care.start(lambda: self.settings.vault)
        cut_off = ending.begin(self.parts.ledger, self.settings.policy.mode.value)
        self._tell_coverage()  # before the first keeper: it may have to pause
        self.mounts_changed()
        for post in self.posts.values():
            post.unseen = cut_off

    def between(self) -> None:
        """After each round of the loop: intents are written, the courier is fed, and soon the audit log."""
        self.parts.ledger.write_intents()
        if self._news:
            self._news, self._stirred_at = False, time.monotonic()
            self.dispatch.pump()
            self.parts.audit.drain_soon(self.loop.after)

    def _tick(self) -> None:
        self.parts.template.poll()
        self.parts.ledger.check_in_place()
        self.parts.audit.check_in_place()
        self.parts.ledger.flush()
        self._tell_coverage()
        self.parts.audit.drain()
        self.dispatch.pump()
        for name in self.dispatch.missing or ():
            if name not in self.said_missing:
                self.said_missing[name] = "the courier runs as the service's user"
                self.say(f"protection missing: {name}")
        calm = time.monotonic() - self._stirred_at > CALM_AFTER_SECONDS
        self.loop.after(CALM_TICK_SECONDS if calm else TICK_SECONDS, self._tick)

    def _tell_coverage(self) -> None:
        posts = self.posts.values()
        news = self.governor.govern(self.settings.governor, posts, self.parts.template.pids)
        if news := [*news, *self._changes.look(posts)]:
            self.parts.ledger.queue_audit(news)
        if self._heartbeat.is_due(self.settings.alerts.heartbeat_seconds):
            told = root_states(posts, self.parts.ledger, self.desk)
            papers, tuning = self.carried.to_json(), self.parts.tuning.to_json()
            digest = self.teller.judge.digest
            self._heartbeat.beat(told, self.dispatch.outbox.heartbeat_sinks, papers, tuning, digest)

    def _try_vault_again(self) -> None:
        """What a vault that took nothing has left lying open is found by a sweep."""
        if self.desk.vault_fault:
            self.sweep(None)

    def _make_dispatch(self) -> Dispatch:
        return Dispatch.to_all(
            self.loop, self.parts.ledger, self.settings, self.say, self.carried, self.begin
        )

    def adopt(self, settings: Settings, recipients: list[str]) -> None:
        """New settings that were checked: everything is brought to agree with them.

        The template must have them already.
        """
        ready = self.parts.template.ready
        if ready is None:
            raise RuntimeError("the template is not running")
        self.settings = settings
        self.parts = replace(self.parts, recipients=recipients)
        self.teller.settings = settings
        self.teller.judge = Judge(ready.vocabulary, ready.digest)
        self.dispatch.stop()
        self.carried.again()
        self.dispatch = self._make_dispatch()
        self.dispatch.start()
        self._real_paths.clear()
        self.own_disk.forget()
        for post in list(self.posts.values()):
            self._let_go(post, gone=False)
        self.parts.ledger.queue_audit([{"event": "configuration_adopted", "judge": ready.digest}])
        self._news = True
        self.mounts_changed()

    def sweep(self, wanted_root: str | None) -> list[str]:
        """Have all roots, or one by id or path, swept now; which ones will be."""
        named = [p for p in self.posts.values() if wanted_root in (None, p.root.root_id, p.root.path)]
        return [post.root.root_id for post in named if post.sweep()]

    def stop(self) -> None:
        """Let the keepers go, deliver what is under way, and leave the loop."""
        if self._stopping:
            return
        self._stopping = True
        deadline = time.monotonic() + STOP_SECONDS
        for post in list(self.posts.values()):
            self._let_go(post, gone=False)

        def look() -> None:
            done = not self._going and self.dispatch.outbox.is_idle
            if done or time.monotonic() > deadline:
                self.loop.stop()
            else:
                self.loop.after(0.02, look)

        look()

    def close(self) -> None:
        """Let go of what `start` started, in whatever state it is."""
        self.dispatch.stop()
        self.vault_care.stop()


def _is_same(new: WatchedRoot, old: WatchedRoot) -> bool:
    return replace(new, device=-1, others=()) == replace(old, device=-1, others=())


def vault_of(settings: Settings) -> Path:
    """Where the ciphertext lies."""
    return settings.state_dir / "vault"

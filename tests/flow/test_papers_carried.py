"""A real console and a real service: what two people signed arrives, what one forged does not."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import time

import httpx
import pytest

from agent.paper_bundle import seal_bundle
from agent.statements import Revocation, as_text, from_json, seal
from config.console import Console
from console import bundle, people, sessions
from console.database import Database
from console.roles import Caller, Role
from console.schema import Alert, Bundle

ANN = Caller("ann", frozenset({Role.ANALYST}))
ROOT = Caller("root", frozenset({Role.ADMINISTRATOR}))
RULE = """[[detectors.direct_identifiers.rules]]
id = "made_up_number"
pattern = "XQ[0-9]{6}Z"
pass_rate = 0.0001
strength = "conclusive"
match = ["XQ123456Z"]
"""


class RealConsole:
    """`recordwarden console` as a process, and somebody with a token."""

    def __init__(self, folder, approvers, wait_until) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        self.rules = Console(folder=folder / "console", port=port)
        self.config, self._until = folder / "console.toml", wait_until
        stanza = f'[console]\nfolder = "{self.rules.folder}"\nport = {port}\n'
        self.config.write_text(stanza + approvers)
        self.database = Database.open(self.rules.database_url)
        with self.database.transaction() as db:
            self.client, self.root = (self.client_of(db, who) for who in (ANN, ROOT))
        self.start()

    def client_of(self, db, who):
        people.add(db, "setup", who.name, "correct horse battery", who.roles, time.time())
        headers = {"Authorization": f"Bearer {sessions.new_token(db, who, '', 30, time.time())}"}
        return httpx.Client(base_url=self.rules.url + "/api/v1", headers=headers, timeout=60)

    def command(self, *arguments):
        command = [sys.executable, "-I", "-m", "agent", "console", *arguments]
        return subprocess.run(
            [*command, "--config", str(self.config)], capture_output=True, text=True, check=True
        ).stdout

    def start(self):
        command = [sys.executable, "-I", "-m", "agent", "console", "--config", str(self.config)]
        self.process = subprocess.Popen(command, stderr=subprocess.DEVNULL)
        self._until(self.answers, "the console is up", 60)

    def answers(self):
        try:
            return self.client.get("/papers").status_code == 200
        except httpx.TransportError:
            return False

    def stop(self):
        self.process.terminate()
        self.process.wait(60)

    def hand_in(self, envelope):
        answer = self.client.post("/papers", json={"document": as_text(envelope)})
        assert answer.status_code == 201, answer.text
        return answer.json()["standing"]

    def document(self):
        return self.client.get("/papers/bundle").text

    def publish(self, document):
        """What somebody who broke into the console would have it give to everybody."""
        with self.database.transaction() as db:
            row = db.get_one(Bundle, 1)
            row.document, row.serial, row.is_stale = document, row.serial + 1_000_000, False


@pytest.fixture
def console(service, agreed, wait_until):
    approvers = agreed.owner.stanza() + agreed.officer.stanza()
    console = RealConsole(service.base, approvers, wait_until)
    service.stanzas = approvers
    service.settings["alerts"]["heartbeat_seconds"] = 0.2
    service.settings["alerts.console"] = {"url": console.rules.url, "key_file": service.base / "agent.pem"}
    yield console
    console.stop()
    console.database.close()


def test_papers_travel_from_the_console_to_a_service(service, console, agreed, made_up, drop, wait_until):
    root, untouched = service.root(), service.root("untouched")
    service.configure()
    (service.base / "token").write_text(console.command("agent", "token"))
    done = service.command("enrol", "--token-file", str(service.base / "token"))
    assert done.returncode == 0, done.stderr
    service.start()

    def papers():
        return (service.status() or {}).get("papers", {})

    def stands():
        return {row["agreement_id"]: row["standing"] for row in service.ask("agreements") or ()}

    def current():
        return papers().get("serial") == json.loads(console.client.get("/agents").text)["bundle"]

    # nothing of what one person signed arrives, and what the console's own key signed is no approval
    wait_until(lambda: papers().get("serial"), "an empty bundle is taken", 60)
    terms = seal(agreed.terms(time.time(), roots=(str(root),)))
    assert console.hand_in(agreed.owner.sign(terms)) == "pending"
    half = agreed.owner.sign(terms).to_json()
    pem = bundle.signing_key(console.rules)
    forged = seal_bundle(papers()["serial"] + 1, int(time.time()), [half], pem)
    console.publish(forged)
    wait_until(lambda: papers()["refused"], "the forged paper is refused", 60)
    assert papers()["refused"] == {"agreement:DAA-made-up-1": "two_people_needed"} and stands() == {}
    first = drop(root / "first.csv", made_up.survey(seed=1))
    service.caught(first)

    # what two signed is in force, and lets a file be
    assert console.hand_in(agreed.officer.sign(terms)) == "in_force"
    wait_until(lambda: stands() == {"DAA-made-up-1": "in_force"}, "the agreement came", 60)
    wait_until(current, "the page Agents knows", 60)
    covered, serial = console.document(), papers()["serial"]
    second = drop(root / "second.csv", made_up.survey(seed=2))
    service.settled()
    assert second.exists()

    # a disposal comes, lies ready, and is completed by its id
    (entry,) = service.ask("entries")
    asked = service.ask("disposal_request", entry=entry["entry_id"], reason="it need not be kept")
    asked = agreed.both(from_json(asked))
    console.hand_in(asked)
    wait_until(lambda: papers()["serial"] > serial, "the disposal came", 60)
    assert [e["state"] for e in service.ask("entries")] == ["quarantined"]
    done = service.command("quarantine", "dispose", "complete", asked.statement().request_id)
    assert done.returncode == 0, done.stderr
    assert [e["state"] for e in service.ask("entries")] == ["disposed"]

    tuned = detectors_are_tuned(service, console, agreed, drop, wait_until, untouched)

    # without the console the last good bundle stays, over a restart too
    console.stop()
    service.stop()
    service.start()
    assert stands() == {"DAA-made-up-1": "in_force"} and papers()["serial"] > serial
    assert service.status()["tuning"]["id"] == tuned.statement().tuning_id
    console.start()
    tuning_ends(service, console, agreed, drop, wait_until, untouched, tuned)

    # the revocation comes; what rested on the agreement is taken
    said = Revocation("DAA-made-up-1", terms.digest, "given up", int(time.time()))
    console.hand_in(agreed.officer.sign(seal(said)))
    service.caught(second)
    assert stands() == {"DAA-made-up-1": "revoked"}

    a_false_alarm_is_excepted(service, console, agreed, drop, wait_until, root / "again.csv", made_up)

    # replayed, tampered or foreign: by the console, and by a file
    latest = papers()["serial"]
    wait_until(current, "the page Agents knows", 60)
    console.publish(covered)
    wait_until(lambda: papers()["fault"] == "older", "a replayed bundle is refused", 60)
    assert papers()["serial"] == latest and stands() == {"DAA-made-up-1": "revoked"}
    file = service.base / "papers.json"
    for text, code in ((covered, "older"), (covered.replace("eyJtYWRl", "eyJtYWRm", 1), "bad_signature")):
        file.write_text(text)
        done = service.command("agreements", "import", str(file))
        assert done.returncode and code in done.stderr, done.stderr
    assert papers()["serial"] == latest and stands() == {"DAA-made-up-1": "revoked"}

    def told() -> bool:
        audit = (service.state / "audit.jsonl").read_text()
        return all(f'"{word}"' in audit for word in ("papers_taken", "papers_refused", "older"))

    wait_until(told, "the audit log, a moment behind the ledger, tells it", 60)


def codes(start):
    """Records with a number that no shipped rule knows."""
    rows = (f"XQ{(start + i * 7919) % 10**6:06}Z,{i * 37 % 1000 / 10}\n" for i in range(80))
    return ("ref,a\n" + "".join(rows)).encode()


def detectors_are_tuned(service, console, agreed, drop, wait_until, root):
    """An administrator proposes a rule, two sign, the workstation judges by it; what is forged or wrong is
    refused, and the last good one stays. Gives back the tuning."""

    def tuning():
        return (service.status() or {}).get("tuning", {})

    def publish(*envelopes):
        pem, serial = bundle.signing_key(console.rules), service.status()["papers"]["serial"]
        papers = [envelope.to_json() for envelope in envelopes]
        console.publish(seal_bundle(serial + 1, int(time.time()), papers, pem))

    first = drop(root / "codes-1.csv", codes(1))
    service.settled()
    assert first.exists() and tuning()["id"] == ""
    wanted = {"settings": RULE, "reason": "our own number"}
    assert console.client.post("/tuning", json=wanted).status_code == 403
    number = console.root.post("/tuning", json=wanted).json()["id"]
    drafted = from_json(console.root.get(f"/papers/tuning/{number}").json()["document"])
    half = agreed.owner.sign(drafted)
    sig = agreed.officer.sign(agreed.tuning(0.0, RULE)).signatures
    publish(half.with_signatures(sig))
    refusals = lambda: service.status()["papers"]["refused"]  # noqa: E731
    wait_until(lambda: refusals() == {f"tuning:{number}": "signature_refused"}, "a forged one is refused", 60)
    assert tuning()["id"] == "" and first.exists()
    assert console.hand_in(agreed.both(drafted)) == "in_force"
    service.caught(first)
    assert tuning()["id"] == number and tuning()["may_find_less"] == []

    wrong = agreed.both(agreed.tuning(time.time() + 9, "[detectors.row_subject]\nwrong = 1", "TUN-wrong"))
    refused = console.client.post("/papers", json={"document": as_text(wrong)})
    assert refused.status_code == 422 and "unknown key" in refused.text
    publish(agreed.both(drafted), wrong)
    wait_until(lambda: tuning().get("refused") == {"TUN-wrong": "wrong_settings"}, "it is refused", 60)
    assert tuning()["id"] == number
    told = lambda: json.loads(console.client.get("/agents").text)["agents"][0]  # noqa: E731
    wait_until(lambda: told()["papers_refused"] == 1, "the page Agents tells of it", 60)
    assert told()["tuning"] == number
    service.caught(drop(root / "codes-2.csv", codes(2)))
    return drafted


def tuning_ends(service, console, agreed, drop, wait_until, root, tuned):
    """Revoked, it leaves what the workstation had before; and it does not come back."""
    said = Revocation(tuned.statement().tuning_id, tuned.digest, "given up", int(time.time()))
    assert console.hand_in(agreed.officer.sign(seal(said))) == "revoked"
    wait_until(lambda: service.status()["tuning"]["id"] == "", "it ended", 60)
    again = service.base / "tuning.json"
    again.write_text(as_text(agreed.both(tuned)))
    done = service.command("tuning", "add", str(again))
    assert done.returncode and "revoked" in done.stderr
    left = drop(root / "codes-3.csv", codes(3))
    service.settled()
    assert left.exists()


def a_false_alarm_is_excepted(service, console, agreed, drop, wait_until, again, made_up):
    """The alert of the first file is found false; two people except its content, and one ends that."""

    def alert():
        with console.database.transaction() as db:
            found = db.query(Alert).where(Alert.name == "first.csv", Alert.sha256 != "").first()
            return found.id if found else None

    def stands():
        return [row["standing"] for row in service.ask("exceptions") or ()]

    def post(*words, **body):
        answer = console.client.post("/" + "/".join(words), json=body)
        assert answer.is_success, answer.text
        return answer.json()

    wait_until(alert, "the alert has come", 60)
    post("decisions", alerts=[alert()], determination="false_positive")
    proposed = post("alerts", alert(), "exception", scope="content", reason="made-up codes")["id"]
    draft = from_json(console.client.get(f"/papers/exception/{proposed}").json()["document"])
    console.hand_in(agreed.owner.sign(draft))
    assert stands() == []
    console.hand_in(agreed.officer.sign(draft))
    wait_until(lambda: stands() == ["in_force"], "the exception came", 60)
    drop(again, made_up.survey(seed=1))
    service.settled()
    wait_until(lambda: service.status()["exceptions"]["files"] == 1, "it is on record", 60)
    assert again.exists() and service.status()["exceptions"]["in_force"] == [proposed]
    (told,) = [a for a in service.ask("alerts", recorded=True) if a["path"] == str(again)]
    assert (told["disposition"], told["reason"]) == ("exempted", "exception")
    assert service.ask("alert", id=told["alert_id"])["record"]["unmapped"]["proof"] == proposed
    end = console.client.get(f"/papers/exception/{proposed}/revocation", params={"reason": "over"}).json()
    assert "revoked" in console.hand_in(agreed.owner.sign(from_json(end)))
    service.caught(again)
    assert stands() == ["revoked"]

"""What the running service does for its vault."""

from __future__ import annotations


def test_a_service_copies_what_it_takes(service, made_up, drop):
    team = service.base / "team"
    team.mkdir(mode=0o700)
    service.settings["vault"]["copy_to"] = team
    root = service.root()
    service.start()
    service.caught(drop(root / "wave4.csv", made_up.survey()))
    [entry] = service.vault_digests()
    made_up.wait((team / f"{entry}.age").exists, "the copy is there", 60)
    own = service.state / "vault" / "entries" / f"{entry}.age"
    assert (team / f"{entry}.age").read_bytes() == own.read_bytes()
    made_up.wait(lambda: service.status()["vault"]["copies"]["copied"] == 1, "status has it")

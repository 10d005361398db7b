"""A drive full of microdata is not moved as a whole; a person looks, and it goes on."""

from __future__ import annotations


def test_a_whole_drive_is_refused_told_once_and_taken_after_a_reset(service, made_up, drop):
    root = service.root(zone="removable")
    service.settings["policy.breaker"] = {"max_files_per_hour": 1000, "max_percent": 50.0, "from_files": 5}
    for number in range(12):
        drop(root / f"wave{number}.csv", made_up.survey(seed=number))
    service.start()
    service.settled()
    left = [p for p in root.iterdir() if p.suffix == ".csv"]
    assert len(left) == 7
    told = [r for r in service.alerts() if r["status_detail"] == "breaker_open"]
    assert len(told) == 1 and told[0]["severity"] == "Critical"
    assert len([r for r in service.alerts() if r["status_detail"] == "circuit_breaker"]) == 7
    assert service.status()["roots"][0]["breaker_open"]
    service.stop()
    service.start()
    service.settled()
    assert len([p for p in root.iterdir() if p.suffix == ".csv"]) == 7, "a restart does not close it"
    done = service.command("breaker", "reset", str(root))
    assert done.returncode == 0 and "1 root" in done.stdout, done.stdout + done.stderr
    made_up.wait(lambda: len([p for p in root.iterdir() if p.suffix == ".csv"]) == 2, "five more", 60)
    assert len(service.vault_digests()) == 10

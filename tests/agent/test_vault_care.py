"""What is done for the vault between files, and what `status` has of it."""

from __future__ import annotations

from pathlib import Path

from agent.ledger import Ledger
from agent.loop import Loop
from agent.telling import Host
from agent.vault_care import VaultCare
from config.settings import Vault


def test_an_empty_vault_is_verified_and_copied_nowhere(tmp_path: Path) -> None:
    ledger, loop = Ledger.open(tmp_path / "ledger.db"), Loop()
    said: list[str] = []
    settings = [Vault()]
    care = VaultCare(loop, ledger, tmp_path, Host("h", "desk"), list, said.append)
    assert care.status() == {"verified": {}, "copies": None}
    care.start(lambda: settings[0])
    for _ in range(20):
        loop.once(0.1)
        if "ended" in care.status()["verified"]:
            break
    assert care.status()["verified"]["damaged"] == []
    settings[0] = Vault(copy_to=tmp_path / "team")
    assert care.status()["copies"] == {"to": str(tmp_path / "team"), "copied": 0, "waiting": 0, "fault": ""}
    care.stop()
    loop.close()
    ledger.close()

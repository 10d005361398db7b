"""What must be so before the service starts."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from agent import service
from agent.errors import Refused, Unprotected, VaultTrouble
from config.destinations import Alerts, FileSink
from config.load import ConfigError, load
from config.settings import Protection, Service, Settings


def settings(tmp_path: Path, **more: object) -> Settings:
    return Settings(state_dir=tmp_path / "state", **more)  # type: ignore[arg-type]


def test_the_state_folder_is_made_ours_alone(tmp_path: Path) -> None:
    service.prepare_state(settings(tmp_path))
    for folder in ("state", "state/vault", "state/vault/tmp", "state/vault/entries"):
        assert (tmp_path / folder).stat().st_mode & 0o777 == 0o700
    (tmp_path / "state").chmod(0o777)
    service.prepare_state(settings(tmp_path))
    assert (tmp_path / "state").stat().st_mode & 0o777 == 0o700


def test_a_link_or_a_file_in_the_vaults_place_is_refused(tmp_path: Path) -> None:
    (tmp_path / "state").mkdir()
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "state" / "vault").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(VaultTrouble):
        service.prepare_state(settings(tmp_path))
    assert list((tmp_path / "elsewhere").iterdir()) == []


@pytest.mark.root
def test_somebody_elses_state_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "state").mkdir()
    os.chown(tmp_path / "state", 65534, 65534)
    with pytest.raises(VaultTrouble):
        service.prepare_state(settings(tmp_path))


@pytest.mark.root
def test_the_control_group_may_search_the_folder_and_nothing_else(tmp_path: Path) -> None:
    service.prepare_state(settings(tmp_path, service=Service(control_group="adm")))
    assert (tmp_path / "state").stat().st_mode & 0o777 == 0o710
    assert (tmp_path / "state" / "vault").stat().st_mode & 0o777 == 0o700


def test_a_second_service_on_the_same_state_is_refused(tmp_path: Path) -> None:
    with service.only_one(tmp_path), pytest.raises(Refused), service.only_one(tmp_path):
        pass
    with service.only_one(tmp_path):
        pass


def test_an_alert_file_that_cannot_be_opened_is_a_wrong_configuration(tmp_path: Path) -> None:
    alerts = Alerts(file=FileSink(path=tmp_path / "nowhere" / "alerts.jsonl"))
    with pytest.raises(ConfigError, match=r"alerts\.file\.path"):
        service.check_alerts(settings(tmp_path, alerts=alerts))


def test_a_compulsory_courier_user_that_is_not_there_refuses_to_start(tmp_path: Path) -> None:
    alerts = Alerts(file=FileSink(path=tmp_path / "alerts.jsonl"))
    of = Service(courier_user="no-such-user", require=(Protection.COURIER_USER,))
    with pytest.raises(Unprotected, match="courier_user"):
        service.check_alerts(settings(tmp_path, alerts=alerts, service=of))


def test_the_host_has_one_id_for_ever(tmp_path: Path) -> None:
    made = service.host_id(tmp_path)
    assert len(made) == 36
    assert service.host_id(tmp_path) == made


def test_systemd_is_told_when_it_asks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listener:
        listener.bind(str(tmp_path / "notify"))
        monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "notify"))
        service.notify("READY=1")
        assert listener.recv(100) == b"READY=1"
    monkeypatch.delenv("NOTIFY_SOCKET")
    service.notify("READY=1")


def test_the_service_imports_no_parser() -> None:
    code = (
        "import agent.service, sys;"
        "heavy = {'pandas', 'numpy', 'pyarrow', 'magic', 'lxml', 'openpyxl', 'msoffcrypto', 'ijson', 're2'};"
        "print(sorted(heavy & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-I", "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_a_vault_that_cannot_be_recovered_stops_loudly(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "state" / "vault" / "tmp" / "folder").mkdir(parents=True)  # no file: cannot be unlinked
    config = tmp_path / "config.toml"
    config.write_text(f'state_dir = "{tmp_path}/state"\n')
    with pytest.raises(VaultTrouble, match="folder"):
        service.serve(config)
    assert "PROTECTION HAS STOPPED" in capsys.readouterr().err


@pytest.mark.root
def test_a_state_folder_below_a_folder_that_others_may_change_is_refused(tmp_path: Path) -> None:
    (tmp_path / "loose").mkdir()
    (tmp_path / "loose").chmod(0o777)
    loose = Settings(state_dir=tmp_path / "loose" / "state")
    with pytest.raises(VaultTrouble, match="can be changed by others"):
        service.prepare_state(loose)
    (tmp_path / "loose").chmod(0o1777)
    service.prepare_state(loose)


def test_files_that_were_open_to_others_are_closed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    service.prepare_state(settings(tmp_path))
    for name in ("ledger.db", "audit.jsonl"):
        (tmp_path / "state" / name).touch(0o644)
    service.prepare_state(settings(tmp_path))
    assert (tmp_path / "state" / "ledger.db").stat().st_mode & 0o777 == 0o600
    assert "audit.jsonl was open to others" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("wanted", "meant", "seconds"),
    [("60000000", "", 60.0), ("", "", 0.0), ("60000000", "1", 0.0), ("soon", "", 0.0)],
)
def test_systemds_watchdog_is_fed_when_it_is_there(
    monkeypatch: pytest.MonkeyPatch, wanted: str, meant: str, seconds: float
) -> None:
    monkeypatch.setenv("WATCHDOG_USEC", wanted)
    monkeypatch.setenv("WATCHDOG_PID", meant or str(os.getpid()))
    assert service.watchdog_seconds() == seconds


def test_a_reload_feeds_no_second_watchdog(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    config = tmp_path / "config.toml"
    config.write_text(f'state_dir = "{tmp_path}"\n')
    supervisor: Any = SimpleNamespace(
        settings=load(config),
        parts=SimpleNamespace(
            template=SimpleNamespace(reload=lambda settings: None),
            tuning=SimpleNamespace(adopt=lambda local, start: local),
        ),
        adopt=lambda settings, recipients: None,
        teller=SimpleNamespace(judge=SimpleNamespace(digest="digest")),
        loop=SimpleNamespace(every=lambda seconds, call: pytest.fail("another timer")),
    )
    monkeypatch.setenv("WATCHDOG_USEC", "60000000")
    monkeypatch.setenv("WATCHDOG_PID", str(os.getpid()))
    assert service._reloader(config, supervisor)() == "digest"

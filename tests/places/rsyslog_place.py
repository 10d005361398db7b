"""Debian's rsyslog as a process of the test's own, over TCP or TLS."""

from __future__ import annotations

import contextlib
import signal
import socket
import subprocess
import time
from pathlib import Path
from typing import Any

from certificates import Authority
from sink_places import SyslogPlace

from agent.sinks.sink import Sink
from agent.sinks.syslog import SyslogSink

_TLS = """
global(DefaultNetstreamDriver="gtls" DefaultNetstreamDriverCAFile="{ca}"
       DefaultNetstreamDriverCertFile="{certificate}" DefaultNetstreamDriverKeyFile="{key}")
module(load="imtcp" StreamDriver.Name="gtls" StreamDriver.Mode="1" StreamDriver.AuthMode="{mode}")
"""
_CONFIGURATION = """
global(workDirectory="{folder}" maxMessageSize="512k" parser.escapeControlCharactersOnReceive="off")
{module}
template(name="raw" type="string" string="%rawmsg%\\n")
input(type="imtcp" address="127.0.0.1" port="{port}" ruleset="keep")
ruleset(name="keep") {{ action(type="omfile" file="{folder}/log" template="raw") }}
"""


class RsyslogPlace(SyslogPlace):
    def __init__(
        self, tmp_path: Path, authority: Authority | None, host: str = "127.0.0.1", *, asks: bool = False
    ) -> None:
        """With an authority TLS is spoken; if it `asks`, clients must show a certificate of it."""
        self._folder = tmp_path / "rsyslog"
        self._folder.mkdir()
        self._authority = authority
        self.encrypted = authority is not None
        self._module = 'module(load="imtcp")'
        if authority is not None:
            certificate, key = authority.issue(host)
            self._module = _TLS.format(
                ca=authority.file, certificate=certificate, key=key, mode="x509/certvalid" if asks else "anon"
            )
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = int(free.getsockname()[1])
        self.accept()
        self.sink = self.make()

    def make(self, timeout_seconds: float = 60.0, **other: Any) -> Sink:
        options: dict[str, Any] = {
            "transport": "tls" if self._authority else "tcp", "host": "127.0.0.1", "port": self.port,
            "path": "", "facility": 13, "mask_paths": False, "timeout_seconds": timeout_seconds,
            "ca": self._authority.pem if self._authority else "",
        } | other  # fmt: skip
        return SyslogSink(**options)

    def accept(self) -> None:
        configuration = self._folder / "conf"
        configuration.write_text(
            _CONFIGURATION.format(folder=self._folder, module=self._module, port=self.port)
        )
        command = ["rsyslogd", "-n", "-f", str(configuration), "-i", str(self._folder / "pid")]
        with (self._folder / "out").open("ab") as out:
            self._process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=out, stderr=out)
        deadline = time.monotonic() + 60
        while True:
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.port), 60):
                return
            said = (self._folder / "out").read_text()
            assert self._process.poll() is None and time.monotonic() < deadline, said
            time.sleep(0.02)

    def refuse(self) -> None:
        self._process.send_signal(signal.SIGTERM)
        self._process.wait(60)

    def received(self) -> list[bytes]:
        log = self._folder / "log"
        content = log.read_bytes() if log.exists() else b""
        return content[: content.rfind(b"\n") + 1].splitlines()

    def close(self) -> None:
        self._process.kill()
        self._process.wait(60)
        super().close()

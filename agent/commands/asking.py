"""Asking the running service over its control socket (the protocol is in `agent.control`)."""

from __future__ import annotations

import json
import socket
from pathlib import Path
from typing import Any

from agent.errors import Mistyped, NotFound, NotPermitted, NotRunning, Refused
from agent.escape import escape
from agent.socket_path import address_of
from config.settings import Settings

_TIMEOUT_SECONDS = 30.0
_START = "start it with `systemctl start recordwarden`, or try `recordwarden demo`"


def ask(settings: Settings, command: str, /, **arguments: Any) -> Any:
    """The service's result for one command; raises `NotRunning`, `NotPermitted`, `NotFound` or `Refused`."""
    return ask_at(settings.state_dir / "control.sock", command, **arguments)


def ask_at(path: Path, command: str, /, **arguments: Any) -> Any:
    """The same at another socket."""
    where = escape(path.parent)
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as line:
        line.settimeout(_TIMEOUT_SECONDS)
        try:
            with address_of(path) as address:
                line.connect(address)
            line.sendall(json.dumps({"command": command, **arguments}).encode() + b"\n")
            answer = _read_line(line)
        except (FileNotFoundError, ConnectionRefusedError):
            raise NotRunning(f"no service is running on {where}", _START) from None
        except PermissionError:
            hint = "ask as root or as a member of service.control_group"
            raise NotPermitted(f"you may not ask the service on {where}", hint) from None
        except (OSError, ValueError) as error:
            raise NotRunning("the service does not answer", "see its log") from error
    if answer.get("ok"):
        return answer.get("result")
    kinds = {"not_found": NotFound, "not_permitted": NotPermitted, "mistyped": Mistyped}
    kind = kinds.get(answer.get("error", ""), Refused)
    raise kind(escape(str(answer.get("message", "refused"))), str(answer.get("hint", "")))


def _read_line(line: socket.socket) -> dict[str, Any]:
    received = bytearray()
    while not received.endswith(b"\n"):
        chunk = line.recv(1 << 16)
        if not chunk:
            raise ValueError("the connection ended")
        received += chunk
    answer = json.loads(received)
    if not isinstance(answer, dict):
        raise ValueError("not an object")
    return answer

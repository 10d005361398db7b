"""Alerts by syslog, RFC 5424: TLS (RFC 5425), TCP with octet counting (RFC 6587), UDP (RFC 5426) or the local
socket. The message is OCSF or ECS as JSON, or CEF.

A file name is attacker text: structured data escapes `"`, `\\` and `]` (RFC 5424 §6.3.3), the
message is ASCII JSON, and header fields are cut down to what their grammar allows.

Syslog has no acknowledgement. Over TCP each record gets a connection of its own that is closed for
writing and then read to its end: the server closes it after it has read everything, and only
that counts as delivered. Over UDP nothing is ever known: use it for a second destination.
"""

from __future__ import annotations

import array
import fcntl
import re
import socket
import termios
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Literal

from agent.sinks.rendering import cef, moment, rendered
from agent.sinks.sink import DeliveryError, OneByOne, Record, bare, masked, one_line, slim, visible

if TYPE_CHECKING:
    from ssl import SSLContext

Transport = Literal["tls", "tcp", "udp", "local"]

ENTERPRISE = 32473
"""The enterprise number that RFC 5612 sets aside for examples; recordwarden has none of its own."""
DATAGRAM_BYTES = 8 * 1024
MOST_BYTES = 256 * 1024
_PARAMETER_CHARS = 512
_SEVERITY = {1: 6, 2: 5, 3: 4, 4: 3, 5: 2}
"""From OCSF severity_id to syslog severity."""
_BOM = b"\xef\xbb\xbf"


def _header(text: str, most: int) -> str:
    """A header field: printable ASCII, no space, `-` when nothing is left."""
    return re.sub(r"[^\x21-\x7e]", "", text)[:most] or "-"


def parameter(name: str, value: str) -> str:
    r"""`name="value"` with the value escaped, control characters and lone surrogates replaced."""
    return f'{name}="' + re.sub(r'(["\\\]])', r"\\\1", visible(value, _PARAMETER_CHARS)) + '"'


def message(record: Record, facility: int, most: int = MOST_BYTES, form: str = "ocsf") -> bytes:
    """One RFC 5424 message, shortened to `most` bytes by leaving out evidence, then the JSON."""
    severity = _SEVERITY.get(record.get("severity_id", 1), 5)
    host = _header(str(record.get("device", {}).get("hostname", "")), 255)
    parts = [
        f"<{facility * 8 + severity}>1 {moment(record)} {host} recordwarden - ALERT ",
        _structured(record),
    ]
    head = "".join(parts).encode("utf-8")
    for told in (record, slim(record), bare(record)):
        text = cef(told).encode("utf-8") if form == "cef" else one_line(rendered(told, form)).encode("ascii")
        whole = head + b" " + _BOM + text
        if len(whole) <= most:
            return whole
    return head


def _structured(record: Record) -> str:
    file: Mapping[str, Any] = record.get("file", {})
    parameters = {
        "id": record.get("finding_info", {}).get("uid", ""),
        "disposition": record.get("disposition", ""),
        "reason": record.get("status_detail", ""),
        "severity": record.get("severity", ""),
        "path": file.get("path", ""),
    }
    inside = " ".join(parameter(name, str(value)) for name, value in parameters.items())
    return f"[recordwarden@{ENTERPRISE} {inside}]"


class SyslogSink(OneByOne):
    """One syslog destination."""

    def __init__(
        self,
        transport: Transport,
        host: str,
        port: int,
        path: str,
        facility: int,
        mask_paths: bool,
        timeout_seconds: float,
        format: str = "ocsf",
        ca: str = "",
        certificate: str = "",
        key: str = "",
    ) -> None:
        self._transport = transport
        self._address = (host, port)
        self._path = path
        self._facility = facility
        self._mask_paths = mask_paths
        self._timeout_seconds = timeout_seconds
        self._format = format
        self._tls = (ca, certificate, key)
        self._context: SSLContext | None = None

    def deliver_one(self, record: Record) -> None:
        told = masked(record) if self._mask_paths else record
        most = MOST_BYTES if self._transport in ("tcp", "tls") else DATAGRAM_BYTES
        whole = message(told, self._facility, most, self._format)
        try:
            match self._transport:
                case "tls":
                    self._by_tls(whole)
                case "tcp":
                    self._by_tcp(whole)
                case "udp":
                    self._by_udp(whole)
                case "local":
                    self._by_local_socket(whole)
        except OSError as error:
            raise DeliveryError.of(error) from error

    def _by_tcp(self, whole: bytes) -> None:
        with socket.create_connection(self._address, timeout=self._timeout_seconds) as sock:
            sock.sendall(b"%d " % len(whole) + whole)
            sock.shutdown(socket.SHUT_WR)
            try:
                _read_to_the_end(sock)
            except TimeoutError:
                # a server that never closes: what its kernel has acknowledged counts
                if _unacknowledged_bytes(sock):
                    raise

    def _by_tls(self, whole: bytes) -> None:
        from agent.sinks import tls

        self._context = self._context or tls.context(*self._tls)
        host = self._address[0]
        with (
            socket.create_connection(self._address, timeout=self._timeout_seconds) as plain,
            self._context.wrap_socket(plain, server_hostname=host) as sock,
        ):
            # the end follows at once, and must not wait until what goes before it is acknowledged
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            sock.sendall(b"%d " % len(whole) + whole)
            tls.finish(sock)

    def _by_udp(self, whole: bytes) -> None:
        family, kind, protocol, _, address = socket.getaddrinfo(*self._address, type=socket.SOCK_DGRAM)[0]
        with socket.socket(family, kind, protocol) as sock:
            sock.settimeout(self._timeout_seconds)
            sock.connect(address)
            sock.send(whole)
            if code := sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR):
                raise OSError(code, "refused")

    def _by_local_socket(self, whole: bytes) -> None:
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sock:
            sock.settimeout(self._timeout_seconds)
            sock.connect(self._path)
            sock.send(whole)


def _read_to_the_end(sock: socket.socket) -> None:
    while sock.recv(4096):
        pass


def _unacknowledged_bytes(sock: socket.socket) -> int:
    count = array.array("i", [0])
    fcntl.ioctl(sock, termios.TIOCOUTQ, count)
    return count[0]

"""TLS as all sinks use it: 1.2 or later, the server's certificate and name always checked."""

from __future__ import annotations

import os
import ssl
from contextlib import suppress


def context(ca: str = "", certificate: str = "", key: str = "") -> ssl.SSLContext:
    """For a client. `ca` (PEM) is trusted instead of the system's authorities; with `certificate` and `key`
    (PEM) we show who we are. Raises `ssl.SSLError`, which is an `OSError`.
    """
    made = ssl.create_default_context(cadata=ca or None)
    made.minimum_version = ssl.TLSVersion.TLSv1_2
    if certificate:
        _show(made, certificate, key)
    return made


def _show(made: ssl.SSLContext, certificate: str, key: str) -> None:
    """The library reads files only, and we may have none: this one has no name and is gone with us."""
    fd = os.memfd_create("certificate", os.MFD_CLOEXEC)
    try:
        with os.fdopen(os.dup(fd), "w") as file:
            file.write(f"{certificate}\n{key}\n")
        made.load_cert_chain(f"/proc/self/fd/{fd}", password=lambda: "")
    finally:
        os.close(fd)


def finish(sock: ssl.SSLSocket) -> None:
    """Say that this was all, and wait until the other side has read to the end and closes.

    Closing without a word of its own is allowed, and usual; anything else that it does is an `OSError`. A
    server that turns us away after the handshake may look the same: syslog has no receipt that would tell."""
    with suppress(ssl.SSLEOFError, ssl.SSLZeroReturnError):
        sock.unwrap()

"""Time-based one-time passwords (RFC 6238): SHA-1, six digits, steps of 30 seconds."""

from __future__ import annotations

import base64
import hmac
import secrets
import struct
from urllib.parse import quote

import segno

STEP_SECONDS = 30


def new_secret() -> str:
    """160 bits in base32."""
    return base64.b32encode(secrets.token_bytes(20)).decode()


def code(secret: str, step: int) -> str:
    """The six digits of one time step (RFC 4226 §5.3)."""
    mac = hmac.digest(base64.b32decode(secret), struct.pack(">Q", step), "sha1")
    start = mac[-1] & 0x0F
    number = struct.unpack(">I", mac[start : start + 4])[0] & 0x7FFFFFFF
    return f"{number % 1_000_000:06d}"


def matching_step(secret: str, given: str, now: float, after: int) -> int | None:
    """The time step whose code was given: this one or a neighbour, and later than `after`."""
    digits = given.replace(" ", "")
    here = int(now // STEP_SECONDS)
    found = None
    for step in (here - 1, here, here + 1):
        if hmac.compare_digest(code(secret, step).encode(), digits.encode()) and step > after:
            found = step
    return found


def address(secret: str, name: str) -> str:
    """The otpauth address that authenticator programs read."""
    return f"otpauth://totp/recordwarden:{quote(name)}?secret={secret}&issuer=recordwarden"


def picture(secret: str, name: str) -> str:
    """That address as a QR code, an SVG element without any style of its own."""
    made: str = segno.make(address(secret, name), error="m").svg_inline(
        scale=4, border=3, svgclass="qr", lineclass=None, omitsize=True
    )
    return made

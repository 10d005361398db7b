"""Extended attributes of files in custody (access lists among them), sealed as their content is.

Users write text into attributes, so a manifest holds them as base64 of an age file of JSON {name: base64}.
A random salt is among them, so that their digest can stand beside them: they may come back by way of others
(`rewrap`) and be known again, and yet nobody can guess at them.
"""

from __future__ import annotations

import base64
import hashlib
import json
import os
from collections.abc import Sequence
from contextlib import suppress
from typing import Any

import pyrage

MAX_BYTES = 256 * 1024
_SALT = ""
"""No attribute has this name."""


class BadAttributes(Exception):
    """Damaged, for another identity, or not those that were taken."""


def seal_those_of(fd: int, recipients: Sequence[Any]) -> tuple[str, str]:
    """(the attributes of an open file, sealed; the digest of what is sealed); both "" if it has none."""
    found: dict[str, str] = {}
    room = MAX_BYTES
    with suppress(OSError):  # most removable media have none
        for name in os.listxattr(fd):
            with suppress(OSError):
                value = os.getxattr(fd, name)
                room -= len(value) + len(name)
                if room >= 0:
                    found[name] = base64.b64encode(value).decode()
    if not found:
        return "", ""
    plain = json.dumps({_SALT: os.urandom(16).hex(), **found}).encode()
    return seal(plain, recipients), hashlib.sha256(plain).hexdigest()


def seal(plain: bytes, recipients: Sequence[Any]) -> str:
    """What a manifest holds of them."""
    return base64.b64encode(pyrage.encrypt(plain, recipients)).decode()


def unseal(sealed: str, sha256: str, identities: Sequence[Any]) -> bytes:
    """What is sealed, if it has this digest ("": from before there was one). Raises `BadAttributes`."""
    if not sealed:
        return b""
    try:
        plain: bytes = pyrage.decrypt(base64.b64decode(sealed), identities)
    except (pyrage.DecryptError, ValueError):
        raise BadAttributes("damaged, or not encrypted for this identity") from None
    if sha256 and hashlib.sha256(plain).hexdigest() != sha256:
        raise BadAttributes("the attributes are not what was taken")
    return plain


def named(plain: bytes) -> dict[str, bytes]:
    """Attributes by name; raises `BadAttributes`."""
    try:
        found = json.loads(plain) if plain else {}
        found.pop(_SALT, None)
        return {name: base64.b64decode(value, validate=True) for name, value in found.items()}
    except (ValueError, AttributeError, TypeError):
        raise BadAttributes("the attributes are damaged") from None

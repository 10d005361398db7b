"""Whether a file lies in a folder under fscrypt: `FS_IOC_GET_ENCRYPTION_POLICY_EX` of ioctl(2).

Asked by the keeper of the descriptor that it judges, because it touches the medium. A FUSE server could
answer anything: only the kernel's own file systems are believed (`agent.platform.linux_encryption.FSCRYPT`),
and the supervisor, who knows which one it is, decides that.
"""

from __future__ import annotations

import fcntl
import struct

_GET_POLICY_EX = 0xC0096616
_SIZE = struct.Struct("=Q")
_MODES = {1: "AES-256-XTS", 5: "AES-128-CBC", 7: "SM4-XTS", 9: "Adiantum"}
"""Of contents, by <linux/fscrypt.h>; none of them is a null cipher."""
_POLICY_BYTES = {0: 12, 2: 24}
"""Of `fscrypt_policy_v1` and `_v2`, by their version number."""


def proof_of(fd: int) -> str:
    """The policy that encrypts the contents of this open file, in words; "" if there is none."""
    most = max(_POLICY_BYTES.values())
    buffer = bytearray(_SIZE.pack(most) + bytes(most))
    try:
        fcntl.ioctl(fd, _GET_POLICY_EX, buffer)
    except OSError:  # ENODATA: not encrypted; ENOTTY: the file system cannot
        return ""
    version, contents = buffer[_SIZE.size], buffer[_SIZE.size + 1]
    mode = _MODES.get(contents)
    if version not in _POLICY_BYTES or mode is None:
        return ""
    return f"fscrypt {mode}"

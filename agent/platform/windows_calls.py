"""The calls to Windows that tell about volumes, and the one that removes a file; they decide nothing.

Written from documentation and never run on a machine: see docs/platforms.md. Elsewhere each raises OSError.
"""

from __future__ import annotations

import ctypes
import os
import subprocess
import sys
from pathlib import PureWindowsPath
from typing import Any

from agent.volume_facts import Mount

DRIVE_UNKNOWN, DRIVE_FIXED, DRIVE_REMOTE = 0, 3, 4
DELETE, READ_ATTRIBUTES, SYNCHRONIZE = 0x00010000, 0x80, 0x00100000
_OPEN_EXISTING, _SHARE_ALL = 3, 7
_OPEN_REPARSE_POINT = 0x00200000
_STORAGE_QUERY_PROPERTY = 0x002D1400
_FILE_ID_INFO, _FILE_DISPOSITION_INFO_EX = 18, 21
_DISPOSITION_DELETE, _DISPOSITION_POSIX, _DISPOSITION_READ_ONLY_TOO = 0x1, 0x2, 0x10
_DESCRIPTOR_BYTES = 1024
_SECONDS = 30

_CLASS = "-Namespace root/CIMV2/Security/MicrosoftVolumeEncryption -ClassName Win32_EncryptableVolume"
_ASKED = ("ProtectionStatus", "ConversionStatus", "EncryptionMethod")
BITLOCKER = (
    f"Get-CimInstance {_CLASS} | ForEach-Object {{ [pscustomobject]@{{"
    " DriveLetter = $_.DriveLetter; PersistentVolumeID = $_.PersistentVolumeID; "
    + "; ".join(f"{name} = (Invoke-CimMethod $_ Get{name}).{name}" for name in _ASKED)
    + " } } | ConvertTo-Json -Compress"
)
"""Numbers: what `manage-bde -status` prints is in the language of the machine. Needs an administrator."""


class FileId(ctypes.Structure):
    """FILE_ID_INFO: what tells a file from every other one."""

    _fields_ = (("volume", ctypes.c_uint64), ("file", ctypes.c_ubyte * 16))


def library(name: str) -> Any:
    """A library of Windows."""
    if sys.platform == "win32":
        return ctypes.WinDLL(name, use_last_error=True)
    else:
        raise OSError(f"{name} is a library of Windows")


def fault() -> OSError:
    """What went wrong with the last call."""
    if sys.platform == "win32":
        return ctypes.WinError(ctypes.get_last_error())
    else:
        return OSError("not Windows")


def mounted() -> list[Mount]:
    """The drives that have a letter, with what is not known left empty."""
    import psutil

    parts = psutil.disk_partitions(all=True)
    return [
        Mount(number, "", "/", part.mountpoint, tuple(part.opts.split(",")), part.fstype, part.device)
        for number, part in enumerate(parts, 1)
    ]


def drive_type(drive: str) -> int:
    """GetDriveTypeW of `E:\\`."""
    return int(library("kernel32").GetDriveTypeW(ctypes.c_wchar_p(drive)))


def storage_descriptor(drive: str) -> bytes:
    """STORAGE_DEVICE_DESCRIPTOR of the disk below `E:\\`; opened without a right to its content."""
    kernel = library("kernel32")
    handle = _open("\\\\.\\" + drive.rstrip("\\"), 0)
    try:
        query = (ctypes.c_uint32 * 3)()  # StorageDeviceProperty, PropertyStandardQuery
        answer, length = ctypes.create_string_buffer(_DESCRIPTOR_BYTES), ctypes.c_uint32()
        if not kernel.DeviceIoControl(
            handle, _STORAGE_QUERY_PROPERTY, query, ctypes.sizeof(query), answer, len(answer),
            ctypes.byref(length), None,
        ):  # fmt: skip
            raise fault()
        return answer.raw[: length.value]
    finally:
        kernel.CloseHandle(handle)


def bitlocker() -> str:
    """What `BITLOCKER` prints: a JSON object, or a list of them."""
    program = PureWindowsPath(
        os.environ.get("SYSTEMROOT", "C:\\Windows"), "System32/WindowsPowerShell/v1.0/powershell.exe"
    )
    command = [str(program), "-NoProfile", "-NonInteractive", "-Command", BITLOCKER]
    try:
        done = subprocess.run(command, capture_output=True, timeout=_SECONDS, check=True)
    except subprocess.SubprocessError as error:
        raise OSError("PowerShell gave no answer") from error
    return done.stdout.decode("ascii", "replace")


def remove(path: str, vaulted: FileId) -> bool:
    """Remove the very file that was vaulted, by its handle, and no other that took its name meanwhile.

    Neither link nor junction at its end is followed. No right is taken that is not there: owner and access
    list stay as they are, and where they forbid it OSError says so. False if the name now is another file's.
    """
    kernel = library("kernel32")
    handle = _open(path, DELETE | READ_ATTRIBUTES | SYNCHRONIZE, _OPEN_REPARSE_POINT)
    try:
        found = FileId()
        if not kernel.GetFileInformationByHandleEx(
            handle, _FILE_ID_INFO, ctypes.byref(found), ctypes.sizeof(found)
        ):
            raise fault()
        if bytes(found) != bytes(vaulted):
            return False
        how = ctypes.c_uint32(_DISPOSITION_DELETE | _DISPOSITION_POSIX | _DISPOSITION_READ_ONLY_TOO)
        if not kernel.SetFileInformationByHandle(
            handle, _FILE_DISPOSITION_INFO_EX, ctypes.byref(how), ctypes.sizeof(how)
        ):
            raise fault()
        return True
    finally:
        kernel.CloseHandle(handle)


def _open(path: str, access: int, flags: int = 0) -> ctypes.c_void_p:
    kernel = library("kernel32")
    kernel.CreateFileW.restype = ctypes.c_void_p
    handle = kernel.CreateFileW(ctypes.c_wchar_p(path), access, _SHARE_ALL, None, _OPEN_EXISTING, flags, None)
    if handle in (None, ctypes.c_void_p(-1).value):
        raise fault()
    return ctypes.c_void_p(handle)

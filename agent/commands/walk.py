"""Walk what a person named, by descriptors and without following links.

A link that the person typed is followed, one found on the way is not: its target is either found
under its own name or lies outside of what was asked for.
"""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from detectors.engine.verdict import Reason

MAX_DEPTH = 256
"""Folders within folders; each holds a descriptor open while the walk is below it."""

_PSEUDO = """
    proc sysfs devtmpfs devpts cgroup cgroup2 debugfs tracefs securityfs bpf mqueue configfs efivarfs
    fusectl pstore binfmt_misc hugetlbfs rpc_pipefs nsfs autofs
"""
"""File systems that hold the kernel's state and no files of anybody."""

_REASONS = {
    errno.ENOENT: Reason.GONE,
    errno.ENOTDIR: Reason.GONE,
    errno.ESTALE: Reason.GONE,
    errno.ENODEV: Reason.GONE,
    errno.ELOOP: Reason.LINK,
    errno.EACCES: Reason.NO_ACCESS,
    errno.EPERM: Reason.NO_ACCESS,
    errno.ENXIO: Reason.NOT_REGULAR,
}


@dataclass(frozen=True, slots=True)
class Found:
    """One thing met on the walk: a regular file, open for reading, or the reason why it is not.

    Whoever receives it closes `descriptor`.
    """

    path: str
    descriptor: int = -1
    size: int = 0
    reason: Reason | None = None


def walk(top: str) -> Iterator[Found]:
    """All files at and below `top`, in the order of their names."""
    try:
        known = Path(top).stat()
        if stat.S_ISREG(known.st_mode):
            yield _open_file(top, top, None, follow=True)
            return
        if not stat.S_ISDIR(known.st_mode):
            yield Found(top, reason=Reason.NOT_REGULAR)
            return
        descriptor = os.open(top, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except OSError as error:
        yield Found(top, reason=reason_of(error))
        return
    yield from _walk_folder(top, descriptor, _pseudo_devices())


def measure(top: str) -> Iterator[int]:
    """The sizes of the files that `walk` will meet, for a progress bar; faults are left to `walk`."""
    if not (given := Path(top)).is_dir():
        yield given.stat().st_size if given.is_file() else 0
        return
    pseudo = _pseudo_devices()
    for _, folders, names, descriptor in os.fwalk(top):
        if os.fstat(descriptor).st_dev in pseudo:
            folders.clear()
            continue
        for name in names:
            try:
                known = os.stat(name, dir_fd=descriptor, follow_symlinks=False)
            except OSError:
                continue
            yield known.st_size if stat.S_ISREG(known.st_mode) else 0


def reason_of(error: OSError) -> Reason:
    """Why a file could not be opened, as a reason code."""
    return _REASONS.get(error.errno or 0, Reason.IO_ERROR)


def _walk_folder(top: str, descriptor: int, pseudo: frozenset[int]) -> Iterator[Found]:
    """Depth first, with one open descriptor for each folder above the current file."""
    stack: list[tuple[str, int, Iterator[str]]] = []
    try:
        yield from _enter(stack, top, descriptor)
        while stack:
            folder, above, names = stack[-1]
            name = next(names, None)
            if name is None:
                os.close(above)
                stack.pop()
                continue
            path = os.path.join(folder, name)
            try:
                known = os.stat(name, dir_fd=above, follow_symlinks=False)
                if not stat.S_ISDIR(known.st_mode):
                    yield _open_file(path, name, above)
                elif len(stack) >= MAX_DEPTH:
                    yield Found(path, reason=Reason.LIMIT_DEPTH)
                elif known.st_dev in pseudo:
                    yield Found(path, reason=Reason.NOT_REGULAR)
                else:
                    flags = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
                    yield from _enter(stack, path, os.open(name, flags, dir_fd=above))
            except OSError as error:
                yield Found(path, reason=reason_of(error))
    finally:
        for _, left, _ in stack:
            os.close(left)


def _enter(stack: list[tuple[str, int, Iterator[str]]], path: str, descriptor: int) -> Iterator[Found]:
    """Put a folder on the stack, or yield why it cannot be listed."""
    try:
        stack.append((path, descriptor, iter(sorted(os.listdir(descriptor)))))
    except OSError as error:
        os.close(descriptor)
        yield Found(path, reason=reason_of(error))


def _open_file(path: str, name: str, above: int | None, *, follow: bool = False) -> Found:
    """Open one file if it is regular. Looked at before it is opened: opening a device may act on it."""
    try:
        known = os.stat(name, dir_fd=above, follow_symlinks=follow)
        if stat.S_ISLNK(known.st_mode):
            return Found(path, reason=Reason.LINK)
        if not stat.S_ISREG(known.st_mode):
            return Found(path, reason=Reason.NOT_REGULAR)
        descriptor = _open_unfelt(name, above, 0 if follow else os.O_NOFOLLOW)
    except OSError as error:
        return Found(path, reason=reason_of(error))
    opened = os.fstat(descriptor)
    if not stat.S_ISREG(opened.st_mode):
        os.close(descriptor)
        return Found(path, reason=Reason.NOT_REGULAR)
    return Found(path, descriptor, opened.st_size)


def _open_unfelt(name: str, above: int | None, flags: int) -> int:
    """Open for reading, leaving the access time alone where we may: a scan changes nothing."""
    flags |= os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC
    try:
        return os.open(name, flags | getattr(os, "O_NOATIME", 0), dir_fd=above)
    except PermissionError:
        return os.open(name, flags, dir_fd=above)


def _pseudo_devices() -> frozenset[int]:
    try:
        lines = Path("/proc/self/mountinfo").read_bytes().splitlines()
    except OSError:
        return frozenset()
    found, names = set(), _PSEUDO.split()
    for line in lines:
        before, _, after = line.partition(b" - ")
        if after.split(b" ")[0].decode("ascii", "replace") in names:
            major, _, minor = before.split(b" ")[2].partition(b":")
            found.add(os.makedev(int(major), int(minor)))
    return frozenset(found)

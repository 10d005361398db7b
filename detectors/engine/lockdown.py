"""The walls around a worker: user, namespaces, limits, Landlock and seccomp.

Two steps. The template calls `settle_in` once, after it has imported everything: namespaces and
user. Each worker calls `Walls.close` before it touches a byte of a file. Both return a `Report`:
protection (a `config.settings.Protection` value) -> "" when it is on, else why it is missing.

Landlock and seccomp need no library at this point: the filter is compiled beforehand by
`Walls.prepare` (libseccomp) and loaded with one prctl, so that a worker costs little.
"""

from __future__ import annotations

import ctypes
import os
import pwd
import resource
import struct
import tempfile
from collections.abc import Callable
from dataclasses import dataclass

Report = dict[str, str]

WORKER_USER = "worker_user"
NETWORK_NAMESPACE = "network_namespace"
LANDLOCK = "landlock"
SECCOMP = "seccomp"
RLIMITS = "rlimits"
NO_NEW_PRIVILEGES = "no_new_privileges"
WALLS = frozenset({LANDLOCK, SECCOMP, RLIMITS, NO_NEW_PRIVILEGES})
PROTECTIONS = WALLS | {WORKER_USER, NETWORK_NAMESPACE}

_libc = ctypes.CDLL(None, use_errno=True)

_CLONE_NEWNS, _CLONE_NEWIPC, _CLONE_NEWUSER, _CLONE_NEWNET = 0x00020000, 0x08000000, 0x10000000, 0x40000000
_CLONE_THREAD = 0x00010000
_PR_SET_PDEATHSIG, _PR_SET_DUMPABLE, _PR_SET_SECCOMP, _PR_SET_NO_NEW_PRIVS = 1, 4, 22, 38
_SECCOMP_MODE_FILTER = 2
_LANDLOCK_CREATE_RULESET, _LANDLOCK_RESTRICT_SELF = 444, 446
_LANDLOCK_ASK_VERSION = 1

# Fewest that Python, its decompressors and its allocators need to read one descriptor and answer.
_PLAIN_CALLS = (
    "read", "readv", "pread64", "preadv", "preadv2", "lseek", "write", "close", "fstat",
    "brk", "munmap", "mremap", "madvise",
    "futex", "sched_yield", "sched_getaffinity", "rseq", "set_robust_list", "get_robust_list",
    "rt_sigaction", "rt_sigprocmask", "rt_sigreturn", "sigaltstack", "restart_syscall",
    "clock_gettime", "clock_getres", "gettimeofday", "time", "clock_nanosleep", "nanosleep",
    "getrandom", "getpid", "gettid", "getrusage", "sysinfo", "uname",
    "poll", "ppoll", "exit", "exit_group",
)  # fmt: skip
_F_DUPFD, _F_GETFD, _F_GETFL, _F_DUPFD_CLOEXEC = 0, 1, 3, 1030
_AT_EMPTY_PATH, _PROT_EXEC = 0x1000, 4


@dataclass(frozen=True, slots=True)
class Bounds:
    """What one worker may use up: seconds of processor time, bytes of data, open descriptors."""

    cpu_seconds: int
    memory_bytes: int
    descriptors: int = 64


def landlock_abi() -> int:
    """The version of Landlock that this kernel offers; 0 for none."""
    return max(0, int(_libc.syscall(_LANDLOCK_CREATE_RULESET, None, 0, _LANDLOCK_ASK_VERSION)))


def landlock_rights(abi: int) -> tuple[int, int, int]:
    """All rights that Landlock version `abi` can deny: on files, on the network, on scopes.

    Source: include/uapi/linux/landlock.h. An unknown bit is refused by an older kernel.
    """
    files = (1 << 13) - 1
    if abi >= 2:
        files |= 1 << 13  # rename and link across folders
    if abi >= 3:
        files |= 1 << 14  # truncate
    if abi >= 5:
        files |= 1 << 15  # ioctl on devices
    network = 0b11 if abi >= 4 else 0  # TCP bind, connect
    scopes = 0b11 if abi >= 6 else 0  # abstract sockets, signals
    return files, network, scopes


def settle_in(user: str) -> Report:
    """Leave the network, IPC and mounts of the machine, and become `user`. For the template, once.

    Without privilege a namespace of our own users is tried, which gives the same empty network.
    """
    report: Report = {NETWORK_NAMESPACE: "", WORKER_USER: ""}
    root = os.geteuid() == 0
    spaces = _CLONE_NEWNET | _CLONE_NEWIPC | (_CLONE_NEWNS if root else _CLONE_NEWUSER)
    if _libc.unshare(ctypes.c_int(spaces)) != 0:
        report[NETWORK_NAMESPACE] = f"unshare refused: {_error()}"
    if not root:
        report[WORKER_USER] = "not started as root"
    else:
        try:
            account = pwd.getpwnam(user)
            os.setgroups([])
            os.setresgid(account.pw_gid, account.pw_gid, account.pw_gid)
            os.setresuid(account.pw_uid, account.pw_uid, account.pw_uid)
            if account.pw_uid == 0:
                report[WORKER_USER] = "the worker's user is root"
        except KeyError:
            report[WORKER_USER] = "no such user"
        except OSError as error:
            report[WORKER_USER] = f"cannot become the user: {error.strerror}"
    forbid_dumps()
    return report


def forbid_dumps() -> None:
    """No core file and no look into memory from beside: either could hold what a file holds."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    _libc.prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0)


def die_with_parent(parent: int) -> None:
    """Have the kernel kill this process when its parent ends, however that ends."""
    _libc.prctl(_PR_SET_PDEATHSIG, 9, 0, 0, 0)
    if os.getppid() != parent:
        os._exit(0)


class Walls:
    """What every worker is put behind. Made once, closed in each worker."""

    def __init__(self, filter_program: bytes, filter_missing: str, threads: bool = False) -> None:
        self._program = filter_program
        self._filter_missing = filter_missing
        self._threads = threads

    @classmethod
    def prepare(cls, threads: bool = False) -> Walls:
        """Compile the filter. `threads`: the parsers of this tier start threads of their own."""
        try:
            return cls(_compile_filter(threads), "", threads)
        except (ImportError, RuntimeError, OSError, AttributeError) as error:
            return cls(b"", f"libseccomp cannot be used: {type(error).__name__}")

    def close(self, bounds: Bounds) -> Report:
        """Put this process behind the walls, for good."""
        report: Report = {}
        for protection, wall in (
            (RLIMITS, lambda: _limit(bounds, self._threads)),
            (NO_NEW_PRIVILEGES, _no_new_privileges),
            (LANDLOCK, _landlock),
            (SECCOMP, self._seccomp),
        ):
            report[protection] = _tried(wall)
        return report

    def _seccomp(self) -> None:
        if not self._program:
            raise OSError(0, self._filter_missing)
        code = ctypes.create_string_buffer(self._program, len(self._program))
        program = struct.pack("@HP", len(self._program) // 8, ctypes.addressof(code))
        if _libc.prctl(_PR_SET_SECCOMP, _SECCOMP_MODE_FILTER, ctypes.c_char_p(program), 0, 0) != 0:
            raise OSError(ctypes.get_errno(), f"filter refused: {_error()}")


def _tried(wall: Callable[[], None]) -> str:
    try:
        wall()
    except (OSError, ValueError) as error:
        return (str(error.args[-1]) if error.args else "") or "refused"
    return ""


def _error() -> str:
    return os.strerror(ctypes.get_errno())


def _limit(bounds: Bounds, threads: bool) -> None:
    if not threads:  # it counts threads as well; without it the filter still forbids processes
        resource.setrlimit(resource.RLIMIT_NPROC, (0, 0))
    for what, most in (
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_MEMLOCK, 0),
        (resource.RLIMIT_NOFILE, bounds.descriptors),
        (resource.RLIMIT_CPU, bounds.cpu_seconds),
        (resource.RLIMIT_DATA, bounds.memory_bytes),
    ):
        _, hard = resource.getrlimit(what)
        if hard != resource.RLIM_INFINITY:
            most = min(most, hard)
        resource.setrlimit(what, (most, most))


def _no_new_privileges() -> None:
    if _libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), _error())


def _landlock() -> None:
    abi = landlock_abi()
    if abi < 1:
        raise OSError(0, "the kernel has no Landlock")
    files, network, scopes = landlock_rights(abi)
    attributes = struct.pack("=QQQ", files, network, scopes)[: 24 if abi >= 6 else 16 if abi >= 4 else 8]
    ruleset = _libc.syscall(_LANDLOCK_CREATE_RULESET, ctypes.c_char_p(attributes), len(attributes), 0)
    if ruleset < 0:
        raise OSError(ctypes.get_errno(), f"no ruleset: {_error()}")
    try:
        # No rule is added: nothing can be opened at all.
        if _libc.syscall(_LANDLOCK_RESTRICT_SELF, ruleset, 0) != 0:
            raise OSError(ctypes.get_errno(), f"not restricted: {_error()}")
    finally:
        os.close(ruleset)


def _compile_filter(threads: bool) -> bytes:
    """The seccomp filter as a BPF program: an allow-list; everything else fails with EPERM."""
    import pyseccomp as sc

    rules = sc.SyscallFilter(sc.ERRNO(1))
    for call in _PLAIN_CALLS:
        rules.add_rule(sc.ALLOW, call)
    for command in (_F_DUPFD, _F_GETFD, _F_GETFL, _F_DUPFD_CLOEXEC):
        rules.add_rule(sc.ALLOW, "fcntl", sc.Arg(1, sc.EQ, command))
    # How the C library asks about a descriptor it has; never memory that can be run.
    rules.add_rule(sc.ALLOW, "newfstatat", sc.Arg(3, sc.EQ, _AT_EMPTY_PATH))
    rules.add_rule(sc.ALLOW, "mmap", sc.Arg(2, sc.MASKED_EQ, _PROT_EXEC, 0))
    rules.add_rule(sc.ALLOW, "mprotect", sc.Arg(2, sc.MASKED_EQ, _PROT_EXEC, 0))
    if threads:
        rules.add_rule(sc.ALLOW, "clone", sc.Arg(0, sc.MASKED_EQ, _CLONE_THREAD, _CLONE_THREAD))
        rules.add_rule(
            sc.ERRNO(38), "clone3"
        )  # its flags cannot be seen: "no such call" makes glibc use clone
    with tempfile.TemporaryFile() as out:
        rules.export_bpf(out)
        out.seek(0)
        return out.read()

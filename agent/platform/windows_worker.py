"""A process that reads hostile files on Windows: fewer rights than ours, and a job object that bounds it.

The token has no privilege but to pass folders and writes nothing (low integrity); it can still read what
everybody may read and reach the network, which a worker on Linux cannot. Written from documentation and never
run on a machine: see docs/platforms.md. Elsewhere each call raises OSError.
"""

from __future__ import annotations

import ctypes
import subprocess
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from typing import Any

from agent.platform.windows_calls import fault, library

DISABLE_MAX_PRIVILEGE = 0x1
_TOKEN_RIGHTS = 0x1 | 0x2 | 0x8 | 0x80  # assign primary, duplicate, query, adjust default
_TOKEN_INTEGRITY_LEVEL, _SE_GROUP_INTEGRITY = 25, 0x20
_LOW_INTEGRITY = "S-1-16-4096"
_JOB_UI, _JOB_LIMITS, _ALL_OF_UI = 4, 9, 0xFF
LIMIT_JOB_TIME, LIMIT_ACTIVE_PROCESS, LIMIT_PROCESS_MEMORY = 0x4, 0x8, 0x100
LIMIT_DIE_ON_UNHANDLED_EXCEPTION, LIMIT_KILL_ON_JOB_CLOSE = 0x400, 0x2000
_SUSPENDED, _NO_WINDOW = 0x4, 0x08000000
_THIS_PROCESS = -1
_TICKS_PER_SECOND = 10_000_000


class BasicLimits(ctypes.Structure):
    """JOBOBJECT_BASIC_LIMIT_INFORMATION."""

    _fields_ = (
        ("process_time", ctypes.c_int64), ("job_time", ctypes.c_int64), ("flags", ctypes.c_uint32),
        ("least_working_set", ctypes.c_size_t), ("most_working_set", ctypes.c_size_t),
        ("active_processes", ctypes.c_uint32), ("affinity", ctypes.c_size_t),
        ("priority_class", ctypes.c_uint32), ("scheduling_class", ctypes.c_uint32),
    )  # fmt: skip


class JobLimits(ctypes.Structure):
    """JOBOBJECT_EXTENDED_LIMIT_INFORMATION."""

    _fields_ = (
        ("basic", BasicLimits), ("io", ctypes.c_uint64 * 6), ("process_memory", ctypes.c_size_t),
        ("job_memory", ctypes.c_size_t), ("peak_process", ctypes.c_size_t), ("peak_job", ctypes.c_size_t),
    )  # fmt: skip


class Label(ctypes.Structure):
    """TOKEN_MANDATORY_LABEL."""

    _fields_ = (("sid", ctypes.c_void_p), ("attributes", ctypes.c_uint32))


class StartupInfo(ctypes.Structure):
    """STARTUPINFOW."""

    _fields_ = (
        ("size", ctypes.c_uint32), ("texts", ctypes.c_void_p * 3), ("numbers", ctypes.c_uint32 * 8),
        ("words", ctypes.c_uint16 * 2), ("reserved", ctypes.c_void_p), ("streams", ctypes.c_void_p * 3),
    )  # fmt: skip


class Process(ctypes.Structure):
    """PROCESS_INFORMATION."""

    _fields_ = (
        ("process", ctypes.c_void_p), ("thread", ctypes.c_void_p),
        ("process_id", ctypes.c_uint32), ("thread_id", ctypes.c_uint32),
    )  # fmt: skip


def job_limits(memory_bytes: int, cpu_seconds: int) -> JobLimits:
    """One process that starts no other, dies with us, and has so much memory and time."""
    limits = JobLimits()
    limits.basic.flags = (
        LIMIT_JOB_TIME | LIMIT_ACTIVE_PROCESS | LIMIT_PROCESS_MEMORY
        | LIMIT_DIE_ON_UNHANDLED_EXCEPTION | LIMIT_KILL_ON_JOB_CLOSE
    )  # fmt: skip
    limits.basic.job_time = cpu_seconds * _TICKS_PER_SECOND
    limits.basic.active_processes = 1
    limits.process_memory = memory_bytes
    return limits


def start(command: Sequence[str], memory_bytes: int, cpu_seconds: int) -> tuple[Process, ctypes.c_void_p]:
    """Start a program that is confined from its first instruction on: the process and its job, whose handle
    ends it when closed. OSError if any step failed; nothing runs then."""
    kernel, security = library("kernel32"), library("advapi32")
    startup, process = StartupInfo(size=ctypes.sizeof(StartupInfo)), Process()
    line = ctypes.create_unicode_buffer(subprocess.list2cmdline(command))
    with ExitStack() as opened, ExitStack() as on_failure:
        token = _token(security, opened.callback, kernel)
        job = _job(kernel, job_limits(memory_bytes, cpu_seconds), on_failure.callback)
        must(
            security.CreateProcessAsUserW(
                token, None, line, None, None, False, _SUSPENDED | _NO_WINDOW, None, None,
                ctypes.byref(startup), ctypes.byref(process),
            )
        )  # fmt: skip
        opened.callback(kernel.CloseHandle, ctypes.c_void_p(process.thread))
        on_failure.callback(kernel.TerminateProcess, ctypes.c_void_p(process.process), 1)
        must(kernel.AssignProcessToJobObject(job, ctypes.c_void_p(process.process)))
        must(kernel.ResumeThread(ctypes.c_void_p(process.thread)) >= 0)
        on_failure.pop_all()
    return process, job


def must(succeeded: object) -> None:
    """Raise what went wrong with the last call if it did not succeed."""
    if not succeeded:
        raise fault()


def _job(kernel: Any, limits: JobLimits, when_failed: Callable[..., object]) -> ctypes.c_void_p:
    kernel.CreateJobObjectW.restype = ctypes.c_void_p
    job = ctypes.c_void_p(kernel.CreateJobObjectW(None, None))
    must(job.value)
    when_failed(kernel.CloseHandle, job)
    must(kernel.SetInformationJobObject(job, _JOB_LIMITS, ctypes.byref(limits), ctypes.sizeof(limits)))
    ui = ctypes.c_uint32(_ALL_OF_UI)
    must(kernel.SetInformationJobObject(job, _JOB_UI, ctypes.byref(ui), ctypes.sizeof(ui)))
    return job


def _token(security: Any, when_done: Callable[..., object], kernel: Any) -> ctypes.c_void_p:
    own, token, sid = ctypes.c_void_p(), ctypes.c_void_p(), ctypes.c_void_p()
    must(security.OpenProcessToken(ctypes.c_void_p(_THIS_PROCESS), _TOKEN_RIGHTS, ctypes.byref(own)))
    when_done(kernel.CloseHandle, own)
    must(
        security.CreateRestrictedToken(
            own, DISABLE_MAX_PRIVILEGE, 0, None, 0, None, 0, None, ctypes.byref(token)
        )
    )
    when_done(kernel.CloseHandle, token)
    must(security.ConvertStringSidToSidW(ctypes.c_wchar_p(_LOW_INTEGRITY), ctypes.byref(sid)))
    when_done(kernel.LocalFree, sid)
    label = Label(sid, _SE_GROUP_INTEGRITY)
    must(
        security.SetTokenInformation(token, _TOKEN_INTEGRITY_LEVEL, ctypes.byref(label), ctypes.sizeof(label))
    )
    return token

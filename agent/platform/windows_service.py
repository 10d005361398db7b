"""`python -m agent.platform.windows_service`: answers Windows' service manager and tells the Event Log.

It has nothing to serve yet and says so: the service itself runs on Linux only. Written from documentation and
never run on a machine: see docs/platforms.md. Elsewhere each call raises OSError.
"""

from __future__ import annotations

import ctypes
import sys
import threading
from collections.abc import Callable

from agent.platform.windows_calls import fault, library

NAME = "recordwarden"
STOPPED, START_PENDING, STOP_PENDING, RUNNING = 1, 2, 3, 4
STOP, INTERROGATE, SHUTDOWN = 1, 4, 5
_OWN_PROCESS, _ACCEPT_STOP, _ACCEPT_SHUTDOWN = 0x10, 0x1, 0x4
_NO_ERROR, _SERVICE_SPECIFIC, _NOT_IMPLEMENTED = 0, 1066, 120
_WAIT_MILLISECONDS = 30_000
ERROR, WARNING, INFORMATION = 1, 2, 4
UNAVAILABLE = 69
NOT_YET = "recordwarden does not watch on Windows yet: nothing on this machine is protected by it."

if sys.platform == "win32":
    _FUNCTION = ctypes.WINFUNCTYPE
else:
    _FUNCTION = ctypes.CFUNCTYPE
_Main = _FUNCTION(None, ctypes.c_uint32, ctypes.c_void_p)
_Control = _FUNCTION(ctypes.c_uint32, ctypes.c_uint32, ctypes.c_uint32, ctypes.c_void_p, ctypes.c_void_p)


class Status(ctypes.Structure):
    """SERVICE_STATUS."""

    _fields_ = tuple(
        (name, ctypes.c_uint32)
        for name in ("kind", "state", "accepts", "exit_code", "own_exit_code", "checkpoint", "wait")
    )


class Entry(ctypes.Structure):
    """SERVICE_TABLE_ENTRYW."""

    _fields_ = (("name", ctypes.c_wchar_p), ("main", _Main))


def status(state: int, exit_code: int = 0) -> Status:
    """What the service manager is told. An exit code of ours is a service-specific error, so that the
    failure actions of the service apply."""
    return Status(
        kind=_OWN_PROCESS,
        state=state,
        accepts=_ACCEPT_STOP | _ACCEPT_SHUTDOWN if state == RUNNING else 0,
        exit_code=_SERVICE_SPECIFIC if exit_code else _NO_ERROR,
        own_exit_code=exit_code,
        wait=_WAIT_MILLISECONDS if state in (START_PENDING, STOP_PENDING) else 0,
    )


def event_type(severity_id: int) -> int:
    """The Event Log's word for a severity of OCSF: high and above are errors, low and medium warnings."""
    return ERROR if severity_id in (4, 5, 6) else WARNING if severity_id in (2, 3) else INFORMATION


def tell(text: str, kind: int, event_id: int = 1) -> None:
    """One entry in the Application log. No content and no name of a file belongs here unescaped."""
    security = library("advapi32")
    security.RegisterEventSourceW.restype = ctypes.c_void_p
    source = ctypes.c_void_p(security.RegisterEventSourceW(None, ctypes.c_wchar_p(NAME)))
    if not source.value:
        raise fault()
    try:
        texts = (ctypes.c_wchar_p * 1)(text)
        if not security.ReportEventW(source, kind, 0, event_id, None, 1, 0, texts, None):
            raise fault()
    finally:
        security.DeregisterEventSource(source)


def serve(body: Callable[[threading.Event], int]) -> int:
    """Run `body` as this process's service until it ends; its event is set when the service shall stop."""
    security = library("advapi32")
    security.RegisterServiceCtrlHandlerExW.restype = ctypes.c_void_p
    stop, codes, handles = threading.Event(), [UNAVAILABLE], [ctypes.c_void_p()]

    def report(told: Status) -> None:
        security.SetServiceStatus(handles[0], ctypes.byref(told))

    def on_control(control: int, kind: int, data: object, context: object) -> int:
        if control in (STOP, SHUTDOWN):
            report(status(STOP_PENDING))
            stop.set()
        return _NO_ERROR if control in (STOP, SHUTDOWN, INTERROGATE) else _NOT_IMPLEMENTED

    def on_start(count: int, arguments: object) -> None:
        handles[0] = ctypes.c_void_p(
            security.RegisterServiceCtrlHandlerExW(ctypes.c_wchar_p(NAME), control, None)
        )
        report(status(RUNNING))
        try:
            codes[0] = body(stop)
        finally:
            report(status(STOPPED, codes[0]))

    control, main = _Control(on_control), _Main(on_start)  # kept until the dispatcher returns
    table = (Entry * 2)(Entry(NAME, main), Entry())
    if not security.StartServiceCtrlDispatcherW(table):
        raise fault()
    return codes[0]


def nothing_yet(stop: threading.Event) -> int:
    """What there is to serve today."""
    tell(NOT_YET, ERROR)
    return UNAVAILABLE


if __name__ == "__main__":
    sys.exit(serve(nothing_yet))

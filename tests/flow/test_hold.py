"""Hold: nobody else opens a file of a drive before it is judged, and nobody waits for ever."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading

import pytest
from running_service import put

pytestmark = pytest.mark.root

OPENER = """
import sys
try:
    with open(sys.argv[1], "rb") as file:
        print(len(file.read()))
except OSError as error:
    print(error.strerror)
"""


class Opener:
    """Another program that opens a file; `said()` is how many bytes it read, or why it could not."""

    def __init__(self, path) -> None:
        command = [sys.executable, "-I", "-S", "-c", OPENER, str(path)]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)

    @property
    def waits(self) -> bool:
        return self.process.poll() is None

    def said(self) -> str:
        return self.process.communicate(timeout=120)[0].strip()


@pytest.fixture
def held(service, drive, made_up):
    """`held(seconds=..., then=...)`: a service that holds one drive, and the drive."""

    def make(seconds: float = 60.0, then: str = "closed", volume=None):
        stick = volume or drive()
        service.settings["watch.volumes"] = {
            "removable": True,
            "shares": False,
            "treat_as_removable": [str(stick.path)],
        }
        service.settings["watch.hold"] = {"enabled": True, "seconds": seconds, "then": then}
        service.settings["service"]["stuck_seconds"] = 600.0
        service.root()
        service.start()
        stick.plug()
        made_up.wait(lambda: state(service, stick) == "held", f"the drive is held\n{service.log()}")
        made_up.wait(service.swept, "its first sweep is over")
        return stick

    return make


def state(service, stick) -> str | None:
    status = service.status()
    return next((r["hold"] for r in status["roots"] if r["path"] == str(stick.path)), None)


def keeper_of(service, stick) -> int:
    return next(r["pid"] for r in service.status()["roots"] if r["path"] == str(stick.path))


def send(pid: int, number: signal.Signals) -> None:
    subprocess.run(["kill", f"-{int(number)}", str(pid)], check=True)


def waiting(service, opener: Opener, made_up) -> None:
    """Until the kernel has it wait in `open`."""

    def asleep() -> bool:
        with open(f"/proc/{opener.process.pid}/wchan") as file:
            return "fanotify" in file.read() or "fsnotify" in file.read()

    made_up.wait(asleep, f"the opener waits\n{service.log()}")


def test_who_opens_a_file_of_records_waits_and_is_refused(service, held, made_up):
    stick = held()
    keeper = keeper_of(service, stick)
    send(keeper, signal.SIGSTOP)
    survey = put(stick.path / "wave4.csv", made_up.survey())
    harmless = put(stick.path / "table3.csv", made_up.statistics())
    openers = [Opener(survey) for _ in range(20)]
    other = Opener(harmless)
    for opener in (*openers, other):
        waiting(service, opener, made_up)
    send(keeper, signal.SIGCONT)
    assert {opener.said() for opener in openers} <= {"Operation not permitted", "No such file or directory"}
    assert other.said() == str(len(made_up.statistics())), service.log()
    service.caught(survey)


def test_what_was_judged_opens_at_once_while_its_keeper_hangs(service, held, made_up):
    stick = held()
    harmless = put(stick.path / "table3.csv", made_up.statistics())
    assert Opener(harmless).said() == str(len(made_up.statistics()))
    send(keeper_of(service, stick), signal.SIGSTOP)
    assert Opener(harmless).said() == str(len(made_up.statistics()))
    put(stick.path / "new.csv", made_up.survey())
    waits = Opener(stick.path / "new.csv")
    waiting(service, waits, made_up)
    assert Opener(harmless).said() == str(len(made_up.statistics())), "replies are out of order"
    assert waits.waits
    send(keeper_of(service, stick), signal.SIGCONT)
    assert not waits.said().isdigit()


@pytest.mark.parametrize(
    ("fate", "then", "said"),
    [("SIGSTOP", "closed", "Operation not permitted"), ("SIGKILL", "open", None)],
)
def test_when_the_time_has_passed_it_opens_or_not_as_configured(service, held, made_up, fate, then, said):
    service.settings["service"]["restart_seconds"] = 60.0
    stick = held(seconds=6.0, then=then)
    send(keeper_of(service, stick), signal.Signals[fate])
    survey = made_up.survey()
    put(stick.path / "wave4.csv", survey)
    assert Opener(stick.path / "wave4.csv").said() == (said or str(len(survey)))


@pytest.mark.parametrize(
    "fate", [signal.SIGSTOP, pytest.param(signal.SIGKILL, marks=pytest.mark.system)], ids=str
)
def test_a_holder_that_hangs_or_dies_lets_all_through_and_is_replaced(service, held, made_up, fate):
    stick = held(seconds=6.0)
    (old,) = service.processes("holder")
    send(keeper_of(service, stick), signal.SIGSTOP)
    survey = made_up.survey()
    put(stick.path / "wave4.csv", survey)
    opener = Opener(stick.path / "wave4.csv")
    waiting(service, opener, made_up)
    send(old.pid, fate)
    assert opener.said() == str(len(survey))
    made_up.wait(
        lambda: (
            [p.pid for p in service.processes("holder")] not in ([], [old.pid])
            and state(service, stick) == "held"
        ),
        f"another holder\n{service.log()}",
    )
    send(keeper_of(service, stick), signal.SIGCONT)
    service.caught(stick.path / "wave4.csv")


def test_many_openers_and_our_own_processes_never_wait_for_each_other(service, held, made_up):
    stick = held()
    tables = {f"t{n}.csv": made_up.statistics() for n in range(30)}
    surveys = {f"s{n}.csv": made_up.survey(150, seed=n) for n in range(30)}

    def write(files) -> None:
        for name, content in files.items():
            put(stick.path / name, content)

    threads = [threading.Thread(target=write, args=(files,)) for files in (tables, surveys)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    openers = {name: Opener(stick.path / name) for name in (*tables, *surveys)}
    for name, opener in openers.items():
        said = opener.said()
        assert said == str(len(tables[name])) if name in tables else not said.isdigit(), (name, said)
    made_up.wait(lambda: not list(stick.path.glob("s*.csv")), f"all are taken\n{service.log()}")
    done = stick.pull()
    assert done.returncode == 0, done.stderr


def test_a_held_drive_can_be_unmounted_and_pulled(service, held, made_up):
    stick = held()
    done = stick.pull()
    assert done.returncode == 0, done.stderr
    made_up.wait(lambda: not service.processes("holder"), "the holder went with its drive")
    stick.plug()
    made_up.wait(lambda: state(service, stick) == "held", "it is held again")
    send(keeper_of(service, stick), signal.SIGSTOP)
    put(stick.path / "wave4.csv", made_up.survey())
    opener = Opener(stick.path / "wave4.csv")
    waiting(service, opener, made_up)
    opener.process.kill()
    opener.process.wait(60)
    made_up.wait(lambda: stick.pull().returncode == 0, "nothing of ours keeps it busy")


def test_an_exfat_drive_is_held_too(service, exfat_drive, held, made_up):
    class Mounted:
        path = exfat_drive()

        def plug(self) -> None:
            pass

    stick = held(volume=Mounted())
    survey = made_up.survey()
    put(stick.path / "wave4.csv", survey)
    assert Opener(stick.path / "wave4.csv").said() in ("Operation not permitted", "No such file or directory")
    service.caught(stick.path / "wave4.csv")

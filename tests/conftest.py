"""The tiers of the suite, and the few fixtures that need the machine rather than the code.

`root` tests are skipped by name without root, and the summary says which; with
REQUIRE_ALL_TESTS set (as `.ci/run` does) a skipped one fails the run. `system` and `soak`
tests run only when `-m` asks for them.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

LONG_TIERS = ("system", "soak")
FORKING = ("test_lockdown", "test_template", "test_worker")
LARGE = ("pandas", "pyarrow")
signal.signal(
    signal.SIGINT, signal.default_int_handler
)  # a shell's background ignores it, and so would our programs
REQUIRE_ALL = bool(os.environ.get("REQUIRE_ALL_TESTS"))
_skipped_root: list[str] = []


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    asked = config.getoption("-m") or ""
    long = [i for i in items if any(i.get_closest_marker(t) and t not in asked for t in LONG_TIERS)]
    if long:
        config.hook.pytest_deselected(items=long)
        items[:] = [i for i in items if i not in set(long)]
    if any(name in sys.modules for name in LARGE):
        # what a large parser holds would count against the limits of workers forked from here
        small = pytest.mark.skip(reason="needs a process without large parsers: `make test` gives it one")
        for item in items:
            if item.path.stem in FORKING:
                item.add_marker(small)
    if os.geteuid() != 0:
        for item in items:
            if item.get_closest_marker("root"):
                item.add_marker(pytest.mark.skip(reason="needs root"))


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """Of several processes that share the tests, the one that hears of all of them prints the summary."""
    if report.skipped and not hasattr(report, "wasxfail") and "root" in report.keywords:
        _skipped_root.append(report.nodeid)


def pytest_sessionfinish(session: pytest.Session) -> None:
    if REQUIRE_ALL and _skipped_root and session.exitstatus == pytest.ExitCode.OK:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    if _skipped_root:
        verdict = "NOT RUN, though all were required" if REQUIRE_ALL else "NOT RUN for want of root"
        terminalreporter.section(f"{len(_skipped_root)} tests {verdict}", red=REQUIRE_ALL, yellow=True)
        for name in _skipped_root:
            terminalreporter.write_line(name)


@pytest.fixture
def public_path(tmp_path: Path) -> Path:
    """`tmp_path`, to which everybody may go."""
    for folder in (tmp_path, *tmp_path.parents):
        mode = folder.stat().st_mode
        if not mode & 0o001:
            folder.chmod(mode | 0o055)
    return tmp_path


@pytest.fixture
def need() -> Callable[..., None]:
    """Skip (loudly, for a root test) unless all these programs are there."""

    def check(*programs: str) -> None:
        absent = [p for p in programs if shutil.which(p) is None]
        if absent:
            pytest.skip(f"not installed: {', '.join(absent)}")

    return check


class Volume:
    """A file system in an image, as a stand-in for a drive: `plug()` mounts it, `pull()` unmounts it."""

    def __init__(self, image: Path, mount_point: Path) -> None:
        self.image = image
        self.path = mount_point

    def plug(self) -> Path:
        subprocess.run(["mount", "-o", "loop", str(self.image), str(self.path)], check=True)
        self.path.chmod(0o777)
        return self.path

    def pull(self) -> subprocess.CompletedProcess[str]:
        """One plain `umount`, as a user types it; the caller looks at how it went."""
        return subprocess.run(["umount", str(self.path)], capture_output=True, text=True, check=False)


@pytest.fixture
def drive(
    tmp_path_factory: pytest.TempPathFactory, need: Callable[..., None]
) -> Iterator[Callable[..., Volume]]:
    """Make ext4 drives in images: `drive(megabytes=64)`. They are unmounted afterwards whatever happened."""
    need("mkfs.ext4", "mount", "umount")
    made: list[Volume] = []

    def make(megabytes: int = 64) -> Volume:
        folder = tmp_path_factory.mktemp("drive")
        folder.chmod(0o755)
        image, mount_point = folder / "image", folder / "mnt"
        mount_point.mkdir()
        with image.open("wb") as file:
            file.truncate(megabytes * 1024**2)
        subprocess.run(["mkfs.ext4", "-q", "-F", "-E", "lazy_itable_init=1", str(image)], check=True)
        volume = Volume(image, mount_point)
        made.append(volume)
        return volume

    yield make
    for volume in made:
        with contextlib.suppress(OSError):
            subprocess.run(["umount", "-l", str(volume.path)], capture_output=True, check=False)


class Signatory:
    """A made-up approver with a key of their own."""

    def __init__(self, name: str, *roles: str, retired: bool = False) -> None:
        from agent.signing import new_key
        from config.settings import Approver, Role

        self.pem, public = new_key()
        self.approver = Approver(name=name, key=public, roles=tuple(map(Role, roles)), retired=retired)

    def sign(self, envelope: Any) -> Any:
        from agent.signing import sign

        return sign(envelope, self.pem)[0]

    def key_file(self, folder: Path) -> Path:
        path = folder / f"{self.approver.person.replace(' ', '-')}.pem"
        path.write_bytes(self.pem)
        path.chmod(0o600)
        return path

    def stanza(self) -> str:
        """As it stands in a configuration."""
        a = self.approver
        roles = ", ".join(f'"{role.value}"' for role in a.roles)
        return f'[[approvers]]\nname = "{a.name}"\nkey = "{a.key}"\nroles = [{roles}]\n'


@pytest.fixture(scope="session")
def signatory() -> type[Signatory]:
    return Signatory


class Agreed:
    """Makes Data Access Agreements that an owner and an officer have signed."""

    agreement_id = "DAA-made-up-1"

    def __init__(self) -> None:
        self.owner = Signatory("A. Owner", "information_asset_owner")
        self.officer = Signatory("B. Officer", "data_protection_officer")
        self.approvers = (self.owner.approver, self.officer.approver)

    def terms(self, now: float, **scope: Any) -> Any:
        from agent.statements import Terms

        def day(days: int) -> str:
            return datetime.fromtimestamp(now + days * 86400, UTC).date().isoformat()

        plain: dict[str, Any] = {
            "agreement_id": self.agreement_id, "holder": "University of Somewhere", "purpose": "A study",
            "conditions": ("no onward sharing",), "content": (), "layouts": (), "roots": (), "devices": (),
            "valid_from": day(0), "valid_until": day(365), "review_by": day(200), "made_at": int(now),
        }  # fmt: skip
        return Terms(**{**plain, **scope})

    def __call__(self, now: float, **scope: Any) -> Any:
        from agent.statements import seal

        return self.both(seal(self.terms(now, **scope)))

    def exception(self, now: float, days: int = 90, **scope: Any) -> Any:
        """Of an alert `agent-1-1`, for two people to sign; everywhere, unless the scope says else."""
        from agent.statements import ScopedException, seal

        last = datetime.fromtimestamp(now + days * 86400, UTC).date().isoformat()
        plain: dict[str, Any] = {
            "exception_id": "EXC-made-up-1", "alert_id": "agent-1-1", "decided_by": "ann", "reason": "codes",
            "content": (), "layouts": (), "agents": (), "roots": (), "devices": (), "valid_until": last,
            "made_at": int(now),
        }  # fmt: skip
        return seal(ScopedException(**{**plain, **scope}))

    def tuning(self, now: float, toml: str, number: str = "TUN-made-up-1", agents: Any = ()) -> Any:
        """Settings of detectors, for two people to sign."""
        from agent.statements import Tuning, seal

        review = datetime.fromtimestamp(now + 200 * 86400, UTC).date().isoformat()
        return seal(Tuning.made(toml, "words of ours", agents, review, now, number))

    def both(self, envelope: Any) -> Any:
        return self.officer.sign(self.owner.sign(envelope))


@pytest.fixture(scope="session")
def agreed() -> Agreed:
    return Agreed()


@pytest.fixture
def exfat_drive(
    tmp_path_factory: pytest.TempPathFactory, need: Callable[..., None]
) -> Iterator[Callable[[int], Path]]:
    """Make and mount an exfat drive as FUSE serves it: `exfat_drive(megabytes)` gives its mount point."""
    need("mkfs.exfat", "mount.exfat-fuse", "losetup")
    made: list[tuple[Path, str]] = []

    def make(megabytes: int = 64) -> Path:
        folder = tmp_path_factory.mktemp("exfat")
        image, mount_point = folder / "image", folder / "mnt"
        mount_point.mkdir()
        with image.open("wb") as file:
            file.truncate(megabytes * 1024**2)
        subprocess.run(["mkfs.exfat", str(image)], check=True, capture_output=True)
        loop = subprocess.run(
            ["losetup", "-f", "--show", str(image)], check=True, capture_output=True, text=True
        ).stdout.strip()
        made.append((mount_point, loop))
        subprocess.run(["mount.exfat-fuse", loop, str(mount_point)], check=True, capture_output=True)
        return mount_point

    yield make
    for mount_point, loop in made:
        subprocess.run(["umount", "-l", str(mount_point)], capture_output=True, check=False)
        subprocess.run(["losetup", "-d", loop], capture_output=True, check=False)


def readable_by_all(path: Path) -> bool:
    return all(p.stat().st_mode & 0o005 == 0o005 for p in [path, *path.parents])


@pytest.fixture
def ordinary_python(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """An interpreter with our packages that an ordinary user can run, wherever the checkout lies.

    Run it as `daemon`: not as `nobody`, whom the service uses itself. As root, what that user could
    not enter (a checkout or a Python under root's home) is bind-mounted to a place that they can.
    """
    if os.geteuid() != 0:
        yield sys.executable
        return
    base = Path(tempfile.mkdtemp(prefix="rw-python-"))
    base.chmod(0o755)
    mounted: list[Path] = []

    def reachable(folder: Path, name: str) -> Path:
        if readable_by_all(folder):
            return folder
        view = base / name
        view.mkdir()
        subprocess.run(["mount", "--bind", str(folder), str(view)], check=True)
        mounted.append(view)
        return view

    try:
        home = reachable(Path(sys.base_prefix), "python")
        checkout = reachable(Path(__file__).resolve().parents[1], "checkout")
        packages = reachable(Path(pytest.__file__).resolve().parents[1], "packages")
        version = f"python{sys.version_info.major}.{sys.version_info.minor}"
        venv = base / "venv"
        subprocess.run([str(home / "bin" / version), "-m", "venv", "--without-pip", str(venv)], check=True)
        paths = venv / "lib" / version / "site-packages" / "ours.pth"
        paths.write_text(f"{checkout}\n{packages}\n")
        yield str(venv / "bin" / "python")
    finally:
        for view in mounted:
            subprocess.run(["umount", "-l", str(view)], check=False)
            view.rmdir()  # never rmtree: were it still mounted, that would empty the checkout
        shutil.rmtree(base / "venv", ignore_errors=True)
        base.rmdir()

"""Have the locked packages wheels for another platform? `python packaging/wheels/check.py win_amd64 [3.12]`.

Asks the package index as pip does, without installing anything; also names what the platform would need and
the lock does not hold, because the lock was resolved on Linux. Exit code 1 if anything is missing.
"""

from __future__ import annotations

import re
import subprocess
import sys
import tempfile
from importlib.metadata import PackageNotFoundError, requires
from pathlib import Path

from packaging.markers import default_environment
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

PIP = (
    sys.executable, "-m", "pip", "install", "--dry-run", "--quiet", "--no-deps", "--require-hashes",
    "--only-binary", ":all:", "--target", "unused",
)  # fmt: skip
LOCK = Path(__file__).resolve().parents[2] / "requirements.lock"


def main(platform: str, python: str) -> int:
    """Print what is missing, and say how many were asked for."""
    environment = environment_of(platform, python)
    blocks = [b for b in locked(LOCK.read_text()) if applies(requirement_of(b), environment)]
    missing = without_wheel(blocks, platform, python)
    names = {canonicalize_name(requirement_of(b).name) for b in blocks}
    unlocked = sorted({r for name in names for r in wanted_by(name, environment) if r not in names})
    for name in missing:
        print(f"no wheel: {name}")
    for name in unlocked:
        print(f"not in the lock: {name}")
    found = len(blocks) - len(missing)
    print(f"{platform}, Python {python}: {found} of {len(blocks)} locked packages have a wheel")
    return 1 if missing or unlocked else 0


def locked(text: str) -> list[str]:
    """The blocks of a lock file, each one requirement with its hashes."""
    return re.findall(r"^[a-z][^\n]*\\\n(?:    --hash[^\n]*\n)+", text, re.MULTILINE)


def requirement_of(block: str) -> Requirement:
    return Requirement(block.partition("\\")[0].strip())


def environment_of(platform: str, python: str) -> dict[str, str]:
    """The values of markers there."""
    system = (
        ("win32", "nt", "Windows", "AMD64")
        if platform.startswith("win")
        else ("darwin", "posix", "Darwin", "arm64")
    )
    keys = ("sys_platform", "os_name", "platform_system", "platform_machine")
    told = dict(zip(keys, system, strict=True))
    return {
        **{k: str(v) for k, v in default_environment().items()},
        **told,
        "python_version": python,
        "python_full_version": f"{python}.0",
        "extra": "",
    }


def applies(requirement: Requirement, environment: dict[str, str]) -> bool:
    return requirement.marker is None or requirement.marker.evaluate(environment)


def wanted_by(name: str, environment: dict[str, str]) -> list[str]:
    """What an installed package needs on that platform."""
    try:
        needs = [Requirement(text) for text in requires(name) or []]
    except PackageNotFoundError:
        return []
    return [canonicalize_name(need.name) for need in needs if applies(need, environment)]


def without_wheel(blocks: list[str], platform: str, python: str) -> list[str]:
    """Those of which pip finds no wheel with a hash of the lock. It stops at the first: ask again without."""
    missing: list[str] = []
    while True:
        rest = [b for b in blocks if requirement_of(b).name not in missing]
        with tempfile.NamedTemporaryFile("w", suffix=".txt") as file:
            file.write("".join(rest))
            file.flush()
            done = subprocess.run(
                [*PIP, "--platform", platform, "--python-version", python, "-r", file.name],
                capture_output=True,
                text=True,
            )
        if done.returncode == 0:
            return missing
        found = re.search(r"No matching distribution found for ([\w.-]+)==", done.stderr)
        if not found:
            sys.exit(done.stderr)
        missing.append(found[1])


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2] if len(sys.argv) > 2 else "3.12"))

"""What is shipped beside the code: units, accounts, maintainer scripts, man pages, a configuration."""

from __future__ import annotations

import hashlib
import os
import re
import runpy
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from agent.cli import COMMANDS
from config.load import load

HOME = Path(__file__).parents[1]
PACKAGING = HOME / "packaging"
UNITS = sorted((PACKAGING / "systemd").glob("*.service"))


def settings_of(unit: Path) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for line in unit.read_text().splitlines():
        key, equals, value = line.partition("=")
        if equals and not line.startswith("#"):
            found.setdefault(key, []).append(value)
    return found


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.stem)
def test_each_capability_and_exception_of_a_unit_has_its_reason(unit):
    told = (HOME / "docs" / "packaging.md").read_text()
    settings = settings_of(unit)
    capabilities = {c for value in settings["CapabilityBoundingSet"] for c in value.split()}
    assert capabilities <= set(re.findall(r"`(CAP_\w+)`", told))
    open_settings = {k for k, v in settings.items() if v == ["no"]}
    assert open_settings <= set(re.findall(r"`(\w+)=no`", told))


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.stem)
def test_a_unit_starts_only_programs_that_every_system_has(unit):
    """A small Debian has no /bin/kill, and `systemctl reload` failed there."""
    settings = settings_of(unit)
    started = {v.split()[0] for k, values in settings.items() if k.startswith("Exec") for v in values}
    assert started <= {"/opt/recordwarden/bin/recordwarden", "/bin/sh"}


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.stem)
def test_systemd_finds_no_fault_with_a_unit(unit, tmp_path, need):
    need("systemd-analyze")
    copy = tmp_path / unit.name
    copy.write_text(re.sub(r"(?m)^ExecStart=\S+", "ExecStart=/bin/true", unit.read_text()))
    done = subprocess.run(["systemd-analyze", "verify", copy], capture_output=True, text=True)
    assert (done.returncode, done.stdout + done.stderr) == (0, "")


@pytest.mark.parametrize(("unit", "most"), [("recordwarden", 5.1), ("recordwarden-console", 1.3)])
def test_a_unit_is_as_closed_as_its_table_says(unit, most, need):
    need("systemd-analyze")
    command = ["systemd-analyze", "security", "--offline=true", PACKAGING / "systemd" / f"{unit}.service"]
    done = subprocess.run(command, capture_output=True, text=True, env={**os.environ, "LC_ALL": "C.UTF-8"})
    (score,) = re.findall(r"Overall exposure level for \S+: ([0-9.]+)", done.stdout)
    assert float(score) <= most
    assert f"{most}" in (HOME / "docs" / "packaging.md").read_text()


@pytest.mark.parametrize("script", ["postinst", "prerm", "postrm"])
def test_the_maintainer_scripts_can_be_read_by_a_shell(script):
    subprocess.run(["sh", "-n", PACKAGING / "debian" / script], check=True)


def test_the_scripts_of_the_rpm_can_be_read_by_a_shell_and_keep_the_vault():
    spec = (PACKAGING / "rpm" / "recordwarden.spec").read_text()
    scripts = re.split(r"(?m)^%(post|preun|postun)\n", spec)[1:]
    assert scripts[::2] == ["post", "preun", "postun"]
    for script in scripts[1::2]:
        subprocess.run(["sh", "-n"], input=script, text=True, check=True)
    assert "rm " not in "".join(scripts[1::2])


def test_every_package_prepares_a_machine_in_the_same_way():
    subprocess.run(["sh", "-n", PACKAGING / "systemd" / "prepare.sh"], check=True)
    for kind, script in (("debian", "postinst"), ("rpm", "recordwarden.spec")):
        assert "\n@PREPARE@\n" in (PACKAGING / kind / script).read_text()
        build = (PACKAGING / kind / "build").read_text()
        assert "packaging/systemd/prepare.sh" in build and "packaging/stage " in build


def test_the_accounts_of_the_units_and_settings_are_made():
    made = re.findall(r"(?m)^[ug] (\S+)", (PACKAGING / "systemd" / "sysusers.conf").read_text())
    service = tomllib.loads((PACKAGING / "systemd" / "config.head.toml").read_text())["service"]
    wanted = {service["worker_user"], service["courier_user"], service["control_group"]}
    wanted |= {user for unit in UNITS for user in settings_of(unit).get("User", [])}
    assert wanted <= set(made)


def test_the_installed_configuration_is_valid_and_touches_nothing(tmp_path, monkeypatch):
    for name in [name for name in os.environ if name.startswith("RECORDWARDEN_")]:
        monkeypatch.delenv(name)
    config = tmp_path / "config.toml"
    defaults = re.sub(r"(?m)^([^#])", r"#\1", (HOME / "config" / "defaults.toml").read_text())
    config.write_text((PACKAGING / "systemd" / "config.head.toml").read_text() + defaults)
    assert load(config).policy.mode.value == "audit"
    config.write_text((PACKAGING / "systemd" / "console.toml").read_text())
    assert load(config).console.is_local


def test_each_command_has_a_man_page_without_a_fault(tmp_path):
    command = [sys.executable, PACKAGING / "debian" / "man_pages.py", tmp_path, "0.0.0"]
    subprocess.run(command, check=True, cwd=HOME, env={**os.environ, "PYTHONPATH": str(HOME)})
    assert {page.stem for page in tmp_path.iterdir()} == {
        "recordwarden",
        *(f"recordwarden-{c}" for c in COMMANDS),
    }
    scan = (tmp_path / "recordwarden-scan.1").read_text()
    assert "\\fB\\-\\-json\\fR" in scan and ".SH NAME\nrecordwarden\\-scan \\- " in scan
    assert not re.search(r"(?m)^\.(?!TH |SH |SS |TP|PP|nf|fi|BR |I |br)", scan)


def test_man_pages_are_the_same_each_time(tmp_path):
    pages = []
    for name in ("one", "two"):
        command = [sys.executable, PACKAGING / "debian" / "man_pages.py", tmp_path / name, "0.0.0"]
        subprocess.run(command, check=True, cwd=HOME, env={**os.environ, "SOURCE_DATE_EPOCH": "1"})
        pages.append({p.name: p.read_bytes() for p in (tmp_path / name).iterdir()})
    assert pages[0] == pages[1] and "1970-01-01" in pages[0]["recordwarden.1"].decode()


def test_wheels_are_asked_for_as_the_other_platform_would():
    """The index itself is asked by hand: docs/platforms.md."""
    check = runpy.run_path(str(PACKAGING / "wheels" / "check.py"))
    lock = check["LOCK"].read_text()
    needs = [check["requirement_of"](block) for block in check["locked"](lock)]
    assert len(needs) == len(re.findall(r"(?m)^[a-z]", lock))
    for platform, gone in (("win_amd64", {"pylibmagic", "pyseccomp"}), ("macosx_13_0_arm64", {"pyseccomp"})):
        there = check["environment_of"](platform, "3.12")
        assert {n.name for n in needs if not check["applies"](n, there)} == gone


@pytest.mark.system
def test_the_package_is_the_same_byte_for_byte_and_lintian_finds_no_error(tmp_path, need):
    need("dpkg-deb", "lintian")
    packages = []
    for name in ("one", "two"):
        subprocess.run([PACKAGING / "debian" / "build", tmp_path / name], check=True, cwd=HOME)
        packages += (tmp_path / name).glob("*.deb")
    assert packages[0].read_bytes() == packages[1].read_bytes()
    told = subprocess.run(
        ["lintian", "--allow-root", "--fail-on", "error", packages[0]], capture_output=True, text=True
    )
    assert told.returncode == 0, told.stdout


@pytest.mark.system
@pytest.mark.timeout(3600)
def test_the_rpm_holds_what_the_debian_package_holds(tmp_path, need):
    need("dpkg-deb", "rpmbuild", "rpmlint")
    for kind in ("debian", "rpm"):
        subprocess.run([PACKAGING / kind / "build", tmp_path], check=True, cwd=HOME)
    (deb,), (rpm,) = tmp_path.glob("*.deb"), tmp_path.glob("*.rpm")
    subprocess.run(["dpkg-deb", "-x", deb, tmp_path / "tree"], check=True)
    doc = "/usr/share/doc/recordwarden"
    own = {f"{doc}/copyright", f"{doc}/changelog.gz", "/usr/share/lintian/overrides/recordwarden"}
    there = {
        f"/{path.relative_to(tmp_path / 'tree')}": hashlib.sha256(path.read_bytes()).hexdigest()
        for path in (tmp_path / "tree").rglob("*")
        if path.is_file() and not path.is_symlink()
    }
    zsh = "/usr/share/zsh/vendor-completions/_recordwarden"
    there["/usr/share/zsh/site-functions/_recordwarden"] = there.pop(zsh)
    listed = subprocess.run(["rpm", "-qp", "--dump", rpm], check=True, capture_output=True, text=True)
    dumped = [line.rsplit(" ", 10) for line in listed.stdout.splitlines()]
    here = {name: digest for name, _, _, digest, mode, *_ in dumped if mode.startswith("0100")}
    assert here == {name: digest for name, digest in there.items() if name not in own}
    told = subprocess.run(
        ["rpmlint", "-c", PACKAGING / "rpm" / "rpmlint.toml", rpm], capture_output=True, text=True
    )
    assert not re.findall(r": E: .*", told.stdout)

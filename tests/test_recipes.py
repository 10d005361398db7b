"""The recipes for Windows, macOS and fleets: well-formed, and they name what there is. None was run there."""

from __future__ import annotations

import importlib.util
import plistlib
import re
import subprocess
import textwrap
from pathlib import Path
from xml.etree import ElementTree

from agent.cli import COMMANDS
from agent.platform import windows_service
from config.load import load

PACKAGING = Path(__file__).parents[1] / "packaging"
WIX = "{http://wixtoolset.org/schemas/v4/wxs}"


def test_the_installer_of_windows_installs_the_service_that_there_is():
    root = ElementTree.parse(PACKAGING / "windows" / "recordwarden.wxs").getroot()
    (service,) = root.iter(f"{WIX}ServiceInstall")
    assert service.get("Name") == windows_service.NAME
    isolated, flag, module = service.get("Arguments", "").split()
    assert (isolated, flag) == ("-I", "-m") and importlib.util.find_spec(module)
    assert service.get("Start") == "demand"  # as long as windows_service has nothing to serve
    known = {c.get("Id") for tag in ("Component", "ComponentGroup") for c in root.iter(WIX + tag)}
    used = {c.get("Id") for tag in ("ComponentRef", "ComponentGroupRef") for c in root.iter(WIX + tag)}
    assert known == used


def test_the_state_on_windows_is_for_administrators_and_outlives_a_removal():
    root = ElementTree.parse(PACKAGING / "windows" / "recordwarden.wxs").getroot()
    (state,) = [c for c in root.iter(f"{WIX}Component") if c.get("Id") == "State"]
    (rights,) = state.iter(f"{WIX}PermissionEx")
    assert state.get("Permanent") == "yes"
    assert rights.get("Sddl") == "D:PAI(A;OICI;FA;;;SY)(A;OICI;FA;;;BA)"


def test_the_daemon_of_macos_is_valid_and_off_as_long_as_nothing_runs_there():
    (file,) = (PACKAGING / "macos").glob("*.plist")
    daemon = plistlib.loads(file.read_bytes())
    assert daemon["Label"] == file.stem
    assert daemon["Disabled"] is True
    assert daemon["ProgramArguments"][:2] == ["/opt/recordwarden/bin/recordwarden", "run"]
    assert daemon["Umask"] == 0o077
    build = (PACKAGING / "macos" / "build").read_text()
    assert f"--identifier {file.stem} " in build and file.name in build


def test_the_recipe_of_macos_can_be_read_by_a_shell():
    subprocess.run(["bash", "-n", PACKAGING / "macos" / "build"], check=True)


def test_the_example_of_the_fleet_has_a_valid_configuration(tmp_path):
    """The role itself is looked at by ansible-lint, by hand: docs/packaging.md."""
    play = (PACKAGING / "ansible" / "site.yml").read_text()
    (text,) = re.findall(r"(?m)^ +recordwarden_config: \|\n((?: {6}.*\n|\n)+)", play)
    config = tmp_path / "config.toml"
    config.write_text(textwrap.dedent(text))
    assert load(config).vault.recipients == ("age1...",)
    tasks = (PACKAGING / "ansible/roles/recordwarden/tasks/main.yml").read_text()
    assert set(re.findall(r"/usr/bin/recordwarden,? (\w+)", tasks)) <= set(COMMANDS)

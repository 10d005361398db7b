"""The house rules: who may import whom, how big things get, what belongs to what."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = ("agent", "config", "console", "detectors")
MODULES = sorted(p for package in PACKAGES for p in (ROOT / package).rglob("*.py"))
PARSERS = {
    "bs4", "calamine", "ijson", "lxml", "magic", "msoffcrypto", "numpy", "olefile", "openpyxl", "pandas",
    "py7zr", "pyarrow", "pylibmagic", "pypdfium2", "pypdfium2_raw", "pyreadstat",
    "python_calamine", "rdata", "re2", "xarray", "zstandard",
}  # fmt: skip
HEAVY = {"numpy", "pandas", "pyarrow", "pypdfium2", "pyreadstat", "rdata", "xarray"}
WIRE = {"detectors.engine.exchange", "detectors.engine.verdict", "detectors.engine.explain"} | {
    "detectors.engine.mappings"  # of the process itself, whichever
}
MOST_LINES = 360


def name_of(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def imports_of(path: Path) -> Iterator[str]:
    """Every module that a source file imports, anywhere in it; `from a import b` counts as a.b too."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}:{node.lineno}: relative import"
            yield node.module or ""
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def tops_of(path: Path) -> set[str]:
    return {name.split(".")[0] for name in imports_of(path)}


def committed() -> list[Path]:
    listed = subprocess.run(
        ["git", "-c", "safe.directory=*", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    if listed.returncode:
        pytest.skip("not a git checkout")
    return [ROOT / name for name in listed.stdout.splitlines() if (ROOT / name).is_file()]


def loaded_after(statement: str) -> set[str]:
    """The top-level modules in a fresh, isolated interpreter after `statement`."""
    code = f"import sys\n{statement}\nprint(*{{m.split('.')[0] for m in sys.modules}})"
    done = subprocess.run([sys.executable, "-I", "-c", code], capture_output=True, text=True, check=True)
    return set(done.stdout.split())


SIGNED = {"agent.paper_bundle", "agent.signing", "agent.statements", "agent.validity"}
"""What people sign, and whether it holds: pure, and read by service and console alike."""


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_imports_go_from_agent_to_detectors_to_config_only(path: Path) -> None:
    package = path.relative_to(ROOT).parts[0]
    forbidden = {
        "agent": {"console"},
        "detectors": {"agent", "console"},
        "config": {"agent", "detectors", "console"},
        "console": {"agent", "detectors"},
    }[package]
    shared = SIGNED if package == "console" else set()
    tops = {
        n.partition(".")[0] for n in imports_of(path) if not any(f"{n}.".startswith(f"{s}.") for s in shared)
    }
    assert not tops & (forbidden | {"tests", "benchmarks", "packaging"})


@pytest.mark.parametrize("path", [p for p in MODULES if "agent" in p.parts], ids=name_of)
def test_the_privileged_side_imports_no_parser_and_only_the_wire_types(path: Path) -> None:
    assert not tops_of(path) & PARSERS
    wanted = {n for n in imports_of(path) if n.startswith("detectors")}
    strange = {n for n in wanted if not any(n == w or n.startswith(w + ".") for w in WIRE)}
    assert not strange - {"detectors.engine"}


@pytest.mark.parametrize("module", sorted(WIRE))
def test_the_wire_types_need_the_standard_library_only(module: str) -> None:
    path = ROOT / (module.replace(".", "/") + ".py")
    assert all(top in sys.stdlib_module_names or top == "detectors" for top in tops_of(path))


@pytest.mark.parametrize("module", ["agent.service", "agent.keeper", "agent.nursery", "agent.cli"])
def test_a_privileged_process_never_loads_a_parser(module: str) -> None:
    assert not loaded_after(f"import {module}") & PARSERS


def test_a_keeper_starts_light() -> None:
    """There is one for each root, and each would pay for what it loads."""
    assert not loaded_after("import agent.nursery") & {"pydantic", "psutil", "sqlite3"}


def test_an_idle_template_starts_light() -> None:
    assert not loaded_after("import detectors.engine.template, detectors.engine.judge") & HEAVY


def test_packaging_is_no_python_package() -> None:
    assert not list((ROOT / "packaging").rglob("__init__.py"))
    assert not list((ROOT / "packaging").glob("*.py"))


def test_tests_are_no_packages() -> None:
    assert not list((ROOT / "tests").rglob("__init__.py"))


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_a_module_can_be_read_in_one_sitting(path: Path) -> None:
    assert len(path.read_text().splitlines()) <= MOST_LINES


def test_the_pipeline_is_the_story_and_nothing_else() -> None:
    assert len((ROOT / "agent/pipeline.py").read_text().splitlines()) <= 160


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_every_module_states_its_contract(path: Path) -> None:
    assert ast.get_docstring(ast.parse(path.read_text()))


def has_logic(path: Path) -> bool:
    """Whether a module holds a function or method with a body worth a test of its own."""
    return any(isinstance(n, ast.FunctionDef) for n in ast.walk(ast.parse(path.read_text())))


def test_every_module_is_tested_and_every_test_belongs_to_a_module() -> None:
    """`agent/vault.py` has `tests/agent/test_vault.py`, or is named by a test of its own package."""
    tests = {p: p.read_text() for package in PACKAGES for p in (ROOT / "tests" / package).rglob("test_*.py")}
    missing = []
    for path in MODULES:
        relative = path.relative_to(ROOT)
        if path.name.startswith("__") or not has_logic(path):
            continue
        mirrored = ROOT / "tests" / relative.parent / f"test_{path.name}"
        named = re.compile(
            rf"\b{re.escape(name_of(path))}\b|from {re.escape(name_of(path.parent))} import .*\b{path.stem}\b"
        )
        if mirrored not in tests and not any(named.search(text) for text in tests.values()):
            missing.append(str(relative))
    orphans = []
    for test in tests:
        folder = ROOT / test.relative_to(ROOT / "tests").parent
        words = test.stem.removeprefix("test_")
        if not any(words == m.stem or words.startswith(m.stem + "_") for m in folder.glob("*.py")):
            orphans.append(str(test.relative_to(ROOT)))
    assert (missing, orphans) == ([], [])


def detectors() -> list[str]:
    return sorted(p.stem for p in (ROOT / "detectors").glob("*.py") if p.stem != "__init__")


def test_there_are_detectors() -> None:
    assert detectors()


@pytest.mark.parametrize("detector", detectors())
def test_a_detector_has_a_stanza_and_a_test_of_its_name(detector: str) -> None:
    defaults = tomllib.loads((ROOT / "config/defaults.toml").read_text())
    assert detector in defaults["detectors"]
    assert (ROOT / f"tests/detectors/test_{detector}.py").exists()


def test_a_stanza_belongs_to_a_detector() -> None:
    defaults = tomllib.loads((ROOT / "config/defaults.toml").read_text())
    assert set(defaults["detectors"]) <= set(detectors()) | {"engine", "judge"}


def swallows_all(node: ast.AST) -> bool:
    """A broad except clause that does not raise again."""
    return (
        isinstance(node, ast.ExceptHandler)
        and (
            node.type is None
            or (isinstance(node.type, ast.Name) and node.type.id in ("Exception", "BaseException"))
        )
        and not any(isinstance(inner, ast.Raise) for inner in ast.walk(node))
    )


def test_a_broad_except_stands_only_at_an_outermost_frame() -> None:
    found = {name_of(p) for p in MODULES for node in ast.walk(ast.parse(p.read_text())) if swallows_all(node)}
    engine = {f"detectors.engine.{name}" for name in ("examine", "sniff", "template", "worker")}
    assert found <= {"agent.cli", "agent.keeper"} | engine


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_names_say_what_a_thing_is(path: Path) -> None:
    vague = re.compile(r"(Manager|Helper|Handler|Utils?)$")
    classes = [n.name for n in ast.walk(ast.parse(path.read_text())) if isinstance(n, ast.ClassDef)]
    assert not [c for c in classes if vague.search(c)]
    assert path.stem not in {"util", "utils", "common", "helpers", "types", "misc"}


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_settings_are_never_cached_behind_ones_back(path: Path) -> None:
    assert "lru_cache" not in path.read_text()


def test_a_lock_holds_hashes_and_no_address() -> None:
    for lock in ROOT.glob("requirements*.lock"):
        text = lock.read_text()
        assert "://" not in text
        assert not re.search(r"^--(?!hash)", text, re.MULTILINE)
        pinned = re.findall(r"^[a-z][\w.-]*==[^\n]*\\\n\s+--hash=sha256:[0-9a-f]{64}", text, re.MULTILINE)
        assert len(pinned) == len(re.findall(r"^[a-z]", text, re.MULTILINE)) > 10


def test_every_dependency_is_locked() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    wanted = {
        "requirements.lock": project["project"]["dependencies"]
        + project["project"]["optional-dependencies"]["console"],
        "requirements-dev.lock": project["dependency-groups"]["dev"],
        "requirements-train.lock": project["dependency-groups"]["train"],
        "requirements-docs.lock": project["dependency-groups"]["docs"],
    }
    for lock, dependencies in wanted.items():
        pinned = set(re.findall(r"^([a-z][\w.-]*)==", (ROOT / lock).read_text(), re.MULTILINE))
        names = {re.sub(r"[-_.]+", "-", re.split(r"[<>=;\[ ]", d)[0].lower()) for d in dependencies}
        assert names <= pinned, lock


def test_nothing_committed_knows_the_machine_it_was_made_on() -> None:
    places = [f"{place}/" for place in (ROOT, ROOT.parent, Path.home()) if len(place.parts) > 1]
    places = [p for p in places if p not in ("/home/", "/tmp/", "/opt/", "/srv/")]
    told = []
    for path in committed():
        text = path.read_bytes().decode(errors="replace")
        told += [f"{path.relative_to(ROOT)}: {place}" for place in places if place in text]
    assert told == []


def test_the_words_of_the_configuration_are_documented() -> None:
    page = (ROOT / "docs/configuration.md").read_text()
    keys = re.findall(r"^#?([a-z_]+) = ", (ROOT / "config/defaults.toml").read_text(), re.MULTILINE)
    assert [key for key in keys if f"`{key}`" not in page and f".{key}`" not in page] == []

"""What is built and shipped is what stands in the tree, under four names and no other."""

from __future__ import annotations

import ast
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest

PACKAGES = {
    "sdl": "sdl",
    "sdl_drivers": "drivers/sdl_drivers",
    "sdl_protocols": "protocols/sdl_protocols",
    "sdl_simulators": "simulators/sdl_simulators",
}
ENTRY_POINTS = ("sdl.planners", "sdl.simulators", "sdl.drivers", "sdl.protocols")


@pytest.fixture(scope="module")
def shipped(root: Path, tmp_path_factory: pytest.TempPathFactory) -> set[str]:
    """Names in the wheel."""
    target = tmp_path_factory.mktemp("wheel")
    build = subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(target)],
        cwd=root,
        capture_output=True,
        text=True,
        check=False,
    )
    assert build.returncode == 0, build.stdout + build.stderr
    (wheel,) = target.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        return set(archive.namelist())


def test_the_wheel_has_our_four_names_and_no_other(shipped: set[str]) -> None:
    top = {name.split("/")[0] for name in shipped}
    assert {name for name in top if not name.endswith(".dist-info")} == set(PACKAGES)
    assert len(top) == len(PACKAGES) + 1


def test_the_wheel_holds_every_file_of_the_packages(shipped: set[str], files: list[Path]) -> None:
    for package, folder in PACKAGES.items():
        there = {
            f"{package}/{name.relative_to(folder).as_posix()}"
            for name in files
            if name.is_relative_to(folder)
        }
        assert there == {name for name in shipped if name.startswith(f"{package}/")}


@pytest.mark.parametrize("package", sorted(PACKAGES))
def test_the_wheel_says_that_it_is_typed(shipped: set[str], package: str) -> None:
    assert f"{package}/py.typed" in shipped


def test_the_wheel_holds_migrations_data_and_licence(shipped: set[str]) -> None:
    assert any(name.startswith("sdl/shell/migrations/") for name in shipped)
    assert any(name.startswith("sdl_simulators/") and name.endswith(".csv") for name in shipped)
    assert any(name.endswith(".dist-info/licenses/LICENSE") for name in shipped)


def defined(text: str) -> set[str]:
    """Names that a module defines or imports at its top."""
    names: set[str] = set()
    for node in ast.parse(text).body:
        if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            names.add(node.name)
        elif isinstance(node, ast.ImportFrom):
            names.update(alias.asname or alias.name for alias in node.names)
    return names


def entry_points(root: Path) -> dict[str, str]:
    """Every door in ``pyproject.toml``: ``module:name`` by what it is called."""
    project = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    groups = {group: project["entry-points"][group] for group in ENTRY_POINTS}
    groups["scripts"] = project["scripts"]
    return {f"{group}/{key}": door for group, of in groups.items() for key, door in of.items()}


def test_every_entry_point_leads_somewhere(root: Path, python: dict[Path, str]) -> None:
    for called, door in entry_points(root).items():
        module, _, name = door.partition(":")
        package, _, rest = module.partition(".")
        path = Path(PACKAGES[package], *rest.split(".")).with_suffix(".py")
        assert path in python, f"{called}: there is no {path}"
        assert name in defined(python[path]), f"{called}: no {name} in {path}"

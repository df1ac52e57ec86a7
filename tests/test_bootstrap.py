"""The bootstrap plans the right steps, mends what is broken, and is quick when nothing is to do."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).resolve().parents[1]
WHOLE = {"python": "3.11.9", "pip": "24.0", "torch": "2.13.0+cpu", "sdl-runtime": "sdl/x.py"}


@pytest.fixture(scope="module")
def bootstrap() -> Iterator[ModuleType]:
    spec = importlib.util.spec_from_file_location("bootstrap_under_test", ROOT / "bootstrap.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    yield module
    del sys.modules[spec.name]


def tries_of_torch(bootstrap: ModuleType, system: str, machine: str) -> list[str]:
    found = {"python": "3.11.9", "pip": "24.0"}
    torch, _ = bootstrap.plan(Path("env"), "", found, system, machine)
    return [" ".join(attempt.command) for attempt in torch.tries]


def test_an_empty_folder_needs_environment_torch_and_project_in_this_order(
    bootstrap: ModuleType,
) -> None:
    steps = bootstrap.plan(Path("env"), "test", {})
    assert [step.says.split()[0] for step in steps] == ["make", "install", "install"]
    assert "torch" in steps[1].says
    assert steps[2].tries[0].command[-2:] == ("-e", ".[test]")


def test_what_is_there_is_kept(bootstrap: ModuleType) -> None:
    (only,) = bootstrap.plan(Path("env"), "", WHOLE)
    assert only.tries[0].command[-2:] == ("-e", ".")


@pytest.mark.parametrize(
    "missing,steps", [("pip", 3), ("torch", 2), ("sdl-runtime", 1)], ids=["pip", "torch", "sdl"]
)
def test_a_half_made_environment_is_mended(bootstrap: ModuleType, missing: str, steps: int) -> None:
    found = {name: version for name, version in WHOLE.items() if name != missing}
    if missing == "pip":
        del found["torch"]
    assert len(bootstrap.plan(Path("env"), "", found)) == steps


def test_another_torch_is_replaced_and_an_old_python_too(bootstrap: ModuleType) -> None:
    assert len(bootstrap.plan(Path("env"), "", {**WHOLE, "torch": "2.5.0"})) == 2
    assert len(bootstrap.plan(Path("env"), "", {**WHOLE, "python": "3.10.1"})) == 3


def test_linux_tries_the_cpu_build_twice_before_the_large_one(bootstrap: ModuleType) -> None:
    own, pytorch, plain = tries_of_torch(bootstrap, "Linux", "x86_64")
    assert own.endswith("torch==2.13.0+cpu")
    assert "--index-url" not in own
    assert "--retries 1" in own
    assert pytorch.endswith("torch==2.13.0+cpu")
    assert bootstrap.TORCH_CPU_INDEX in pytorch
    assert plain.endswith(" torch==2.13.0")
    torch, _ = bootstrap.plan(Path("env"), "", {"python": "3.11.9", "pip": "1"}, "Linux", "x86_64")
    assert "gigabytes" in torch.tries[2].says


@pytest.mark.parametrize("system,machine", [("Darwin", "arm64"), ("Windows", "AMD64")])
def test_elsewhere_the_plain_build_is_a_cpu_build(
    bootstrap: ModuleType, system: str, machine: str
) -> None:
    (plain,) = tries_of_torch(bootstrap, system, machine)
    assert plain.endswith(" torch==2.13.0")


def test_programs_stand_where_the_system_puts_them(bootstrap: ModuleType) -> None:
    assert bootstrap.program(Path("env"), "sdl", "posix") == Path("env/bin/sdl")
    assert bootstrap.program(Path("env"), "sdl", "nt") == Path("env/Scripts/sdl.exe")


def test_arguments_go_through(bootstrap: ModuleType) -> None:
    run = bootstrap.inner_command("run", Path("env"), ["--json"])
    assert run[1:] == ["run", "examples/first_campaign/campaign.toml", "--json"]
    test = bootstrap.inner_command("test", Path("env"), ["-k", "tidy"])
    assert test[1:] == ["-m", "pytest", "-k", "tidy"]
    assert bootstrap.inner_command("test", Path("env"), [])[3:5] == ["-n", "3"]


def test_the_environment_variable_names_the_folder(bootstrap: ModuleType) -> None:
    assert bootstrap.venv_folder({}) == ROOT / ".venv"
    assert bootstrap.venv_folder({"SDL_VENV": "elsewhere"}) == Path.cwd() / "elsewhere"


def test_an_old_python_is_told_which_one_it_takes(bootstrap: ModuleType) -> None:
    said = bootstrap.too_old("3.9.2", "python3")
    assert "3.9.2" in said
    assert "python3.11 bootstrap.py" in said


@pytest.mark.parametrize(
    "written,asked,ready",
    [("", "", True), ("test", "", True), ("test", "test", True), ("", "test", False)],
)
def test_the_stamp_of_the_tests_is_good_for_a_run_and_not_the_other_way_round(
    bootstrap: ModuleType, tmp_path: Path, written: str, asked: str, *, ready: bool
) -> None:
    found = {**WHOLE, "sdl-runtime": str(ROOT / "sdl" / "__init__.py")}
    stamp = bootstrap.stamp(b"project", written, found["python"])
    (tmp_path / bootstrap.STAMP).write_text(stamp + "\n", encoding="utf-8")
    assert bootstrap.ready(tmp_path, found, b"project", asked) is ready
    assert not bootstrap.ready(tmp_path, found, b"project, edited", asked)


def test_another_clone_does_not_count_as_this_one(bootstrap: ModuleType, tmp_path: Path) -> None:
    elsewhere = {**WHOLE, "sdl-runtime": str(tmp_path / "sdl" / "__init__.py")}
    (tmp_path / bootstrap.STAMP).write_text(bootstrap.stamp(b"p", "", "3.11.9"), encoding="utf-8")
    assert not bootstrap.ready(tmp_path, elsewhere, b"p", "")


def test_a_folder_of_somebody_else_is_left_alone(bootstrap: ModuleType, tmp_path: Path) -> None:
    (tmp_path / "bin").mkdir()
    bootstrap.refuse_foreign_folder(tmp_path)  # what a killed first try leaves behind
    (tmp_path / "thesis.txt").write_text("years of work", encoding="utf-8")
    with pytest.raises(bootstrap.Stop, match=r"thesis\.txt"):
        bootstrap.refuse_foreign_folder(tmp_path)


def test_the_next_way_is_tried_and_the_last_complaint_is_shown(
    bootstrap: ModuleType, tmp_path: Path
) -> None:
    bad = bootstrap.Try("", (sys.executable, "-c", "import sys; sys.exit('no such wheel')"))
    mark = tmp_path / "mark"
    good = bootstrap.Try("", (sys.executable, "-c", f"open({str(mark)!r}, 'w').close()"))
    bootstrap.perform(bootstrap.Step("try", (bad, good), "advice"))
    assert mark.exists()
    with pytest.raises(bootstrap.Stop, match=r"(?s)no such wheel.*could not try.*advice"):
        bootstrap.perform(bootstrap.Step("try", (bad,), "advice"))


def start(*arguments: str, venv: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, str(ROOT / "bootstrap.py"), *arguments],
        capture_output=True,
        text=True,
        env={**os.environ, "SDL_VENV": str(venv)},
        check=False,
    )


def test_nothing_to_do_is_quick_and_the_exit_code_passes(
    bootstrap: ModuleType, tmp_path: Path
) -> None:
    """On the environment of this very test, seen through a folder that holds only a stamp."""
    venv = tmp_path / "env"
    (venv / "bin").mkdir(parents=True)
    (venv / "bin" / "python").write_text(
        f'#!/bin/sh\nexec "{sys.executable}" "$@"\n', encoding="utf-8"
    )
    (venv / "bin" / "python").chmod(0o755)
    (venv / "pyvenv.cfg").touch()
    project = (ROOT / "pyproject.toml").read_bytes()
    version = ".".join(map(str, sys.version_info[:3]))
    (venv / bootstrap.STAMP).write_text(bootstrap.stamp(project, "test", version), encoding="utf-8")
    # Otherwise it would install this clone into the environment that runs us.
    assert bootstrap.is_ours(bootstrap.probe(venv)), "this environment belongs to another clone"
    started = time.monotonic()
    done = start("test", "--version", venv=venv)
    took = time.monotonic() - started
    assert done.returncode == 0, done.stderr
    assert "is ready" in done.stderr
    assert "installing" not in done.stderr
    assert took < 5.0, f"{took:.1f} s, pytest included, on a machine that may be busy"
    assert start("test", "--no-such-option", venv=venv).returncode == pytest.ExitCode.USAGE_ERROR


def test_an_unknown_word_is_refused_without_touching_anything(tmp_path: Path) -> None:
    done = start("dance", venv=tmp_path / "env")
    assert done.returncode == 2
    assert "'dance'" in done.stderr
    assert not (tmp_path / "env").exists()


def test_help_says_both_commands(tmp_path: Path) -> None:
    done = start("--help", venv=tmp_path / "env")
    assert done.returncode == 0
    assert "bootstrap.py run" in done.stdout
    assert "bootstrap.py test" in done.stdout


def test_the_files_that_are_begun_first_are_there() -> None:
    from tests.conftest import LONGEST

    assert [name for name in LONGEST if not (ROOT / "tests" / name).is_file()] == []

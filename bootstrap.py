"""From a fresh clone to a running campaign, or to the tests, in one command.

    python3 bootstrap.py run    [arguments of `sdl run`]   the first campaign
    python3 bootstrap.py test   [arguments of pytest]      the tests

Makes a virtual environment in .venv (or where SDL_VENV says), installs the project and what it
needs, then runs the command and ends with its exit code. Needs Python 3.11 or later and nothing
else. Safe to repeat: what is there already is kept, what is half made is mended. What it says
goes to standard error, so that `run --json` leaves clean JSON on standard output.
"""

from __future__ import annotations

import hashlib
import json
import os
import platform
import subprocess
import sys
import time
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parent
OLDEST = (3, 11)
TORCH = "2.13.0"
TORCH_CPU_INDEX = "https://download.pytorch.org/whl/cpu"
SIDE_BY_SIDE = ["-n", "3", "--dist", "loadfile", "--no-loadscope-reorder"]
"""All tests in three processes on two cores, as a third of their time is waiting; a file in one of
them, in the order of ``tests/conftest.py``: the longest first."""
CAMPAIGN = "examples/first_campaign/campaign.toml"
EXTRAS = {"run": "", "test": "test"}
STAMP = "sdl-bootstrap.txt"
VENV_ENTRIES = {
    "bin",
    "include",
    "lib",
    "lib64",
    "share",
    "Scripts",
    "Include",
    "Lib",
    ".gitignore",
}
FAIL_FAST = ("--timeout", "15", "--retries", "1")
PROBE = """
import json, sys
from importlib import metadata, util
found = {"python": ".".join(map(str, sys.version_info[:3]))}
for name, package in (("pip", "pip"), ("torch", "torch"), ("sdl-runtime", "sdl")):
    try:
        version = metadata.version(name)
    except metadata.PackageNotFoundError:
        continue
    spec = util.find_spec(package)
    if spec is not None:
        found[name] = spec.origin if name == "sdl-runtime" else version
print(json.dumps(found))
"""


class Try(NamedTuple):
    """One way to do a step."""

    says: str
    command: tuple[str, ...]


class Step(NamedTuple):
    """One thing to do: the tries in order until one works, and advice if none does."""

    says: str
    tries: tuple[Try, ...]
    advice: str


class Stop(Exception):
    """The bootstrap cannot go on; the message says what to do."""


def main(argv: list[str]) -> int:
    """Do what the command line says; the exit code."""
    if sys.version_info < OLDEST:
        return fail(too_old(platform.python_version(), sys.executable))
    if not argv or argv[0] in {"-h", "--help", "help"}:
        print(__doc__)
        return 0
    verb, rest = argv[0], argv[1:]
    if verb not in EXTRAS:
        return fail(f"there is no {verb!r} here; say 'run' or 'test' (--help tells more)")
    venv = venv_folder(os.environ)
    try:
        install(venv, verb)
    except Stop as stop:
        return fail(str(stop))
    except KeyboardInterrupt:
        say("stopped. Run the same command again: it goes on from here.")
        return 130
    return become(inner_command(verb, venv, rest))


def too_old(version: str, executable: str) -> str:
    """What to say to somebody whose Python is too old."""
    oldest = ".".join(str(part) for part in OLDEST)
    return (
        f"this is Python {version} ({executable}), and sdl-runtime needs {oldest} or later. "
        f"Install a newer one and name it, as in 'python{oldest} bootstrap.py run'."
    )


def venv_folder(environment: os._Environ[str] | dict[str, str]) -> Path:
    """Where the virtual environment stands."""
    named = environment.get("SDL_VENV")
    return Path(named).absolute() if named else ROOT / ".venv"


def scripts_folder(venv: Path, os_name: str = os.name) -> Path:
    """Where the programs of a virtual environment stand."""
    return venv / ("Scripts" if os_name == "nt" else "bin")


def program(venv: Path, name: str, os_name: str = os.name) -> Path:
    """One program of a virtual environment."""
    return scripts_folder(venv, os_name) / (f"{name}.exe" if os_name == "nt" else name)


def inner_command(verb: str, venv: Path, rest: list[str]) -> list[str]:
    """What is run once all is installed."""
    if verb == "run":
        return [str(program(venv, "sdl")), "run", CAMPAIGN, *rest]
    return [str(program(venv, "python")), "-m", "pytest", *(rest or SIDE_BY_SIDE)]


def install(venv: Path, verb: str) -> None:
    """Make the virtual environment hold what the verb needs. Stop if that cannot be done."""
    extra = EXTRAS[verb]
    found = probe(venv)
    project = (ROOT / "pyproject.toml").read_bytes()
    if ready(venv, found, project, extra):
        say(f"{shown(venv)} is ready.")
        return
    refuse_foreign_folder(venv)
    say(f"installing into {shown(venv)}; the first time takes some minutes.")
    (venv / STAMP).unlink(missing_ok=True)
    steps = plan(venv, extra, found)
    for number, step in enumerate(steps, start=1):
        say(f"{number}/{len(steps)} {step.says}")
        started = time.monotonic()
        perform(step)
        say(f"    done in {time.monotonic() - started:.0f} s")
    made = probe(venv)
    if not is_ours(made):
        raise Stop(f"pip was content, but sdl is not in {venv}; delete that folder and try again")
    (venv / STAMP).write_text(stamp(project, extra, made["python"]) + "\n", encoding="utf-8")


def probe(venv: Path) -> dict[str, str]:
    """What a virtual environment holds: versions by name; empty if its Python does not run.

    ``sdl-runtime`` gives the file that is imported as ``sdl``, not a version.
    """
    python = program(venv, "python")
    if not python.exists() or not (venv / "pyvenv.cfg").exists():
        return {}
    try:
        run = subprocess.run(
            [str(python), "-I", "-c", PROBE],
            capture_output=True,
            text=True,
            timeout=60,
            check=True,
        )
        answer = json.loads(run.stdout)
    except (OSError, ValueError, subprocess.SubprocessError):
        return {}
    return {str(name): str(value) for name, value in answer.items()}


def is_ours(found: dict[str, str]) -> bool:
    """Whether ``import sdl`` gives the code of this very clone."""
    origin = found.get("sdl-runtime")
    return origin is not None and Path(origin).resolve().is_relative_to(ROOT)


def stamp(project: bytes, extra: str, python: str) -> str:
    """Digest of all that decides what has to be installed."""
    text = b"\0".join((project, extra.encode(), python.encode(), TORCH.encode()))
    return hashlib.sha256(text).hexdigest()


def ready(venv: Path, found: dict[str, str], project: bytes, extra: str) -> bool:
    """Whether an earlier bootstrap got to its end, and nothing changed since."""
    if not is_ours(found) or "torch" not in found or not (venv / STAMP).exists():
        return False
    enough = {stamp(project, more, found["python"]) for more in {extra, EXTRAS["test"]}}
    return (venv / STAMP).read_text(encoding="utf-8").strip() in enough


def refuse_foreign_folder(venv: Path) -> None:
    """Stop before a folder that no virtual environment ever was is overwritten."""
    if not venv.exists() or (venv / "pyvenv.cfg").exists():
        return
    foreign = sorted(entry.name for entry in venv.iterdir() if entry.name not in VENV_ENTRIES)
    if foreign:
        raise Stop(
            f"{venv} is no virtual environment: it holds {foreign[0]!r}. "
            "Let SDL_VENV name another folder, or move that one away."
        )


def plan(
    venv: Path,
    extra: str,
    found: dict[str, str],
    system: str = platform.system(),
    machine: str = platform.machine(),
) -> list[Step]:
    """The steps from what was found to a complete installation."""
    # On a terminal pip shows its progress; in a log that would bury the steps.
    loudness = () if sys.stderr.isatty() else ("--quiet",)
    python = str(program(venv, "python"))
    pip = (python, "-m", "pip", "--disable-pip-version-check", *loudness, "install")
    steps = []
    if not usable(found):
        steps.append(venv_step(venv))
    if not usable(found) or found.get("torch", "").partition("+")[0] != TORCH:
        steps.append(torch_step(pip, system, machine))
    steps.append(project_step(pip, extra))
    return steps


def usable(found: dict[str, str]) -> bool:
    """Whether the virtual environment can be built upon."""
    if "pip" not in found:
        return False
    version = tuple(int(part) for part in found["python"].split(".")[:2])
    return version >= OLDEST


def venv_step(venv: Path) -> Step:
    """Make the virtual environment, anew where an earlier one is broken."""
    return Step(
        f"make the virtual environment {shown(venv)} with Python {platform.python_version()}",
        (Try("", (sys.executable, "-m", "venv", "--clear", str(venv))),),
        "On Debian and Ubuntu the module comes with 'apt install python3-venv'. "
        f"Otherwise see that {venv.parent} can be written to and has room.",
    )


def torch_step(pip: tuple[str, ...], system: str, machine: str) -> Step:
    """PyTorch comes first, from a CPU build, so that no gigabytes of CUDA libraries arrive."""
    plain = Try("as the index offers it", (*pip, f"torch=={TORCH}"))
    tries: tuple[Try, ...] = (plain,)
    if system == "Linux" and machine in {"x86_64", "AMD64"}:
        cpu = f"torch=={TORCH}+cpu"
        tries = (
            Try("the CPU build, from your own index", (*pip, *FAIL_FAST, cpu)),
            Try(
                "the CPU build, from PyTorch's index (about 200 MB)",
                (*pip, *FAIL_FAST, "--index-url", TORCH_CPU_INDEX, cpu),
            ),
            plain._replace(says="the general build (with CUDA libraries: several gigabytes)"),
        )
    return Step(
        f"install torch {TORCH}",
        tries,
        "See what pip says above. Without a network, let PIP_FIND_LINKS name a folder of wheels.",
    )


def project_step(pip: tuple[str, ...], extra: str) -> Step:
    """Install the project itself so that edits count at once, and all that it needs."""
    what = f".[{extra}]" if extra else "."
    return Step(
        f"install sdl-runtime and what it needs (pip install -e '{what}')",
        (Try("", (*pip, "-e", what)),),
        "See what pip says above; then run the same command again: what is done is kept.",
    )


def perform(step: Step) -> None:
    """Try the ways of a step in order. Stop with its advice if none works."""
    complaints = []
    for attempt in step.tries:
        if attempt.says:
            say(f"    {attempt.says}")
        try:
            # pip's talk goes to standard error: standard output belongs to the inner command.
            done = subprocess.run(
                attempt.command, cwd=ROOT, stdout=2, stderr=subprocess.PIPE, text=True, check=False
            )
        except OSError as error:
            complaints.append(str(error))
            continue
        if done.returncode == 0:
            return
        complaints.append(done.stderr.strip())
    raise Stop("\n".join([*complaints, f"could not {step.says}.", step.advice]))


def become(command: list[str]) -> int:
    """Run the inner command in place of this process; where that is impossible, its exit code."""
    say("running " + " ".join([shown(Path(command[0])), *command[1:]]))
    try:
        if os.name == "nt":
            return subprocess.run(command, cwd=ROOT, check=False).returncode
        os.chdir(ROOT)
        os.execv(command[0], command)  # noqa: S606 -- no shell is wanted; signals reach it directly
    except OSError as error:
        return fail(f"cannot run {command[0]}: {error}. Delete the environment and try again.")


def shown(path: Path) -> str:
    """A path as a person would type it from the root of the clone."""
    return str(path.relative_to(ROOT)) if path.is_relative_to(ROOT) else str(path)


def say(text: str) -> None:
    """Tell what is going on."""
    print(f"bootstrap: {text}", file=sys.stderr, flush=True)


def fail(text: str) -> int:
    """Tell what is wrong; the exit code of a bootstrap that could not do its work."""
    say(text)
    return 2


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

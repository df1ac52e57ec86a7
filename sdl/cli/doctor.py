"""``sdl doctor``: looks at this machine, and at a lab, and says what is amiss and what to do."""

from __future__ import annotations

import asyncio
import importlib.metadata
import platform
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, entry_points
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from sdl.cli.console import say, write_json
from sdl.cli.exits import Exit
from sdl.cli.places import lab_named
from sdl.errors import SdlError, UserMistake

if TYPE_CHECKING:
    from sdl.wire.toml import LabFile

PACKAGES = (
    "pydantic",
    "aiomqtt",
    "amqtt",
    "fastapi",
    "sqlalchemy",
    "ax-platform",
    "botorch",
    "ortools",
    "torch",
    "pylabrobot",
)
GROUPS = ("sdl.drivers", "sdl.simulators", "sdl.protocols", "sdl.planners")
BROKER_TIMEOUT_S = 5.0
ANSWER_S = 5.0
"""Wall seconds that an orchestrator may take."""
LEAST_FREE_GB = 1.0
OLDEST_YEAR = 2024
"""A clock that stands before this was never set."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at."""

    what: str
    state: Literal["good", "note", "bad"]
    """*note*: something that is not there and may not be needed."""
    detail: str


def doctor(
    lab: Annotated[
        Path | None,
        typer.Argument(metavar="LAB", help="A lab or campaign file; else this machine alone."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON document.")] = False,
) -> None:
    """Look at this machine and a lab: what is missing, and what to do about it."""
    findings = list(_all(lab))
    ill = any(one.state == "bad" for one in findings)
    if as_json:
        write_json("sdl.doctor/1", ok=not ill, findings=findings)
    else:
        signs = {"good": "ok  ", "note": "-   ", "bad": "BAD "}
        for one in findings:
            say(f"{signs[one.state]}{one.what:<16}{one.detail}")
    if ill:
        raise typer.Exit(Exit.FAULT)


def _all(lab: Path | None) -> Iterator[Finding]:
    yield Finding("python", "good", f"{platform.python_version()} on {platform.platform()}")
    yield from _packages()
    yield from _entry_points()
    yield _clock()
    yield _folder(Path.cwd() if lab is None else lab.resolve().parent)
    if lab is None:
        return
    try:
        file = lab_named(lab)
    except UserMistake as mistake:
        yield Finding("lab", "bad", str(mistake))
        return
    yield Finding("lab", "good", f"{file.lab.name}, {len(file.lab.instruments)} instruments")
    yield from _drivers(file)
    yield _record(file)
    yield _broker(file)
    yield _orchestrator(file)


def _packages() -> Iterator[Finding]:
    for name in PACKAGES:
        try:
            yield Finding(name, "good", importlib.metadata.version(name))
        except PackageNotFoundError:
            yield Finding(name, "bad", f"is not installed; run: pip install {name}")


def _entry_points() -> Iterator[Finding]:
    for group in GROUPS:
        found = sorted(entry_points(group=group), key=lambda entry: entry.name)
        # Planners bring torch along, which takes seconds; that their file is there is enough.
        failed = [] if group == "sdl.planners" else [e for e in map(_loads, found) if e]
        what = group.removeprefix("sdl.")
        if failed:
            state: Literal["note", "bad"] = "note" if group == "sdl.drivers" else "bad"
            yield Finding(what, state, "; ".join(failed))
        else:
            yield Finding(what, "good", ", ".join(entry.name for entry in found) or "none")


def _loads(entry: importlib.metadata.EntryPoint) -> str:
    try:
        entry.load()
    except Exception as error:  # noqa: BLE001 -- anybody's plugin may raise anything
        return f"{entry.name} cannot be loaded: {type(error).__name__}: {error}"
    return ""


def _clock() -> Finding:
    year = time.gmtime().tm_year
    if year < OLDEST_YEAR:
        return Finding("clock", "bad", f"says {year}; set it (timedatectl set-ntp true)")
    return Finding("clock", "good", time.strftime("%Y-%m-%d %H:%M:%S UTC", time.gmtime()))


def _folder(folder: Path) -> Finding:
    try:
        with tempfile.TemporaryFile(dir=folder):
            free_gb = shutil.disk_usage(folder).free / 1e9
    except OSError as error:
        detail = f"{folder} cannot be written: {error.strerror}; choose another"
        return Finding("folder", "bad", detail)
    if free_gb < LEAST_FREE_GB:
        return Finding("disk", "bad", f"{free_gb:.1f} GB free in {folder}; make room")
    return Finding("folder", "good", f"{folder}, {free_gb:.0f} GB free")


def _drivers(file: LabFile) -> Iterator[Finding]:
    from sdl.shell.preflight import load_drivers

    mistakes: list[UserMistake] = []
    drivers = load_drivers(file, mistakes)
    for name, loaded in drivers.items():
        yield Finding(name, "good", loaded.reference)
    for mistake in mistakes:
        yield Finding("instruments", "bad", str(mistake))


def _record(file: LabFile) -> Finding:
    from sdl.shell.record import Record

    path = Path(file.record_url.partition(":///")[2])
    if file.record_url.startswith("sqlite") and not path.exists():
        return Finding("record", "note", f"not there yet; `sdl run` makes it: {path}")
    return _tried("record", lambda: Record.open(file.record_url, create=False).close(), "opens")


def _broker(file: LabFile) -> Finding:
    if file.lab.broker == "embedded":
        return Finding("broker", "good", "embedded: `sdl run` starts its own")

    async def reach() -> None:
        from sdl.shell.mqtt_bus import MqttBus

        bus = MqttBus(file.lab.broker, f"sdl-{file.lab.name}-doctor")
        try:
            async with asyncio.timeout(BROKER_TIMEOUT_S):
                await bus.connect()
        finally:
            await bus.aclose()

    return _tried("broker", lambda: asyncio.run(reach()), "answers")


def _orchestrator(file: LabFile) -> Finding:
    from sdl.service.caller import Caller
    from sdl.service.card import card_path, read

    path = card_path(file.folder / ".sdl", file.lab.name)
    if not path.exists():
        return Finding("orchestrator", "note", "none at work; `sdl run CAMPAIGN` starts one")
    try:
        lab = Caller(read(path), ANSWER_S).lab()
    except SdlError as error:
        return Finding("orchestrator", "bad", str(error))
    names = ", ".join(view.campaign for view in lab.campaigns) or "no campaign yet"
    return Finding("orchestrator", "good", f"works on {names} and answers")


def _tried(what: str, attempt: Callable[[], None], good: str) -> Finding:
    try:
        attempt()
    except SdlError as error:
        return Finding(what, "bad", str(error))
    except (OSError, TimeoutError) as error:
        return Finding(what, "bad", f"{type(error).__name__}: {error or 'no answer'}")
    return Finding(what, "good", good)

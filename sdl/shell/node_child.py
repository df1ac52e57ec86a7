"""A node as the child of ``sdl run``, seen from its parent, which need not load what a node is."""

from __future__ import annotations

from pathlib import Path

from pydantic import TypeAdapter

from sdl.errors import LabFault
from sdl.model.lab import Lab
from sdl.shell.action_call import MAKE_SAFE_S
from sdl.shell.bench_file import BENCH_FILE
from sdl.shell.broker import write_secret
from sdl.shell.children import Child
from sdl.shell.redact import without_secrets

LAB_FILE = "lab.json"
"""In the run folder: the lab as the parent read it, without passwords of broker and database."""
LEAVE_S = MAKE_SAFE_S + 10.0
"""Wall seconds that a node may take to leave; one that is killed while it makes an instrument safe
leaves that as it is."""
IN_HAND_S = 600.0
"""Wall seconds that a node may take to end what it has in hand, where another orchestrator has
taken over from its own. Nothing else begins at it meanwhile; then its instruments are made safe."""


def node_name(only: tuple[str, ...]) -> str:
    """A name that differs between nodes that host different instruments of one lab."""
    return "-".join(("node", *sorted(only)))


def node_child(
    lab: Lab,
    folder: Path,
    *,
    run_folder: Path,
    broker_file: Path,
    only: tuple[str, ...] = (),
    elsewhere_after_s: float | None = None,
) -> Child:
    """The child process that hosts a lab's instruments.

    ``run_folder`` receives the lab, the bench's memory and the log. ``broker_file``: the file,
    readable by its owner only, that holds the broker's URL; it never stands on a command line.
    ``elsewhere_after_s``: where another node hosts them for so long, it is ready all the same, and
    takes its place when that one leaves; None: it fails.
    """
    run_folder.mkdir(parents=True, exist_ok=True)
    lab_file = run_folder / LAB_FILE
    # For its owner only, for the options of a driver may hold secrets too.
    write_secret(lab_file, TypeAdapter(Lab).dump_json(without_secrets(lab), indent=1).decode())
    name = node_name(only)
    words = ["--lab", str(lab_file), "--folder", str(folder), "--broker-file", str(broker_file)]
    words += ["--bench-file", str(run_folder / BENCH_FILE)] if lab.simulated else []
    words += [word for each in only for word in ("--only", each)]
    if elsewhere_after_s is not None:
        words += ["--elsewhere-after-s", str(elsewhere_after_s)]
    return Child(
        name,
        "sdl.shell.node_process",
        *words,
        log=run_folder / f"{name}.log",
        fault=LabFault,
        grace_s=LEAVE_S,
    )

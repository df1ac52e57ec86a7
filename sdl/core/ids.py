"""What the ids of runs, steps and commands say; see *Ids* in ``sdl/ARCHITECTURE.md``."""

from __future__ import annotations


def campaign_of(name: str) -> str:
    """The campaign that a run, step, command, question or timer belongs to, by its id."""
    return name.partition("/")[0]


def run_of(name: str) -> str:
    """The run, or carry, of a step or command: the first two parts of its id."""
    return "/".join(name.split("/", 2)[:2])


def step_of(cid: str) -> str:
    """The step of a command; empty of an empty one."""
    return cid.rpartition("/try-")[0]

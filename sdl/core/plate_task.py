"""A fresh plate that a person is asked to bring, as all wells of a campaign's plates are used."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class PlateTask:
    """A person is asked to put a fresh plate on a site."""

    id: str
    """``dye-450/fresh-1``."""
    campaign: str
    """Which campaign has no wells left; the plate is open to others until it is used."""
    role: str
    kind: str
    """Of the plate, as PyLabRobot names it."""
    place: str
    """The instrument or place on which it has to stand; empty: any store."""
    reason: str
    """What is lacking, what to do and what to type."""
    since: float
    """Lab time."""

    @property
    def task(self) -> str:
        """What ``sdl done`` is told: ``fresh-1``."""
        return short(self.id)


def short(task: str) -> str:
    """The id of a task without the name of its journal."""
    return task.rpartition("/")[2]


def what_to_do(task: str, place: str, stop: str) -> str:
    """What a person does about a lack of wells, in a sentence that goes on after it.

    ``place``: where a fresh plate has to stand, empty for any store; ``stop``: what to type
    if there is none.
    """
    where, site = (place, f"{place}/N") if place else ("a store", "SITE")
    return (
        f"bring fresh plates: put one on a free site of {where}, then: sdl done {short(task)} "
        f"NAME {site}; or: {stop}"
    )

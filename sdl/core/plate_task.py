"""A fresh plate that a person is asked to bring, as all wells of a campaign's plates are used."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class PlateTask:
    """A person is asked to put a fresh plate on a site."""

    id: str
    """``dye-450/plate-1``."""
    campaign: str
    """Which campaign has no wells left; the plate is open to others until it is used."""
    role: str
    kind: str
    """Of the plate, as PyLabRobot names it."""
    at: str
    """The instrument or place on which it has to stand; empty: any store."""
    lack: str
    """Which wells are not there, as a sentence."""
    is_shared: bool
    """Whether other campaigns may be at work in the lab."""
    since: float
    """Lab time."""

    @property
    def task(self) -> str:
        """What ``sdl done`` is told: ``plate-1``."""
        return self.id.rpartition("/")[2]

    @property
    def reason(self) -> str:
        """What is lacking, and what to do and to type."""
        stop = f"sdl campaign stop {self.campaign}" if self.is_shared else "sdl stop"
        where, site = (self.at, f"{self.at}/N") if self.at else ("a store", "SITE")
        return (
            f"{self.lack}; bring fresh plates: put one on a free site of {where}, then: "
            f"sdl done {self.task} NAME {site}; or: {stop}"
        )

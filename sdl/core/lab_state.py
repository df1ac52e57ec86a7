"""What the engine knows of the bench: who is online, who is busy, which wells are free."""

from __future__ import annotations

from dataclasses import dataclass, field

from sdl.model.lab import Lab
from sdl.model.labware import PLATE_KINDS, Well


@dataclass(slots=True)
class InstrumentState:
    """One instrument as last heard of."""

    name: str
    driver: str
    simulated: bool
    boot: str = ""
    """Of the node that announced it last; empty before the first word."""
    memory: str = ""
    """Of that node's journal."""
    online: bool = False
    absence: str = "not heard of yet"
    """Why it is not online."""
    busy_with: str | None = None
    """The open command that holds it."""
    held: str = ""
    """Why nothing may be asked of it: its last action is unknown and it is real."""

    @property
    def ready(self) -> bool:
        """Whether runs that need it may begin."""
        return self.online and not self.held


@dataclass(slots=True)
class LabState:
    """Folded from events; one per engine."""

    instruments: dict[str, InstrumentState]
    free_wells: dict[str, list[str]] = field(default_factory=dict)
    """By plate, in order of use."""

    @classmethod
    def of(cls, lab: Lab) -> LabState:
        """The bench as the files describe it, before anyone was heard of."""
        return cls(
            {i.name: InstrumentState(i.name, i.driver, i.simulated) for i in lab.instruments},
            {plate.name: list(PLATE_KINDS[plate.kind].wells) for plate in lab.labware},
        )

    def free_well(self, plates: tuple[str, ...], taken: frozenset[Well]) -> Well | None:
        """The next unused well of these plates but for those taken; None if all are used up."""
        wells = (Well(plate, name) for plate in plates for name in self.free_wells[plate])
        return next((well for well in wells if well not in taken), None)

    def use(self, well: Well) -> None:
        """Take a well out of the free ones, for good: a used well is never offered again."""
        self.free_wells[well.labware].remove(well.name)

"""What the engine knows of the bench: who is online, who is busy, which wells are free."""

from __future__ import annotations

from dataclasses import dataclass, field

from sdl.model.action import Effect
from sdl.model.lab import Lab
from sdl.model.labware import PLATE_KINDS, Well

CARE: tuple[Effect, ...] = ("pure", "idempotent", "once")
"""From harmless to never twice."""


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
    seq: int = 0
    """Number of the last word that was heard of that journal; 0 where none was."""
    effects: dict[str, Effect] = field(default_factory=dict)
    """What its driver declares of each action."""
    online: bool = False
    absence: str = "not heard of yet"
    """Why it is not online."""
    busy_with: str | None = None
    """The open command that holds it."""
    held: str = ""
    """Why nothing may be asked of it until a person lets it: quarantined, or not made safe."""
    asking: str = ""
    """The step at which it waits for a person's answer."""
    mending: str = ""
    """The step for which a recovery is under way: only recoveries may use it."""
    paused: str = ""
    """Who wants nothing new to start on it, and why."""
    paused_at_once: bool = False
    halting: bool = False
    """It was told to make itself safe, and has not said yet that it is."""
    stopped: str = ""
    """Why its node obeys nothing before it is released."""
    stopped_past_us: bool = False
    """It was stopped by somebody else than this orchestrator, as its node said."""
    released: str = ""
    """Boot of the node that was released last."""

    @property
    def ready(self) -> bool:
        """Whether runs that need it may begin."""
        return self.able and not self.paused

    @property
    def able(self) -> bool:
        """Whether something may be asked of it, as soon as it is not busy."""
        return self.online and not (self.held or self.asking or self.halting or self.stopped)

    def effect(self, operation: str, declared: Effect) -> Effect:
        """The more careful word of the driver's and the capability's about an action."""
        return max(declared, self.effects.get(operation, declared), key=CARE.index)


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

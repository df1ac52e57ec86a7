"""One execution of a protocol, with one suggestion or a batch of them: its open steps."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from sdl.authoring import Act, Settle
from sdl.core.events import Verdict
from sdl.core.tables import OPEN, State
from sdl.core.trampoline import Trampoline
from sdl.errors import SdlError
from sdl.model.action import Effect
from sdl.model.data import Arguments
from sdl.model.labware import Wells, several
from sdl.model.policy import Trouble

Standing: TypeAlias = Literal["waits", "settles", "rests", "mends", "asks", "halts"] | State
"""*waits*: for its instrument. *rests*: before it is tried again. *mends*: for a recovery. *asks*:
for a person, after an error. *unknown*: for a person who finds out. *halts*: its run was broken
off, and its instrument is not safe yet. The others: as its command."""
AT_A_PERSON: frozenset[Standing] = frozenset({"unknown", "asks"})


@dataclass(frozen=True, slots=True)
class Next:
    """An action that must start soon after the end of another one of its run."""

    path: str
    role: str
    labware: tuple[str, ...]
    within_s: float


@dataclass(slots=True)
class Step:
    """One open request of a run."""

    id: str
    """``dye-450/run-7/step-2``."""
    path: str
    request: Act | Settle
    not_after: float | None
    """Lab time at which its window closes; None where there is no maximum lag."""
    order: int
    instrument: str
    """Empty for a settling time."""
    state: Standing
    trampoline: Trampoline
    """Of the protocol, or of the recovery that asked for it."""
    labware: tuple[str, ...] = ()
    """What it acts on and has to stand at its instrument, or what settles: pieces that stand on
    sites."""
    draws: Mapping[str, int] = field(default_factory=dict)
    """What it draws of declared sources of its instrument, in picolitres; of none where nobody
    looks before it is sent."""
    mends: str = ""
    """Path of the step that the recovery it belongs to is for; empty in the protocol itself."""
    until: float | None = None
    """When a settling time, or a rest before the next attempt, ends, in lab time."""
    attempt: int = 0
    effect: Effect = "once"
    """Of the present attempt: the more careful word of capability and driver."""
    memory: str = ""
    """Of the node's journal to which the present attempt was sent."""
    epoch: int = 0
    """Of the orchestrator that sent the present attempt."""
    boots: tuple[str, ...] = ()
    """Of the node's starts in which the present attempt was started: more than one is wrong."""
    watched: bool = False
    """Whether a timer will end its wait when its window closes."""
    prompted: float | None = None
    """When it is looked at again, if it is held back for what follows it, in lab time."""
    late: bool = False
    """Its window is broken, and it is done all the same."""
    late_s: float | None = None
    """By how many lab seconds it then started too late; None before that."""
    since: float = 0.0
    """Lab time at which it began to wait for its instrument, or at a person."""
    trouble: Trouble | None = None
    error: SdlError | None = None
    """What became of the last attempt, while something is done about it."""
    proven: bool = False
    """Whether the last attempt is known not to have changed anything."""
    was_done: bool = False
    """Whether its node said that it was done, and only its result is of no use."""
    tried: dict[int, int] = field(default_factory=dict)
    """How often each rule of the error policy was followed, by its place."""
    recoveries: int = 0

    @property
    def deadline(self) -> float | None:
        """Lab time after which it must not start; None if it may at any time."""
        return None if self.late else self.not_after

    @property
    def cid(self) -> str:
        """The command of the present attempt."""
        return f"{self.id}/try-{self.attempt}"

    @property
    def is_open(self) -> bool:
        """Whether a command of it is in the world."""
        return self.state in OPEN

    @property
    def verdicts(self) -> tuple[Verdict, ...]:
        """What a person may answer about it."""
        if self.was_done or self.is_open:  # else it is done; or its lost node may still do it
            return ("happened", "discard")
        return ("happened", "did_not_happen", "discard")

    @property
    def repeatable(self) -> bool:
        """Whether another attempt does no harm, whatever became of the last."""
        return self.proven or self.effect != "once"


@dataclass(slots=True)
class Run:
    """A run in flight."""

    id: str
    number: int
    suggestions: tuple[str, ...]
    """One; of a batch protocol those of its samples, in their order."""
    inputs: Arguments
    """What the protocol was called with."""
    wells: Mapping[str, Wells]
    """By labware role."""
    instruments: dict[str, str]
    """By role; the error policy may give a role to another instrument."""
    trampoline: Trampoline
    began: float = 0.0
    """Lab time."""
    lodgings: tuple[str, ...] = ()
    """Instruments at which its labware stays for a while: a site of each is counted as its own."""
    chains: dict[str, tuple[Next, ...]] = field(default_factory=dict)
    """By path of an action: those that must start soon after its end, where plates are carried."""
    used: dict[str, tuple[str, ...]] = field(default_factory=dict)
    """The pieces that were used last, by the branch that did: what its paths begin with."""
    steps: dict[str, Step] = field(default_factory=dict)
    """Open ones by path, in order of asking."""
    recoveries: dict[str, Trampoline] = field(default_factory=dict)
    """Under way, by the path of the step that they are for."""
    broken: str | None = None
    """Why it was broken off; then nothing new starts, and the run ends with its open steps."""
    outcome: Literal["failed", "unknown", "abandoned"] = "unknown"
    """How it will end, where it was broken off."""
    requeued: bool = False
    """It was broken off, and its suggestion waits for another run, or has one."""
    broken_windows: int = 0
    """How many of its steps have missed their maximum lag."""
    aborted: bool = False
    """A person gave it up: its steps end once their instruments are safe."""
    disturbed: str = ""
    """Why an action of it was cut off by a stop of the lab; empty if none was."""


def use(run: Run, path: str, pieces: tuple[str, ...]) -> None:
    """A step with these pieces was asked for: all that its branch used before is over."""
    branch = _branch_of(path)
    run.used = {one: used for one, used in run.used.items() if not one.startswith(branch)}
    run.used[branch] = pieces


def used_last(run: Run, path: str) -> tuple[str, ...]:
    """The pieces that the branch of a step used last, or else those that were before its fork."""
    branch = _branch_of(path)
    found = _last(run, branch, but=path)
    while branch and not found:
        fork = branch.removesuffix(".").rpartition(".")[0]
        branch = _branch_of(fork)
        found = _last(run, branch, but=f"{fork}.")
    return found


def _last(run: Run, branch: str, but: str) -> tuple[str, ...]:
    """In a branch, or in those that it has joined since; ``but``: how paths passed over begin."""
    forked = [
        pieces
        for one, pieces in run.used.items()
        if one != branch and one.startswith(branch) and not one.startswith(but)
    ]
    if not forked:
        return run.used.get(branch, ())
    return tuple(dict.fromkeys(name for pieces in forked for name in pieces))


def _branch_of(path: str) -> str:
    """``2.1.`` of ``2.1.3``; empty where the protocol has not forked."""
    return path[: path.rfind(".") + 1]


def labware_of(run: Run) -> tuple[str, ...]:
    """Names of the labware of a run, its roles' in order."""
    wells = (well for of_role in run.wells.values() for well in several(of_role))
    return tuple(dict.fromkeys(well.labware for well in wells))

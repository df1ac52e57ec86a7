"""Many seeds, one after the other or in several processes, and what they came to together."""

from __future__ import annotations

import logging
from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from dataclasses import dataclass, field
from functools import lru_cache, partial
from itertools import islice
from multiprocessing import get_context
from pathlib import Path

from sdl.errors import UserMistake
from sdl.shell.preflight import Prepared, prepare
from sdl.sim.drill import DOES_NOT_END, ENDS_WITHIN_S, Report, drill
from sdl.sim.simulate import only_simulators

SHARE = 0.95
"""Part of the time that the campaign takes by itself in which faults begin."""
LONGEST_S = 7 * 24 * 3600.0
"""Virtual seconds that the campaign may take by itself: a week takes some minutes to play."""
LONGER = 3.0
"""How many times as long it may take once all is well again."""
CHUNK = 10
"""Seeds that a process is given at once, ..."""
AHEAD = 3
"""... and how often while nobody has looked at what came of them."""


@dataclass(slots=True, kw_only=True)
class Totals:
    """What many seeds came to."""

    seeds: int = 0
    commands: int = 0
    done: int = 0
    unknown: int = 0
    happened: int = 0
    """Of the unknown ones."""
    kills: Counter[str] = field(default_factory=Counter)
    points: Counter[str] = field(default_factory=Counter)
    faults: Counter[str] = field(default_factory=Counter)
    """By kind."""
    rough: Counter[str] = field(default_factory=Counter)
    """What else befell the labs, by name."""
    broken: dict[int, str] = field(default_factory=dict)
    """By seed, the invariant that does not hold."""

    def add(self, report: Report) -> None:
        """Count one more."""
        self.seeds += 1
        self.commands += report.commands
        self.done += report.done
        self.unknown += report.unknown
        self.happened += report.happened
        self.kills += report.kills
        self.points += report.points
        self.rough += report.rough
        self.faults += Counter(fault.kind for fault in report.faults)
        if report.broken:
            self.broken[report.seed] = report.broken


def drills(
    campaign: Path, seeds: Iterable[int], *, jobs: int = 1, beside: tuple[Path, ...] = ()
) -> Iterator[Report]:
    """One report for each seed, in order.

    ``jobs``: processes. ``beside``: other campaigns, which share its lab. UserMistake if a file is
    wrong or an instrument is real.
    """
    campaigns = (campaign, *beside)
    _course(campaigns)
    if jobs == 1:
        yield from map(partial(one, campaigns), seeds)
        return
    yield from _side_by_side(campaigns, iter(seeds), jobs)


def _side_by_side(campaigns: tuple[Path, ...], seeds: Iterator[int], jobs: int) -> Iterator[Report]:
    """In processes, each some seeds ahead; there may be no end to them."""
    pool = ProcessPoolExecutor(jobs, mp_context=get_context("spawn"))
    ahead: deque[Future[list[Report]]] = deque()
    try:
        while True:
            while len(ahead) < AHEAD * jobs and (share := tuple(islice(seeds, CHUNK))):
                ahead.append(pool.submit(some, campaigns, share))
            if not ahead:
                return
            yield from ahead.popleft().result()
    finally:
        pool.shutdown(cancel_futures=True)


def some(campaigns: tuple[Path, ...], seeds: Sequence[int]) -> list[Report]:
    """The reports of some seeds, for a process of its own."""
    logging.disable(logging.CRITICAL)  # what dies there on purpose complains of it
    return [one(campaigns, seed) for seed in seeds]


def one(campaigns: tuple[Path, ...], seed: int) -> Report:
    """The report of one seed."""
    (first, *beside), calm_s = _course(campaigns)
    within_s, ends_s = SHARE * calm_s, _patience_s(calm_s)
    return drill(first, seed, faults=within_s, beside=beside, ends_within_s=ends_s)


def traced(
    campaign: Path, seed: int, tell: Callable[[str], None], *, beside: tuple[Path, ...] = ()
) -> Report:
    """The same, and every moment of it told as a line of text."""
    (first, *others), calm_s = _course((campaign, *beside))
    within_s, ends_s = SHARE * calm_s, _patience_s(calm_s)
    return drill(first, seed, faults=within_s, tell=tell, beside=others, ends_within_s=ends_s)


def _patience_s(calm_s: float) -> float:
    return max(ENDS_WITHIN_S, LONGER * calm_s)


def replay(campaign: Path, seed: int, *, beside: tuple[Path, ...] = ()) -> str:
    """The command that shows the same again, moment by moment."""
    files = " ".join(str(path) for path in (campaign, *beside))
    return f"sdl simulate {files} --faults --seed {seed} --trace"


@lru_cache(maxsize=8)
def _course(campaigns: tuple[Path, ...]) -> tuple[tuple[Prepared, ...], float]:
    """Campaigns, and how many virtual seconds they take when nothing befalls them, roughly."""
    prepared = tuple(prepare(path) for path in campaigns)
    only_simulators(prepared[0].lab.lab)
    first, *beside = prepared
    calm = drill(
        first, first.campaign.campaign.seed, faults=(), beside=beside, ends_within_s=LONGEST_S
    )
    if calm.broken == DOES_NOT_END:
        raise UserMistake(
            f"{campaigns[0]} has not come to its end after {LONGEST_S / 3600.0:g} h of virtual "
            "time, without any faults; practise faults with fewer runs: [stop] runs"
        )
    if calm.broken:
        raise UserMistake(
            f"{campaigns[0]} does not come to its end even without faults: {calm.broken}"
        )
    return prepared, calm.virtual_s

"""A simulated person, who goes and looks when an orchestrator asks, and is sometimes wrong.

As the lab's temper says, it is hasty, contrary or fickle besides.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Coroutine
from contextlib import suppress

from sdl.core.events import LabwarePlaced, ResumeRequested, StepResolved, Verdict
from sdl.core.view import LabView, Question
from sdl.errors import SdlError
from sdl.shell.desk import Word
from sdl.sim.faults import PERSON
from sdl.sim.hands import found, stores_of
from sdl.sim.processes import TELL_S, OrchestratorProcess, Site

LOOK_S = (2.0, 6.0)
"""Pause between two looks at the screen."""
THINK_S = (2.0, 60.0)
"""From seeing a question to answering it."""
AGAIN_S = 200.0
"""After which a question that is still there is taken up again."""
HELD_S = 20.0
"""For how long an instrument must be seen held before it is let go on."""
HASTY_S = 0.5
"""What one who is hasty waits at most before what is stopped is let go on."""
AMID_S = 0.05
"""After so much of a resume, at most, one who is fickle stops everything again, ..."""
REPENT_S = 30.0
"""... and resumes it after that, at most."""
WRONG, DISCARDS, TWICE = 0.08, 0.15, 0.2
"""Chances to be wrong, to give the sample up, and to answer a second time, otherwise."""


class Person:
    """Answers what the orchestrators of a site ask."""

    def __init__(self, chance: random.Random, site: Site) -> None:
        self.wrong: set[str] = set()
        """Steps about which it was wrong."""
        self._chance = chance
        self._site = site
        self._seen: dict[str, float] = {}
        """Commands asked about, and when that was seen."""
        self._held: dict[str, float] = {}
        """Instruments that nothing is asked about, and since when they were seen held."""
        self._tasks: set[asyncio.Task[object]] = set()

    async def attend(self, orchestrators: tuple[OrchestratorProcess, ...]) -> None:
        """Look at the screens until cancelled."""
        while True:
            await asyncio.sleep(self._chance.uniform(*LOOK_S))
            for each in orchestrators:
                if each.is_awake and each.runtime:
                    view = each.runtime.lab()
                    for question in view.questions:
                        self._take_up(question)
                    asked = {question.instrument for question in view.questions}
                    self._go_round(view, asked)
                    self._look_for(view)

    def _go_round(self, view: LabView, asked: set[str]) -> None:
        """Let go on what is held and about which nothing is asked, once it was seen so a while."""
        held = {
            each.name
            for each in view.instruments
            if each.state in ("held", "stopped") and each.name not in asked
        }
        now = asyncio.get_running_loop().time()
        self._held = {name: self._held.get(name, now) for name in sorted(held)}
        for name, since in self._held.items():
            if now - since > HELD_S or self._is_hasty():
                self._held[name] = now
                self._start(self.resume(name))

    def _look_for(self, view: LabView) -> None:
        """Find labware of which nobody knows where it is, and say where it stands."""
        now = asyncio.get_running_loop().time()
        for one in view.labware:
            if one.astray and now - self._seen.get(one.labware, -AGAIN_S) >= AGAIN_S:
                self._seen[one.labware] = now
                self._start(self._find(one.labware))

    async def _find(self, labware: str) -> None:
        """Go there once nothing moves; what is in a gripper or lies about goes into store."""
        site, floor = self._site, self._site.bench.floor
        await asyncio.sleep(self._chance.uniform(*THINK_S))
        carriers = [one.name for one in site.lab.instruments if one.reaches]
        while not all(map(site.world.is_at_rest, carriers)):  # noqa: ASYNC110 - it waits and looks
            await asyncio.sleep(1.0)
        where = found(labware, floor, stores_of(site.lab))
        others = [one for one in stores_of(site.lab) if not floor.on(one)]
        for each in dict.fromkeys((where, *([] if floor.site(labware) == where else others))):
            if not each or floor.on(each) in ("", labware):  # else an arm was quicker
                floor.rearrange({labware: each})
                site.note(f"a person finds {labware} on {each}")
                if not await site.tell(_placed(labware, each)):
                    return

    def patience_s(self, seconds: float) -> float:
        """For how long what it stopped stays so, if it is not hasty: ``seconds``."""
        return self._chance.uniform(0.0, HASTY_S) if self._is_hasty() else seconds

    def _is_hasty(self) -> bool:
        temper = self._site.temper
        is_hasty = bool(temper.hasty) and self._chance.random() < temper.hasty
        if is_hasty:
            self._site.trace.count("hasty resume")
        return is_hasty

    async def resume(self, what: str) -> None:
        """Let an instrument go on, or all; one who is fickle stops everything in the middle."""
        temper, chance = self._site.temper, self._chance
        resuming = self._site.tell(lambda at: ResumeRequested(at=at, what=what, by=PERSON))
        if not temper.fickle or chance.random() >= temper.fickle:
            await resuming
            return
        self._site.trace.count("stop amid a resume")
        self._start(resuming)
        amid_s = chance.choice([0.0, 0.1, 1.0]) * AMID_S
        await asyncio.sleep(chance.uniform(0.0, amid_s))
        await self.stop_all()
        await asyncio.sleep(chance.uniform(0.0, REPENT_S))
        for goes_on in dict.fromkeys((what, "")):
            await self._site.tell(lambda at: ResumeRequested(at=at, what=goes_on, by=PERSON))  # noqa: B023

    async def stop_all(self) -> None:
        """Press the button."""
        runtime = await self._site.desk()
        with suppress(TimeoutError, SdlError):
            async with asyncio.timeout(TELL_S):
                await runtime.stop_all(PERSON, "a drill")

    def _start(self, work: Coroutine[object, object, object]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _take_up(self, question: Question) -> None:
        cid = self._cid(question.step)
        now = asyncio.get_running_loop().time()
        if now - self._seen.get(cid, -AGAIN_S) >= AGAIN_S:  # an answer may have got lost
            self._seen[cid] = now
            self._start(self._answer(question, cid))

    def _cid(self, step: str) -> str:
        """The last attempt of a step."""
        found = [p for p in self._site.books.performed.values() if p.step == step]
        return max(found, key=lambda perform: perform.attempt).cid if found else step

    async def _answer(self, question: Question, cid: str) -> None:
        chance, world = self._chance, self._site.world
        await asyncio.sleep(chance.uniform(*THINK_S))
        while not world.is_at_rest(question.instrument):  # noqa: ASYNC110 - it walks about
            await asyncio.sleep(1.0)
        first = self._verdict(cid, question)
        if (first == "happened") != world.has_happened(cid) and first != "discard":
            self.wrong.add(question.step)
        contrary = self._site.temper.contrary
        if contrary and chance.random() < contrary:
            self._site.trace.count("contrary answers")
            other: Verdict = "discard" if first == "did_not_happen" else "did_not_happen"
            told = (self._tell(question, cid, each) for each in (first, other))
            await asyncio.gather(*told)
            return
        await self._tell(question, cid, first)
        if chance.random() < TWICE:
            await asyncio.sleep(chance.uniform(0.0, 10.0))
            await self._tell(question, cid, self._verdict(cid, question))

    def _verdict(self, cid: str, question: Question) -> Verdict:
        chance, deed = self._chance, self._site.world.deed(cid)
        if question.gives_result and (deed is None or deed.result is None):
            return "discard"  # nobody can say any more what it gave
        if chance.random() < DISCARDS:
            return "discard"
        truth = self._site.world.has_happened(cid)
        return "happened" if truth != (chance.random() < WRONG) else "did_not_happen"

    async def _tell(self, question: Question, cid: str, verdict: Verdict) -> None:
        deed = self._site.world.deed(cid)
        result = deed.result if deed is not None and verdict == "happened" else None
        self._site.note(f"a person says of {question.step}: {verdict}")
        await self._site.tell(
            lambda at: StepResolved(
                at=at,
                step=question.step,
                attempt=question.attempt,
                verdict=verdict,
                by="person",
                result=result,
            )
        )


def _placed(labware: str, site: str) -> Word:
    return lambda at: LabwarePlaced(at=at, labware=labware, site=site, by=PERSON)

"""A desk that takes down what it is told, and the real server before it, in a thread."""

from __future__ import annotations

import asyncio
import http.client
import json
import threading
from collections.abc import Iterator, Mapping
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sdl.core import events as ev
from sdl.core.amounts import Content
from sdl.core.view import InFlight, InstrumentView, LabView, Question, View
from sdl.errors import SdlError, UserMistake
from sdl.model.campaign import Terms
from sdl.service import served
from sdl.service.card import Card, card_path, read
from sdl.shell.desk import Start, Word

AT = 1_700_000_000.0


def question(step: str = "dye/run-2/step-1") -> Question:
    return Question(
        step=step,
        run=step.rpartition("/")[0],
        instrument="handler",
        operation="dispense",
        args={"well": {"labware": "plate-1", "name": "A1"}, "volume_ul": 20.5},
        since=AT - 63.0,
        reason="the node died while it was going on",
        verdicts=("happened", "did_not_happen", "discard"),
    )


def of_lab(shown: View) -> LabView:
    """The lab of a campaign that has it for itself."""
    return LabView(
        name=shown.campaign,
        is_shared=False,
        at=shown.at,
        campaigns=(shown,),
        terms=(Terms(),),
        ended=(),
        instruments=shown.instruments,
        paused=shown.paused,
        stocks=shown.stocks,
        refills=shown.refills,
    )


def view(*questions: Question, paused: str = "", state: str = "busy") -> View:
    """A campaign in the middle of its work."""
    return View(
        campaign="dye",
        at=AT,
        started_at=AT - 4000.0,
        runs_begun=2,
        runs_ended=1,
        runs_measured=1,
        failures=0,
        unknown=0,
        last_failure="",
        runs_max=20,
        measure="absorbance_au",
        in_flight=(
            InFlight(
                run="dye/run-2", step="dye/run-2/step-1", instrument="handler", state="started"
            ),
        ),
        best=None,
        instruments=(
            InstrumentView(
                name="handler",
                state=state,  # type: ignore[arg-type]
                simulated=True,
            ),
        ),
        evidence=None,
        suggestions_ready=1,
        planner_state="idle",
        waits=(),
        ended=None,
        questions=questions,
        paused=paused,
    )


@dataclass
class Notebook:
    """A desk: takes down what it is told, and answers as it was set to."""

    shown: View = field(default_factory=view)
    objection: str = ""
    held: tuple[Content, ...] = ()
    fault: SdlError | None = None
    told: list[ev.Event] = field(default_factory=list)
    stopped: list[tuple[str, str]] = field(default_factory=list)
    recorded: Future[None] = field(default_factory=Future)
    """Nothing is on record before it has a result."""

    def __post_init__(self) -> None:
        self.recorded.set_result(None)

    started: list[Start] = field(default_factory=list)

    def hold(self) -> None:
        """From now on, let whoever tells something wait."""
        self.recorded = Future()

    def lab(self) -> LabView:
        return of_lab(self.shown)

    def contents(self) -> tuple[Content, ...]:
        return self.held

    async def tell(self, word: Word) -> str:
        await asyncio.wrap_future(self.recorded)
        if self.fault is not None:
            raise self.fault
        if not self.objection:
            self.told.append(word(AT))
        return self.objection

    async def start(self, start: Start) -> str:
        if self.objection:
            raise UserMistake(self.objection)
        self.started.append(start)
        return start.path.stem

    async def stop_all(self, by: str, note: str) -> None:
        await asyncio.wrap_future(self.recorded)
        if self.fault is not None:
            raise self.fault
        self.stopped.append((by, note))


@contextmanager
def serving(desk: Notebook, folder: Path, lab: str = "bench") -> Iterator[Card]:
    """The real server of a lab's folder, in a loop and a thread of its own; yields its card."""
    loop = asyncio.new_event_loop()
    ready, over = threading.Event(), asyncio.Event()

    async def serve() -> None:
        async with served(desk, folder / ".sdl", lab=lab):
            ready.set()
            await over.wait()

    thread = threading.Thread(target=lambda: loop.run_until_complete(serve()))
    thread.start()
    try:
        assert ready.wait(10)
        yield read(card_path(folder / ".sdl", lab))
    finally:
        loop.call_soon_threadsafe(over.set)
        thread.join()
        loop.close()


@dataclass(frozen=True)
class Answer:
    """What came back from the server."""

    status: int
    document: Any  # JSON of any shape

    @property
    def error(self) -> str:
        return str(self.document["error"])


def request(
    card: Card,
    method: str,
    path: str,
    body: object = None,
    headers: Mapping[str, str | None] | None = None,
) -> Answer:
    """One request as anybody could send it; a header that is None is left out."""
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    plain: dict[str, str | None] = {
        "Host": f"127.0.0.1:{card.port}",
        "Authorization": f"Bearer {card.token}",
    }
    if method == "POST":
        plain |= {"Content-Type": "application/json", "Content-Length": str(len(content))}
    line = http.client.HTTPConnection("127.0.0.1", card.port, timeout=10)
    line.putrequest(method, f"/api/v1{path}", skip_host=True)
    for name, value in {**plain, **(headers or {})}.items():
        if value is not None:
            line.putheader(name, value)
    line.endheaders(content if method == "POST" else None)
    answer = line.getresponse()
    said = answer.read()
    line.close()
    is_json = answer.headers["Content-Type"] == "application/json"
    return Answer(answer.status, json.loads(said) if is_json else said.decode())

"""The engine at one line of its journal, as text; and the way back to an engine.

A snapshot is never the truth, which is the journal alone; it saves reading it from its beginning.
What grows with a campaign (trials, outcomes, commands that are over) is taken as the very texts
that are kept of it, so that a snapshot of a long campaign is a matter of milliseconds; they are
joined later, by whoever writes it. A coroutine cannot be written down: of each run in flight it
is written what its protocol was fed, and a fresh one is fed the same.

The text is a line for each entry: section, key and JSON, with tabs between.
"""

from __future__ import annotations

import hashlib
import json
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from functools import cached_property, lru_cache
from itertools import islice
from operator import attrgetter
from types import GenericAlias
from typing import TypeAlias, TypeVar, cast, get_type_hints

from pydantic import TypeAdapter

from sdl.core import campaign as rules
from sdl.core import events as ev
from sdl.core.agenda import Agenda
from sdl.core.campaign import CampaignState, OpenAsk
from sdl.core.commons import Commons
from sdl.core.evidence import Outcome
from sdl.core.lab_state import InstrumentState, LabState
from sdl.core.part import Ended, Part
from sdl.core.past import Past, Texts
from sdl.core.porter import PorterWork, carry_script
from sdl.core.retold import Unfit, error_of, tell
from sdl.core.roster import Roster
from sdl.core.run import Run, Step
from sdl.core.script import Script
from sdl.core.trampoline import Fed, Trampoline, Wanted
from sdl.core.work import Books, Work
from sdl.model.bench import BenchState
from sdl.model.campaign import Campaign
from sdl.model.data import Trial
from sdl.model.planning import Ask

PIECE = 500
"""Entries that are written in one go: nobody else's thread waits longer."""
HEAD = "campaign"
"""The section with which the lines of a campaign begin: its own beginning, as it is on record."""
PORTER = "porter"
"""The same of the porter's."""

Kind = TypeVar("Kind")
Entry: TypeAlias = tuple[str, str, str]
"""Section, key, JSON."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PartSnapshot:
    """One campaign of it. What grows is shared with the engine, and only ever added to."""

    name: str
    entries: Sequence[Entry]
    """All that is small."""
    trials: Mapping[str, str]
    past: Texts
    outcomes: Sequence[Outcome]
    fed: Sequence[tuple[str, Sequence[Fed]]]
    """By run, or by the step for which a recovery is under way."""

    def pieces(self) -> Iterator[str]:
        """The text, in short pieces."""
        yield _joined(self.entries)
        for section, left in (("trial", iter(self.trials.items())), ("past", iter(self.past))):
            while some := [(section, key, text) for key, text in islice(left, PIECE)]:
                yield _joined(some)
        for start in range(0, len(self.outcomes), PIECE):
            some_outcomes = [(o.quantity, o.loss) for o in self.outcomes[start : start + PIECE]]
            yield _joined([("outcomes", "", _json(some_outcomes))])
        for key, fed in self.fed:
            for start in range(0, len(fed), PIECE):
                yield _joined([("fed", key, _json(fed[start : start + PIECE]))])


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """An engine between two events. Nothing in it changes any more, so any thread may write it."""

    entries: Sequence[Entry]
    """Of the lab, and of campaigns that are over."""
    parts: Sequence[PartSnapshot]
    """Campaigns at work, in order of their starts."""

    def pieces(self) -> Iterator[str]:
        """The text, in short pieces."""
        yield _joined(self.entries)
        for part in self.parts:
            yield from part.pieces()

    def sha256(self) -> str:
        """Of the text: equal for engines that know, and would do, the same."""
        digest = hashlib.sha256()
        for piece in self.pieces():
            digest.update(piece.encode())
        return digest.hexdigest()


def capture(commons: Commons, roster: Roster, ended: Mapping[str, Ended]) -> Snapshot:
    """Write an engine down, between two events."""
    lab = commons.lab
    waiting = {name: list(steps) for name, steps in sorted(commons.steps.waiting.items()) if steps}
    entries = [
        ("engine", "name", _json(commons.name)),
        ("engine", "at", _json(commons.at)),
        ("engine", "order", _json(commons.order)),
        ("engine", "touched", _json(list(commons.touched))),
        ("engine", "waiting", _json(waiting)),
        *_INSTRUMENTS.dump("instrument", list(lab.instruments.values())),
        *_LAB.dump("lab", [lab]),
        *_ENDED.dump("ended", list(ended.values())),
        *_AGENDA.dump("agenda", [commons.agenda]),
    ]
    parts = [_capture(part, HEAD) for part in roster.values()]
    if roster.porter is not None:
        parts.append(_capture(roster.porter, PORTER))
    return Snapshot(entries=entries, parts=parts)


def _capture(part: Part, head: str) -> PartSnapshot:
    state = part.state
    runs = list(state.runs.values())
    steps = [step for run in runs for step in run.steps.values()]
    recoveries = [
        (run.steps[path].id, one) for run in runs for path, one in sorted(run.recoveries.items())
    ]
    part.head_text = part.head_text or _head().dump_json(part.head).decode()
    entries = [
        (head, part.name, part.head_text),
        *_STATE.dump("state", [state]),
        *_open_ask(state),
        *_RUNS.dump("run", runs),
        *_STEPS.dump("step", steps),
        ("engine", "steps", _json([len(run.steps) for run in runs])),
        *(
            ("error", step.id, _json([type(step.error).__name__, str(step.error)]))
            for step in steps
            if step.error is not None
        ),
        *(("recovery", step, _json([one.prefix, one.recovery])) for step, one in recoveries),
        *_BOOKS.dump("books", [part.work.books()]),
    ]
    return PartSnapshot(
        name=part.name,
        entries=entries,
        trials=state.trial_texts.copy(),
        past=part.work.past.texts(),
        outcomes=tuple(state.outcomes),
        fed=[
            *((run.id, tuple(run.trampoline.fed)) for run in runs),
            *((step, tuple(one.fed)) for step, one in recoveries),
        ],
    )


def _open_ask(state: CampaignState) -> Iterator[Entry]:
    """The open question; of its trials only those that are others by now."""
    if state.open_ask is None:
        return
    question = state.open_ask.question
    now = list(islice(state.trials.values(), len(question.trials)))
    then = {
        number: rules.trial_text(trial)
        for number, (trial, today) in enumerate(zip(question.trials, now, strict=True))
        if trial is not today
    }
    yield from _OPEN_ASK.dump("ask", [state.open_ask])
    yield from _QUESTION.dump("question", [question])
    yield "engine", "asked", _json([len(question.trials), then])
    if question.problem.bench is not None:
        yield "engine", "bench", _bench().dump_json(question.problem.bench).decode()


def heads_in(text: str) -> list[ev.CampaignStarted]:
    """The beginnings of the campaigns that are at work in a snapshot."""
    lines = (line.split("\t", 2) for line in text.split("\n") if line.startswith(f"{HEAD}\t"))
    return [_head().validate_json(value) for _, _, value in lines]


Sections: TypeAlias = Mapping[str, list[tuple[str, str]]]


class Restored:
    """An engine's parts out of a snapshot's text. Unfit if anything is missing, or does not fit."""

    def __init__(self, scripts: Callable[[ev.CampaignStarted], Script], text: str) -> None:
        """``scripts``: gives each campaign its protocol."""
        first, *others = _split(text)
        engine = dict(first["engine"])
        instruments = _INSTRUMENTS.load(first["instrument"])
        lab = LabState(
            {one.name: one for one in (InstrumentState(**each) for each in instruments)},  # type: ignore[arg-type]
            **_LAB.load(first["lab"])[0],  # type: ignore[arg-type]
        )
        self.commons = Commons(
            name=json.loads(engine["name"]),
            lab=lab,
            at=float(json.loads(engine["at"])),
            order=json.loads(engine["order"]),
            touched=dict.fromkeys(json.loads(engine["touched"])),
            agenda=Agenda(**_AGENDA.load(first["agenda"])[0]),  # type: ignore[arg-type]
        )
        ended = [Ended(**each) for each in _ENDED.load(first["ended"])]  # type: ignore[arg-type]
        self.ended = {one.name: one for one in ended}
        self.campaigns: dict[str, Part] = {}
        self.porter: Part | None = None
        self._made: list[Trampoline] = []
        try:
            for sections in others:
                one = RestoredPart(scripts, sections, self.commons, self._made)
                if PORTER in sections:
                    self.porter = one.part
                else:
                    self.campaigns[one.part.name] = one.part
            parts = [*self.campaigns.values(), *([self.porter] if self.porter else [])]
            self._book(parts, json.loads(engine["waiting"]))
        except BaseException:
            for trampoline in self._made:
                trampoline.abandon()  # nobody will go on with it
            raise

    def _book(self, parts: Sequence[Part], waiting: Mapping[str, Sequence[str]]) -> None:
        """Enter the open steps where they belong. ``waiting``: their ids, by instrument."""
        books = self.commons.steps
        steps = {step.id: (run, step) for part in parts for run, step in part.work.all()}
        for part in parts:
            for run in part.state.runs.values():
                books.begin(run)
        for ids in waiting.values():
            for each in ids:
                books.wait(*steps[each])
        for run, step in steps.values():
            if not books.is_waiting(step):
                books.enter(run, step)


def _split(text: str) -> list[Sections]:
    """Lines by section: first those of the lab, then those of each campaign."""
    found: list[dict[str, list[tuple[str, str]]]] = [defaultdict(list)]
    for line in text.removesuffix("\n").split("\n"):
        section, key, value = line.split("\t")
        if section in (HEAD, PORTER):
            found.append(defaultdict(list))
        found[-1][section].append((key, value))
    return list(found)


class RestoredPart:
    """One campaign out of a snapshot's text."""

    def __init__(
        self,
        scripts: Callable[[ev.CampaignStarted], Script],
        sections: Sections,
        commons: Commons,
        made: list[Trampoline],
    ) -> None:
        """``made``: receives the protocols that were begun."""
        self._sections = sections
        self._made = made
        is_porter = PORTER in sections
        ((_, head_text),) = sections[PORTER if is_porter else HEAD]
        head = _head().validate_json(head_text)
        self._script = carry_script() if is_porter else scripts(head)
        engine = dict(sections["engine"])
        self.state = self._state(head.campaign, engine)
        books = Books(**_BOOKS.load(sections["books"])[0])  # type: ignore[arg-type]
        kind = PorterWork if is_porter else Work
        work = kind(self._script, self.state, commons)
        self._enter_runs(json.loads(engine["steps"]))
        work.take_over(books, Past(sections["past"]))
        self.part = Part.of_porter(head, work) if isinstance(work, PorterWork) else Part(head, work)

    def _state(self, spec: Campaign, engine: Mapping[str, str]) -> CampaignState:
        texts = dict(self._sections["trial"])
        trials = json.loads(f"[{','.join(texts.values())}]")
        state = CampaignState(
            spec=spec,
            **_STATE.load(self._sections["state"])[0],  # type: ignore[arg-type]
            trials=dict(zip(texts, (Trial(**each) for each in trials), strict=True)),
            trial_texts=texts,
            outcomes=[
                Outcome(quantity, loss)
                for _, text in self._sections["outcomes"]
                for quantity, loss in json.loads(text)
            ],
        )
        for suggestion in texts:
            state.digest.enter(suggestion)
        if "asked" in engine:
            bench = _bench().validate_json(engine["bench"]) if "bench" in engine else None
            state.open_ask = self._ask(state, bench, *json.loads(engine["asked"]))
        return state

    def _ask(
        self, state: CampaignState, bench: BenchState | None, count: int, then: Mapping[str, str]
    ) -> OpenAsk:
        trials = list(islice(state.trials.values(), count))
        for number, text in then.items():
            trials[int(number)] = Trial(**json.loads(text))
        question = Ask(
            problem=replace(rules.problem(state.spec), bench=bench),
            trials=tuple(trials),
            **_QUESTION.load(self._sections["question"])[0],  # type: ignore[arg-type]
        )
        return OpenAsk(question=question, **_OPEN_ASK.load(self._sections["ask"])[0])  # type: ignore[arg-type]

    def _enter_runs(self, counts: Sequence[int]) -> None:
        rows = iter(_STEPS.load(self._sections["step"]))
        for fields_of_run, count in zip(_RUNS.load(self._sections["run"]), counts, strict=True):
            run = Run(trampoline=_closed(), **fields_of_run)  # type: ignore[arg-type]
            steps = [Step(trampoline=run.trampoline, **row) for row in islice(rows, count)]  # type: ignore[arg-type]
            run.steps = {step.path: step for step in steps}
            self.state.runs[run.id] = run
        fed: dict[str, list[Fed]] = defaultdict(list)
        for key, text in self._sections["fed"]:
            fed[key] += (cast("Fed", tuple(one)) for one in json.loads(text))
        recoveries = {key: json.loads(text) for key, text in self._sections["recovery"]}
        errors = {key: error_of(*json.loads(text)) for key, text in self._sections["error"]}
        for run in self.state.runs.values():
            for step in run.steps.values():
                step.error = errors.get(step.id)
            run.trampoline.fed += fed[run.id]
            if run.broken is None:  # else its protocol was stopped, and is asked nothing any more
                self._feed_all(run, fed, recoveries)

    def _feed_all(
        self,
        run: Run,
        fed: Mapping[str, Sequence[Fed]],
        recoveries: Mapping[str, tuple[str, str]],
    ) -> None:
        """Bring the protocols of a run to where they were."""
        coroutine = self._script.begin(run.inputs, run.wells)
        run.trampoline, wanted = self._fed(Trampoline(coroutine), fed[run.id])
        for step in run.steps.values():
            if step.id in recoveries:
                prefix, name = recoveries[step.id]
                recovery = Trampoline(self._script.recover(name, run.wells), prefix, name)
                run.recoveries[step.path], more = self._fed(recovery, fed[step.id])
                wanted |= more
        for step in run.steps.values():
            step.trampoline = run.recoveries[step.mends] if step.mends else run.trampoline
            if not step.trampoline.waits(step.path) or wanted[step.path].request != step.request:
                raise Unfit(f"the protocol does not come to {step.id} as it did")

    def _fed(
        self, trampoline: Trampoline, fed: Sequence[Fed]
    ) -> tuple[Trampoline, dict[str, Wanted]]:
        self._made.append(trampoline)
        wanted: dict[str, Wanted] = {}
        for one in fed:
            tell(self._script, trampoline, wanted, one)
        return trampoline, wanted


class _Columns:
    """Fields of one class, each as the list of what all objects have in it.

    One call for each field, however many objects there are; and a field that is new is kept too.
    """

    def __init__(self, kind: type, *without: str) -> None:
        self._kind, self._without = kind, without

    @cached_property
    def adapters(self) -> dict[str, TypeAdapter[list[object]]]:
        """The codec of each field, built on first use."""
        hints = get_type_hints(self._kind)
        return {
            each.name: TypeAdapter(_list_of(hints[each.name]))
            for each in fields(self._kind)
            if each.name not in self._without
        }

    def dump(self, section: str, objects: Sequence[object]) -> Iterator[Entry]:
        """An entry for each field."""
        for name, adapter in self.adapters.items():
            column = list(map(attrgetter(name), objects))
            yield section, name, adapter.dump_json(column).decode()

    def load(self, entries: Sequence[tuple[str, str]]) -> list[dict[str, object]]:
        """The fields of each object."""
        found = dict(entries)
        if found.keys() != self.adapters.keys():
            raise Unfit("it was written by another version of the runtime")
        columns = [adapter.validate_json(found[name]) for name, adapter in self.adapters.items()]
        return [dict(zip(self.adapters, row, strict=True)) for row in zip(*columns, strict=True)]


_STATE = _Columns(
    CampaignState,
    "spec",
    "runs",
    "trials",
    "trial_texts",
    "digest",
    "outcomes",
    "belief",
    "open_ask",
)
_LAB = _Columns(LabState, "instruments")
_ENDED = _Columns(Ended)
_AGENDA = _Columns(Agenda, "_table", "_queues")
_INSTRUMENTS = _Columns(InstrumentState)
_RUNS = _Columns(Run, "trampoline", "steps", "recoveries")
_STEPS = _Columns(Step, "trampoline", "error")
_OPEN_ASK = _Columns(OpenAsk, "question")
_QUESTION = _Columns(Ask, "problem", "trials")
_BOOKS = _Columns(Books)


@lru_cache(maxsize=1)
def _head() -> TypeAdapter[ev.CampaignStarted]:
    return TypeAdapter(ev.CampaignStarted)


@lru_cache(maxsize=1)
def _bench() -> TypeAdapter[BenchState]:
    return TypeAdapter(BenchState)


def make_ready() -> None:
    """Build all codecs, which takes a moment, before the first snapshot is taken."""
    _head()
    _bench()
    codecs = (_STATE, _LAB, _ENDED, _AGENDA, _INSTRUMENTS, _RUNS, _STEPS, _OPEN_ASK, _QUESTION)
    for each in (*codecs, _BOOKS):
        assert each.adapters


def _list_of(hint: object) -> type[list[object]]:
    return cast("type[list[object]]", GenericAlias(list, (hint,)))


def _closed() -> Trampoline:
    """Of a protocol that was stopped."""
    coroutine = _nothing()
    coroutine.close()
    return Trampoline(coroutine)


async def _nothing() -> None:
    return


def _json(value: object) -> str:
    return json.dumps(value, separators=(",", ":"))


def _joined(entries: Sequence[Entry]) -> str:
    return "".join(["\t".join(entry) + "\n" for entry in entries])

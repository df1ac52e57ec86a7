"""Drives a protocol's coroutine: takes each awaited request out and feeds the answer back in.

Theory of operation. A *strand* is one coroutine: the protocol itself, or one branch of
``together``. A strand that is stepped runs until it asks for something. An action or a settling
time is numbered and handed out as ``Wanted``; a window is opened or closed on the spot; a fork
starts one new strand for each branch and waits for all of them. Nothing here knows the time but
for the ``at`` that comes in with each answer, so the same answers give the same requests.

When a branch fails, its siblings start nothing new: those that wait for something not yet issued
are stopped at once, the others when the answer to what was issued comes in. Then the strand that
forked receives one ``ExceptionGroup``.
"""

from __future__ import annotations

from collections.abc import Awaitable, Coroutine
from dataclasses import dataclass, field
from types import CoroutineType
from typing import Literal, TypeAlias

from sdl.authoring import Act, CloseWindow, Fork, OpenWindow, Settle, driven
from sdl.errors import Bug, LimitReached, Place, ProtocolMistake, said
from sdl.model.data import JsonValue

STEPS_MAX = 100_000
"""Requests of one run; a protocol that asks for more is taken to loop for ever."""

Strand: TypeAlias = "_Strand"
Fed: TypeAlias = tuple[
    Literal["start", "issue", "recall", "resume", "throw"], str, float, JsonValue
]
"""One thing that a trampoline was told: which, of what path, at what lab time, and with what: the
result as it came in, or class and words of an error."""


class BranchStopped(BaseException):
    """Thrown into a branch whose sibling failed, to let it clean up; it may ask for nothing."""


@dataclass(frozen=True, slots=True)
class Window:
    """An open window of a strand."""

    position: str
    """It was opened just before what has, or would have, this path."""
    until: float
    seconds: float


@dataclass(frozen=True, slots=True)
class Wanted:
    """One request of a run, waiting for the engine."""

    path: str
    """``2``, or ``2.1.1`` within a fork: unique in its run and the same in every replay."""
    request: Act | Settle
    not_after: float | None
    """Lab time of the earliest open window; None outside of any."""
    windows: tuple[Window, ...] = ()
    """All that are open, the outermost first."""


@dataclass(frozen=True, slots=True)
class Finished:
    """The protocol returned."""

    value: object


@dataclass(frozen=True, slots=True)
class Crashed:
    """The protocol raised."""

    error: Exception


@dataclass(eq=False, slots=True)
class _Join:
    """The meeting point of the branches of one fork."""

    parent: _Strand
    results: list[object]
    open: int
    closed: bool = False
    failures: list[Exception] = field(default_factory=list)


@dataclass(eq=False, slots=True)
class _Strand:
    coroutine: Coroutine[object, object, object]
    prefix: str
    windows: list[Window]
    join: _Join | None = None
    index: int = 0
    asked: int = 0
    waits_for: str | None = None
    children: list[_Strand] = field(default_factory=list)

    def stopping(self) -> bool:
        """Whether a sibling, or a sibling of a parent, has failed."""
        strand: _Strand | None = self
        while strand is not None and strand.join is not None:
            if strand.join.failures:
                return True
            strand = strand.join.parent
        return False


class Trampoline:
    """One run of one protocol."""

    def __init__(
        self,
        coroutine: Coroutine[object, object, object],
        prefix: str = "",
        recovery: str = "",
    ) -> None:
        """``prefix``: before the number of each request, for a protocol within another.

        ``recovery``: the name of that one.
        """
        self.prefix, self.recovery = prefix, recovery
        self.fed: list[Fed] = []
        """All that it was told: another one that is told the same stands where this one does."""
        self._root = _Strand(coroutine, prefix, [])
        self._waiting: dict[str, _Strand] = {}
        self._issued: set[str] = set()
        self._wanted: list[Wanted] = []
        self._due: list[tuple[_Strand, object, Exception | None]] = []
        """Strands to step within this answer, in order, with what they receive."""
        self._asked = 0
        self.stopped = False
        """Whether any branch was stopped: requests of it may still be in others' books."""
        self.end: Finished | Crashed | None = None

    def start(self, at: float) -> list[Wanted]:
        """Step to the first requests."""
        self.fed.append(("start", "", at, None))
        return self._feed(self._root, at, None, None)

    def issue(self, path: str) -> None:
        """Say that the request has left for the world: from now on it is let finish."""
        self.fed.append(("issue", path, 0.0, None))
        self._issued.add(path)

    def recall(self, path: str) -> None:
        """Say that the request waits to leave again: until then it may be stopped."""
        self.fed.append(("recall", path, 0.0, None))
        self._issued.discard(path)

    def stopping(self, path: str) -> bool:
        """Whether the branch that waits for this request starts nothing new any more."""
        return path in self._waiting and self._waiting[path].stopping()

    def waits(self, path: str) -> bool:
        """Whether the run still waits for this request; not once its branch was stopped."""
        return path in self._waiting

    def resume(
        self, path: str, at: float, value: object, told_as: JsonValue = None
    ) -> list[Wanted]:
        """Answer a request with a result and return what the protocol asks for next.

        ``told_as``: the result as it came in.
        """
        self.fed.append(("resume", path, at, told_as))
        return self._feed(self._leave(path), at, value, None)

    def throw(self, path: str, at: float, error: Exception) -> list[Wanted]:
        """Answer a request with an error, raised at the very ``await`` of the protocol."""
        self.fed.append(("throw", path, at, [type(error).__name__, str(error)]))
        return self._feed(self._leave(path), at, None, error)

    def abandon(self) -> None:
        """Stop every strand; the run gives no result."""
        self.fed.clear()
        self._waiting.clear()
        self._stop(self._root)

    def _leave(self, path: str) -> _Strand:
        strand = self._waiting.pop(path, None)
        if strand is None:
            raise Bug(f"step {path} was answered, but nothing waits for it")
        self._issued.discard(path)
        strand.waits_for = None
        return strand

    def _feed(
        self, strand: _Strand, at: float, value: object, error: Exception | None
    ) -> list[Wanted]:
        """Step a strand, then those that its end lets go on; a list, so that nothing nests."""
        self._step((strand, value, error), at)
        while self._due:
            self._step(self._due.pop(0), at)
        wanted, self._wanted = self._wanted, []
        if not self.stopped:
            return wanted
        # A branch may have been stopped after it asked, within the same answer.
        return [one for one in wanted if one.path in self._waiting]

    def _step(self, due: tuple[_Strand, object, Exception | None], at: float) -> None:
        strand, value, error = due
        if strand.join is not None and strand.stopping():
            self._stop(strand)
            self._ended(strand, None, None)
            return
        while True:
            try:
                request = _send(strand.coroutine, value, error)
            except StopIteration as stop:
                self._ended(strand, stop.value, None)
                return
            except KeyboardInterrupt:
                raise
            except BaseException as raised:  # noqa: BLE001 - whatever it raises ends its run, no more
                self._ended(strand, None, _ordinary(raised))
                return
            value, error = None, None
            self._asked += 1
            if self._asked > STEPS_MAX:
                self._stop(strand)
                reason = f"the protocol asked for more than {STEPS_MAX} things in one run"
                self._ended(strand, None, LimitReached(f"{reason}; does it loop for ever?"))
                return
            match request:
                case OpenWindow(seconds=seconds):
                    position = f"{strand.prefix}{strand.asked + 1}"
                    strand.windows.append(Window(position, at + seconds, seconds))
                case CloseWindow():
                    strand.windows.pop()
                case Act() | Settle():
                    self._want(strand, request)
                    return
                case Fork(branches=branches):
                    if branches:
                        self._fork(strand, branches)
                        return
                    value = ()
                case _:
                    error = _foreign(strand.coroutine, request)

    def _number(self, strand: _Strand) -> str:
        strand.asked += 1
        return f"{strand.prefix}{strand.asked}"

    def _want(self, strand: _Strand, request: Act | Settle) -> None:
        path = strand.waits_for = self._number(strand)
        self._waiting[path] = strand
        windows = tuple(strand.windows)
        not_after = min(one.until for one in windows) if windows else None
        self._wanted.append(Wanted(path, request, not_after, windows))

    def _fork(self, strand: _Strand, branches: tuple[Awaitable[object], ...]) -> None:
        path = self._number(strand)
        join = _Join(strand, [None] * len(branches), len(branches))
        strand.children = [
            _Strand(_coroutine(branch), f"{path}.{i + 1}.", list(strand.windows), join, i)
            for i, branch in enumerate(branches)
        ]
        self._due += [(child, None, None) for child in strand.children]

    def _ended(self, strand: _Strand, value: object, error: Exception | None) -> None:
        join = strand.join
        if join is None:
            self.end = Finished(value) if error is None else Crashed(error)
            return
        join.results[strand.index] = value
        join.open -= 1
        if error is not None:
            join.failures.append(error)
            self._hold_back(join)
        # Holding siblings back may already have ended the last of them, and so the fork.
        if join.open == 0 and not join.closed:
            join.closed = True
            join.parent.children = []
            if join.failures:
                group = ExceptionGroup("branches of together() failed", list(join.failures))
                self._due.append((join.parent, None, group))
            else:
                self._due.append((join.parent, tuple(join.results), None))

    def _hold_back(self, join: _Join) -> None:
        """Stop each leaf below the siblings whose request has not left for the world."""
        for leaf in _leaves(join.parent):
            path = leaf.waits_for
            if path is not None and path in self._waiting and path not in self._issued:
                del self._waiting[path]
                leaf.waits_for = None
                self.stopped = True
                self._stop(leaf)
                self._ended(leaf, None, None)

    def _stop(self, strand: _Strand) -> None:
        for child in strand.children:
            self._stop(child)
        strand.children = []
        request: object = None
        for _ in range(100):
            try:
                request = (
                    _send(strand.coroutine, None, None)
                    if isinstance(request, CloseWindow)
                    else _send(strand.coroutine, None, BranchStopped())
                )
            except KeyboardInterrupt:
                raise
            except BaseException:  # noqa: BLE001 - whatever it says, it is being dropped
                return


def _ordinary(raised: BaseException) -> Exception:
    """SystemExit, CancelledError and their like must end a run, not the lab."""
    if isinstance(raised, Exception):
        return raised
    return ProtocolMistake(f"the protocol raised {type(raised).__name__}: {said(raised)}")


def _leaves(strand: _Strand) -> list[_Strand]:
    if not strand.children:
        return [strand]
    return [leaf for child in strand.children for leaf in _leaves(child)]


def _send(
    coroutine: Coroutine[object, object, object], value: object, error: BaseException | None
) -> object:
    token = driven.set(True)
    try:
        return coroutine.send(value) if error is None else coroutine.throw(error)
    finally:
        driven.reset(token)


def _coroutine(branch: Awaitable[object]) -> Coroutine[object, object, object]:
    return branch if isinstance(branch, Coroutine) else _awaited(branch)


async def _awaited(branch: Awaitable[object]) -> object:
    return await branch


def _foreign(coroutine: Coroutine[object, object, object], request: object) -> ProtocolMistake:
    """The complaint about an await that is no lab action, with the line where it stands."""
    place: Place | None = None
    inner: object = coroutine
    while isinstance(inner, CoroutineType) and inner.cr_frame is not None:
        place = Place(inner.cr_frame.f_code.co_filename, inner.cr_frame.f_lineno)
        inner = inner.cr_await
    return ProtocolMistake(
        f"the protocol awaits {type(request).__name__}, which is no action of the lab; await only "
        "the actions of its roles, settle(), within() and together()",
        place,
    )

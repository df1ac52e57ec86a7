"""What has to be over before a request of a protocol: read from the paths of its requests.

The path of a request says where it stands: ``2.1.3`` is the third request of branch 1 of fork 2.
A *position* is the place just before a request. It is reached when the request before it is over;
behind a fork, when the last ones of all its branches are; at the beginning of a branch, when the
position of the fork is. A settling time is no step of its own: it is the lag behind what came
before it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class After:
    """A moment that cannot come before another one."""

    step: str
    """Path of the step whose end it waits for; empty: the beginning of the run."""
    lag_s: float = 0.0
    """Lab seconds that have to pass since then, at least."""


Afters = tuple[After, ...]
BEGINNING: Afters = (After(step=""),)


class Causes:
    """The requests of one run so far, in order of asking."""

    def __init__(self) -> None:
        self._over: dict[str, Afters] = {}
        """When a request is over, by its path."""
        self._asked: dict[str, int] = {}
        """The highest number that is known to be taken in each strand, by its prefix."""
        self._branches: dict[str, dict[str, None]] = {}
        """Prefixes of the branches of a fork that have asked for anything, by its path."""

    def act(self, path: str) -> Afters:
        """An action was asked for: after what it comes."""
        before = self._enter(path)
        self._over[path] = (After(step=path),)
        return before

    def settle(self, path: str, seconds: float) -> None:
        """A settling time was asked for."""
        self._over[path] = tuple(
            After(step=each.step, lag_s=each.lag_s + seconds) for each in self._enter(path)
        )

    def drop(self, path: str) -> None:
        """A request will never be answered: its branch was stopped."""
        self._over[path] = self.position(path)

    def position(self, path: str) -> Afters:
        """When the place just before ``path`` is reached, whether that is asked for or not."""
        prefix, number = _apart(path)
        while number > 1:
            number -= 1
            before = f"{prefix}{number}"
            if before in self._over:
                return self._over[before]
            if before in self._branches:
                ends = (self._end(branch) for branch in self._branches[before])
                return _latest(one for end in ends for one in end)
        return self.position(_fork(prefix)) if prefix else BEGINNING

    def end(self) -> Afters:
        """When all that was asked for so far is over."""
        return self._end("")

    def _end(self, prefix: str) -> Afters:
        return self.position(f"{prefix}{self._asked.get(prefix, 0) + 1}")

    def _enter(self, path: str) -> Afters:
        before = self.position(path)
        while True:
            prefix, number = _apart(path)
            self._asked[prefix] = max(number, self._asked.get(prefix, 0))
            if not prefix:
                return before
            path = _fork(prefix)
            self._branches.setdefault(path, {})[prefix] = None


def _apart(path: str) -> tuple[str, int]:
    """Prefix of the strand, and number in it."""
    before, dot, number = path.rpartition(".")
    return before + dot, int(number)


def _fork(prefix: str) -> str:
    """The path of the fork that a strand is a branch of."""
    return prefix[:-1].rpartition(".")[0]


def _latest(afters: Iterable[After]) -> Afters:
    """Without those that another one about the same step includes."""
    lags: dict[str, float] = {}
    for each in afters:
        lags[each.step] = max(each.lag_s, lags.get(each.step, 0.0))
    return tuple(After(step=step, lag_s=lag_s) for step, lag_s in lags.items())

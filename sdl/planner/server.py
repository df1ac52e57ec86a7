"""One question to one answer; whatever goes wrong comes back as a sentence."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from functools import cache
from importlib.metadata import entry_points, version
from typing import TypeVar, cast

from sdl.errors import PlannerFault, SdlError, SpaceExhausted, said
from sdl.model.campaign import Objective, RangeParameter
from sdl.model.data import Suggestion, Trial
from sdl.model.planning import NEEDED, Ability, Answer, Ask, Problem, asked_of
from sdl.planner.contract import Planner, violations

GROUP = "sdl.planners"
_Word = TypeVar("_Word")


def answer(ask: Ask) -> Answer:
    """Let the named planner answer. Never raises: a failure stands in ``Answer.error``."""
    start = time.perf_counter()
    suggestions: tuple[Suggestion, ...] = ()
    versions: Mapping[str, str] = {}
    error, exhausted = "", False
    try:
        planner = load(ask.planner)
        versions = _versions(ask.planner)
        suggestions = checked(ask, planner)
    except SdlError as fault:
        error, exhausted = str(fault), isinstance(fault, SpaceExhausted)
    except Exception as fault:  # noqa: BLE001 - a planner may raise anything; it must reach a person
        error = (
            f"planner {ask.planner!r} failed with {type(fault).__name__}: {said(fault)}; "
            "this is a fault of the planner, so choose another kind or report it"
        )
    return Answer(
        id=ask.id,
        suggestions=suggestions,
        error=error,
        exhausted=exhausted,
        versions=versions,
        seconds=time.perf_counter() - start,
    )


def warm(name: str) -> None:
    """Make a planner load what it loads for its first fit, by a question of no consequence."""
    space = (RangeParameter(name="x", low=0.0, high=1.0),)
    problem = Problem(space=space, objective=Objective(measure="y", goal="minimise"))
    trials = tuple(
        Trial(inputs={"x": x / 8.0}, status="measured", measures={"y": (x / 8.0 - 0.4) ** 2})
        for x in range(8)
    )
    answer(Ask(id="warm", planner=name, problem=problem, trials=trials, count=1, seed=0))


def known() -> tuple[str, ...]:
    """Names of the planners that are installed, in alphabetical order."""
    return tuple(sorted({entry.name for entry in entry_points(group=GROUP)}))


def options_of(name: str) -> frozenset[str]:
    """Keys under ``[planner]`` that a planner reads. PlannerFault if it cannot be asked."""
    return _said_by(name, lambda one: one.options(), "which options it reads", "options")


def abilities_of(name: str) -> frozenset[Ability]:
    """What a planner can do of what a problem may ask for. PlannerFault if it cannot be asked."""
    return _said_by(name, lambda one: one.abilities(), "what it can do", "abilities")


def _said_by(
    name: str, tell: Callable[[Planner], Iterable[_Word]], what: str, method: str
) -> frozenset[_Word]:
    planner = load(name)
    try:
        return frozenset(tell(planner))
    except Exception as fault:
        raise PlannerFault(
            f"planner {name!r} does not say {what}: {type(fault).__name__}: "
            f"{said(fault)}; give its class a method {method}()"
        ) from fault


@cache
def _kind(name: str) -> Callable[[], object]:
    """The class of a planner; looking it up reads the metadata of every installed package."""
    (entry,) = entry_points(group=GROUP, name=name)
    return cast("Callable[[], object]", entry.load())


@cache
def _versions(name: str) -> Mapping[str, str]:
    """They cannot change while the process lives, and asking for them is slow."""
    return {"sdl-runtime": version("sdl-runtime"), **load(name).versions()}


def load(name: str) -> Planner:
    """A fresh planner. PlannerFault if there is none of that name, or it cannot be made."""
    try:
        return cast("Planner", _kind(name)())
    except ValueError:
        there = ", ".join(known()) or "none"
        raise PlannerFault(f"there is no planner {name!r}; installed are {there}") from None
    except Exception as fault:
        (entry,) = entry_points(group=GROUP, name=name)
        raise PlannerFault(
            f"planner {name!r} ({entry.value}) cannot be loaded: {type(fault).__name__}: "
            f"{said(fault)}"
        ) from fault


def checked(ask: Ask, planner: Planner) -> tuple[Suggestion, ...]:
    """The planner's points, if they are sound. PlannerFault with all that is wrong with them."""
    if ask.count < 1:
        raise PlannerFault(f"{ask.count} points were asked for; ask for at least 1")
    if not ask.problem.space:
        raise PlannerFault("the search space is empty; name at least one input under [search]")
    needed = asked_of(ask.problem) & NEEDED
    lacking = sorted(needed - abilities_of(ask.planner)) if needed else []
    if lacking:
        raise PlannerFault(
            f"planner {ask.planner!r} cannot do what the campaign asks for: {', '.join(lacking)}; "
            "take another kind under [planner]"
        )
    suggestions = planner.suggest(ask.problem, ask.trials, ask.count, ask.seed)
    wrong = violations(ask.problem, suggestions, ask.count, ask.trials)
    if wrong:
        raise PlannerFault(f"planner {ask.planner!r} answered nonsense: {'; '.join(wrong)}")
    return suggestions

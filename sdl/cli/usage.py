"""What instruments spent their time on, in words."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from sdl.cli.words import duration
from sdl.core.usage import ACTIVITIES, Activity, Usage
from sdl.core.view import InstrumentView

WHILE: dict[Activity, str] = {
    "busy": "busy",
    "idle": "nothing to do",
    "waiting": "waits for what it takes",
    "paused": "paused",
    "stopped": "stopped or held",
    "person": "waits for an answer",
    "mending": "being mended",
    "offline": "offline",
}
SHOWN_MIN = 0.005
"""Share of the time from which a reason is told."""
LINES_MAX = 12


def usages(instruments: Sequence[InstrumentView]) -> list[Usage]:
    """Of those of which there is an account."""
    return [one.usage for one in instruments if one.usage is not None]


def rows(found: Sequence[Usage]) -> Iterator[tuple[str, str, str]]:
    """Instrument, share busy, and what it did else, the largest share first."""
    for usage in found:
        idle = sorted(ACTIVITIES[1:], key=usage.share, reverse=True)
        said = [f"{WHILE[name]} {_percent(usage, name)}" for name in idle if _is_told(usage, name)]
        yield usage.instrument, f"busy {_percent(usage, 'busy')}", ", ".join(said)


def summary(instruments: Sequence[InstrumentView]) -> Iterator[str]:
    """The same for the end of a campaign, the busiest first, no more than fit on a screen."""
    found = sorted(usages(instruments), key=lambda one: one.busy_s, reverse=True)
    width = max((len(one.instrument) for one in found), default=0)
    for name, busy, said in rows(found[:LINES_MAX]):
        yield f"{name:<{width}}  {busy:<10} {said}".rstrip()
    if len(found) > LINES_MAX:
        yield f"and {len(found) - LINES_MAX} more that were busy for less"


def span(found: Sequence[Usage]) -> str:
    """Over how much lab time."""
    return duration(max((one.end - one.begin for one in found), default=0.0))


def _is_told(usage: Usage, activity: Activity) -> bool:
    return usage.share(activity) >= SHOWN_MIN


def _percent(usage: Usage, activity: Activity) -> str:
    return f"{100.0 * usage.share(activity):.0f} %"

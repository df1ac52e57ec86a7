"""What is seen while a lab is at work: a line for each change, with the campaign's name."""

from __future__ import annotations

from sdl.cli.best import in_short, label
from sdl.cli.console import tell
from sdl.cli.questions import idle, kept_open, sought
from sdl.cli.words import count
from sdl.core.view import LabView, View


class LabLines:
    """A line for each thing that has changed since the last view."""

    def __init__(self) -> None:
        self._open = False
        self._ended: set[str] = set()
        self._runs: dict[str, int] = {}
        self._waits: dict[str, str] = {}
        self._keeps = ""

    def __call__(self, lab: LabView) -> None:
        """Tell what is new."""
        if not self._open:
            self._open = True
            for line in lab.left:
                tell(line)
            tell(f"{lab.name} is open; start a campaign with: sdl campaign start campaign.toml")
            self._ended = {one.campaign for one in lab.ended}
        for view in lab.campaigns:
            self._progress(view)
        for one in lab.ended:
            if one.campaign not in self._ended:
                self._ended.add(one.campaign)
                self._runs.pop(one.campaign, None)
                tell(f"{one.campaign} has ended ({one.ending}): {one.reason}")
        self._attention(lab)
        keeps = kept_open(lab) if lab.closing and not lab.closed else ""
        if keeps not in ("", self._keeps):
            tell(f"{lab.name}: {keeps}")
        self._keeps = keeps

    def _progress(self, view: View) -> None:
        if view.campaign not in self._runs:
            tell(f"{view.campaign} is at work")
            self._runs[view.campaign] = 0
        if self._runs[view.campaign] == view.runs_ended:
            return
        self._runs[view.campaign] = view.runs_ended
        best = label(view) + in_short(view, "none yet")
        failed = f", {view.failures} of them failed" if view.failures else ""
        runs = count(view.runs_max, view.counted)
        tell(f"{view.campaign}: {view.runs_ended} of at most {runs} ended{failed}; {best}")

    def _attention(self, lab: LabView) -> None:
        """What waits for a person, when it begins and when it is over."""
        now = {"": f"{lab.paused}; go on with: sdl resume"} if lab.paused else {}
        for view in lab.campaigns:
            if view.paused and not lab.paused:
                way = f"sdl campaign resume {view.campaign}"
                now[view.campaign] = f"{view.campaign} is {view.paused}; go on with: {way}"
        for question in lab.questions:
            now[question.step] = f"{question.step}: {question.asks} Look, then: sdl resolve"
        for task in lab.refills:
            now[task.id] = f"refill wanted: {task.reason}"
        for one in lab.carries:
            if not one.carrier:
                now[one.carry] = one.asks
        now |= {piece.labware: sought(piece) for piece in lab.astray}
        for each in lab.instruments:
            if each.state in ("held", "stopped", "paused", "offline"):
                now[each.name] = idle(each)
        for what, line in now.items():
            if self._waits.get(what) != line:
                tell(line)
        for what in self._waits.keys() - now.keys():
            tell(f"{what or lab.name}: goes on")
        self._waits = now

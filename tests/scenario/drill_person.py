"""The person of a drill: looks at what really happened and tells the orchestrator the truth."""

from __future__ import annotations

import json
import subprocess
import threading
from pathlib import Path
from random import Random

from sdl.core.view import Question
from sdl.errors import SdlError
from sdl.service.caller import Caller
from sdl.service.card import card_path, read
from tests.scenario.drill_place import NAME, Place
from tests.scenario.drill_roles import PATIENCE_S, sdl

LOOK_S = 0.1
ANSWER_S = 3.0
"""Wall seconds that the person waits for an answer before they try again."""
BY_COMMAND = 0.05
"""Share of the answers that are given with the command line, not over HTTP."""
DISTRUSTS = 0.3
"""Share of the half-done actions whose sample the person does not trust any more."""


def effects_of(path: Path) -> dict[str, list[tuple[str, str]]]:
    """By key: what was written about it, as word and value, in order.

    A last line that is not whole yet is left out.
    """
    found: dict[str, list[tuple[str, str]]] = {}
    for line in path.read_text(encoding="utf-8").splitlines(keepends=True):
        if line.endswith("\n"):
            word, key, value = line.split()
            found.setdefault(key, []).append((word, value))
    return found


class Person(threading.Thread):
    """Answers every question, in a thread of their own, until they are sent home."""

    def __init__(self, place: Place, seed: int) -> None:
        super().__init__(name="person", daemon=True)
        self._place = place
        self._random = Random(seed)
        self._home = threading.Event()
        self.answers: list[tuple[str, str]] = []
        """Step and verdict, as they were taken."""
        self.refusals: list[str] = []
        """What was objected to an answer."""

    def run(self) -> None:
        """Look around until it is over."""
        while not self._home.wait(LOOK_S):
            try:
                caller = Caller(read(card_path(self._place.folder / ".sdl", NAME)), ANSWER_S)
                for question in caller.questions().questions:
                    self._answer(caller, question)
            except SdlError:  # it is dead, or frozen: look again
                continue

    def send_home(self) -> None:
        """No more answers."""
        self._home.set()
        self.join(PATIENCE_S)

    def _answer(self, caller: Caller, question: Question) -> None:
        verdict, result = self._look(question)
        if self._random.random() < BY_COMMAND:
            self._command(question, verdict, result)
            return
        said = {"verdict": verdict, "by": "drill", "note": "looked", "result": result}
        said["attempt"] = question.attempt
        try:
            caller.resolve(question.step, said)
        except SdlError as error:
            self.refusals.append(f"{question.step}: {error}")
        else:
            self.answers.append((question.step, verdict))

    def _command(self, question: Question, verdict: str, result: int | None) -> None:
        step = question.step
        words = ["resolve", step, f"--{verdict.replace('_', '-')}", "--note", "looked"]
        words += ["--lab", str(self._place.lab), "--attempt", str(question.attempt)]
        if result is not None:
            words += ["--result", json.dumps(result)]
        done = subprocess.run(sdl(*words), capture_output=True, text=True, check=False)
        if done.returncode == 0:
            self.answers.append((step, verdict))
        else:
            self.refusals.append(f"{step}: exit {done.returncode}: {done.stderr}")

    def _look(self, question: Question) -> tuple[str, int | None]:
        """What is true of a step: its verdict, and what the action gave."""
        began = False
        for key, written in effects_of(self._place.effects).items():
            if f"{question.step}/try-" not in key:
                continue
            ends = [value for word, value in written if word == "end"]
            if ends:
                return "happened", int(ends[-1])
            began = True
        if began and self._random.random() < DISTRUSTS:
            return "discard", None
        return "did_not_happen", None

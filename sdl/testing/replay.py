"""Answers to questions by chance as digests, here and in a fresh process: they have to be the same.

``python -m sdl.testing.replay PLANNER SEED ...`` prints one digest a line.
"""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from collections.abc import Sequence

from sdl.errors import PlannerFault
from sdl.model.planning import Answer
from sdl.planner.server import checked, load
from sdl.testing.planner_proof import ask_of
from sdl.testing.random_questions import random_question
from sdl.wire.mqtt import encode_answer

REFUSED = "-"
"""Stands for a question that was refused."""


def digests(name: str, seeds: Sequence[int]) -> list[str]:
    """SHA-256 over the bytes of each answer, as they go over the bus."""
    return [_digest(name, seed) for seed in seeds]


def digests_elsewhere(name: str, seeds: Sequence[int], *, hash_seed: int) -> list[str]:
    """The same from a process of its own, which has other hashes of texts.

    subprocess.CalledProcessError if it fails.
    """
    done = subprocess.run(
        [sys.executable, "-m", "sdl.testing.replay", name, *map(str, seeds)],
        env={**os.environ, "PYTHONHASHSEED": str(hash_seed)},
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    return done.stdout.split()


def _digest(name: str, seed: int) -> str:
    ask = ask_of(name, random_question(seed))
    try:
        found = checked(ask, load(name))
    except PlannerFault:
        return REFUSED
    return hashlib.sha256(encode_answer(Answer(id=ask.id, suggestions=found))).hexdigest()


def main(words: Sequence[str]) -> None:
    """The command line."""
    for line in digests(words[0], [int(word) for word in words[1:]]):
        sys.stdout.write(f"{line}\n")


if __name__ == "__main__":
    main(sys.argv[1:])

"""Questions by chance to a planner until it has made 10,000 suggestions, each of them judged.

Problems of all kinds (real, whole, logarithmic, named and levelled inputs, mixtures, limits,
conditions, lists of points, several objectives), trials of all kinds, one to eight points at a
time, asked through the door of the planner's process. Counted is what is measured, pending, given
twice or infeasible, what was made without a model where one was due and does not say so, and what
failed; each with the seed of its question. Then some of the questions are asked again in a fresh
process, in another order and with other hashes: the same bytes have to come. 1 if anything is
wrong.
"""

from __future__ import annotations

import sys
from argparse import Namespace
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from common import arguments, machine, say, write_json
from sdl.model.planning import asked_of
from sdl.testing.bench_proof import judged_at_the_bench
from sdl.testing.planner_proof import Verdict, is_model_due, judged
from sdl.testing.random_questions import Question, random_question
from sdl.testing.replay import REFUSED, digests, digests_elsewhere

MODELS = ("ensemble", "ax")
"""Planners that make points by a model as soon as one is due."""


@dataclass(slots=True, kw_only=True)
class Tally:
    """What came of all questions at one door."""

    door: str
    questions: int = 0
    suggestions: int = 0
    by_model: int = 0
    faults: list[str] = field(default_factory=list)
    refused: Counter[str] = field(default_factory=Counter)
    """Rightly, by reason."""
    kinds: Counter[str] = field(default_factory=Counter)
    """Suggestions by what their problems asked for."""

    def add(self, question: Question, verdict: Verdict) -> None:
        """One more question."""
        self.questions += 1
        self.suggestions += len(verdict.suggestions)
        self.by_model += sum(bool(one.model_digest) for one in verdict.suggestions)
        self.faults += [f"seed {question.seed}: {fault}" for fault in verdict.faults]
        if verdict.refused:
            self.refused[verdict.refused] += 1
        for word in _kinds(question):
            self.kinds[word] += len(verdict.suggestions)


def main(words: Sequence[str] | None = None) -> int:
    """The command line. 1 if anything was wrong."""
    parser = arguments(__doc__)
    parser.add_argument("--planner", default="ensemble", help="a name under [planner] (ensemble)")
    parser.add_argument("--suggestions", type=int, default=10_000, help="so many (10,000)")
    parser.add_argument("--first", type=int, default=0, help="the first seed (0)")
    parser.add_argument("--again", type=int, default=60, help="questions asked elsewhere (60)")
    given = parser.parse_args(words)
    tallies = [_asked(given)]
    if given.planner == "ensemble":
        tallies.append(_asked_at_the_bench(given))
    differing = _differing(given)
    if given.json:
        told = [{**_as_data(one), "differing": differing} for one in tallies]
        write_json({"machine": machine(), "planner": given.planner, "doors": told})
    else:
        print(f"{machine()}\n")
        for tally in tallies:
            _print(tally)
        print(f"asked again in a fresh process: {given.again}, of which differ: {len(differing)}")
    return int(bool(differing) or any(tally.faults for tally in tallies))


def _asked(given: Namespace) -> Tally:
    tally = Tally(door=f"{given.planner}, as a campaign asks it")
    for question in _questions(given.first):
        tally.add(question, judged(given.planner, question, models=given.planner in MODELS))
        if _is_enough(tally, given.suggestions):
            break
    return tally


def _asked_at_the_bench(given: Namespace) -> Tally:
    """A tenth as many, with and without a list."""
    tally = Tally(door="ensemble, as a loop in Python asks it")
    for question in _questions(given.first):
        for with_pool in (True, False):
            tally.add(question, judged_at_the_bench(question, with_pool=with_pool))
        if _is_enough(tally, given.suggestions // 10):
            break
    return tally


def _questions(first: int) -> Iterator[Question]:
    seed = first
    while True:
        yield random_question(seed)
        seed += 1


def _is_enough(tally: Tally, suggestions: int) -> bool:
    if tally.questions % 500 == 0:
        say(f"{tally.door}: {tally.suggestions} suggestions, {len(tally.faults)} faults")
    return tally.suggestions >= suggestions


def _differing(given: Namespace) -> list[int]:
    """Seeds of the questions that another process answers otherwise."""
    seeds = list(range(given.first, given.first + given.again))
    here = digests(given.planner, seeds)
    there = digests_elsewhere(given.planner, seeds[::-1], hash_seed=1)[::-1]
    assert any(one != REFUSED for one in here) or not seeds, "all questions were refused"
    return [seed for seed, a, b in zip(seeds, here, there, strict=True) if a != b]


def _kinds(question: Question) -> Iterator[str]:
    problem = question.problem
    yield from asked_of(problem)
    yield f"{question.count} at a time"
    if is_model_due(question):
        yield "a model is due"
    if problem.constraints:
        yield "sums or limits"
    yield from {trial.status for trial in question.trials}
    if any(trial.prior for trial in question.trials):
        yield "trials of before"


def _as_data(tally: Tally) -> dict[str, object]:
    return {
        "door": tally.door,
        "questions": tally.questions,
        "suggestions": tally.suggestions,
        "by_model": tally.by_model,
        "faults": tally.faults,
        "refused": dict(tally.refused),
        "kinds": dict(sorted(tally.kinds.items())),
    }


def _print(tally: Tally) -> None:
    print(f"{tally.door}: {tally.questions} questions, {tally.suggestions} suggestions")
    print(f"  faults {len(tally.faults)}, by a model {tally.by_model}")
    for fault in tally.faults:
        print(f"    {fault}")
    for word, count in tally.kinds.most_common():
        print(f"  {count:>6} suggestions  {word}")
    for why, count in tally.refused.most_common():
        print(f"  {count:>6} rightly refused: {why}")


if __name__ == "__main__":
    sys.exit(main())

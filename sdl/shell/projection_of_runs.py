"""Rows of runs and of their samples."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import assert_never

from sdl.core import commands as c
from sdl.core.ids import campaign_of
from sdl.model.data import Arguments, Inputs, Measures
from sdl.model.units import unit_of
from sdl.shell.changes import Cell, Change, insert, json_of, text_of, update
from sdl.wire.journal import Line


def run_rows(line: Line, value: c.BeginRun | c.EndRun | c.Weigh) -> list[Change]:
    """What the beginning or the end of a run changes, or the evidence that it gave."""
    match value:
        case c.BeginRun():
            return [_begun(line, value), *_samples(line, value)]
        case c.EndRun():
            ended: dict[str, Cell] = {**_end(value), "ended_at": line.at}
            return [update(line, "run", (value.run,), ended), *_ended_samples(line, value)]
        case c.Weigh():
            weighed: dict[str, Cell] = {
                "run": value.run,
                "sample": value.sample,
                "runs": value.evidence.runs,
                "e_for": value.evidence.e_for,
                "e_against": value.evidence.e_against,
                "posterior": value.evidence.posterior,
                "at": line.at,
            }
            key = (value.run, value.sample)
            return [insert(line, campaign_of(value.run), "evidence", key, weighed)]
        case _:
            assert_never(value)


def _begun(line: Line, value: c.BeginRun) -> Change:
    begun: dict[str, Cell] = {
        "run": value.run,
        "suggestion": value.suggestion,
        "inputs": json_of(dict(value.inputs)),
        "roles": json_of(dict(value.roles)),
        "begun_at": line.at,
    }
    return insert(line, campaign_of(value.run), "run", (value.run,), begun)


def _samples(line: Line, value: c.BeginRun) -> Iterator[Change]:
    suggestions = value.suggestions or (value.suggestion,)
    inputs = list(_inputs(value.inputs)) if value.suggestions else [value.inputs]
    for number, (suggestion, own) in enumerate(zip(suggestions, inputs, strict=True), start=1):
        begun: dict[str, Cell] = {
            "run": value.run,
            "sample": number,
            "suggestion": suggestion,
            "inputs": json_of(dict(own)),
            "wells": _wells(value, number - 1, len(suggestions)),
        }
        yield insert(line, campaign_of(value.run), "sample", (value.run, number), begun)


def _inputs(arguments: Arguments) -> Iterator[Inputs]:
    """All inputs of each sample of a batch, those of the whole run included."""
    shared = {name: each for name, each in arguments.items() if not isinstance(each, tuple)}
    for each in arguments.values():
        if isinstance(each, tuple):
            yield from ({**shared, **own} for own in each)


def _wells(value: c.BeginRun, place: int, count: int) -> str:
    """The wells of one sample: where a role has as many as there are samples, each has its own.

    Empty where that cannot be told: which well is for which sample is then the protocol's to know.
    """
    played = [players.split(",") for _, players in sorted(value.roles.items()) if "/" in players]
    if not value.suggestions:
        return ",".join(well for wells in played for well in wells)
    return ",".join(wells[place] for wells in played if len(wells) == count)


def _ended_samples(line: Line, value: c.EndRun) -> Iterable[Change]:
    ends: tuple[c.EndRun | c.SampleEnd, ...] = value.samples or (value,)
    for number, end in enumerate(ends, start=1):
        yield update(line, "sample", (value.run, number), _end(end))
        yield from _observations(line, value.run, number, end.measures)


def _end(end: c.EndRun | c.SampleEnd) -> dict[str, Cell]:
    return {"outcome": end.outcome, "loss": end.loss, "reason": text_of(end.reason)}


def _observations(line: Line, run: str, sample: int, measures: Measures) -> Iterator[Change]:
    for measure, number in measures.items():
        seen: dict[str, Cell] = {
            "run": run,
            "sample": sample,
            "measure": measure,
            "value": number,
            "unit": unit_of(measure),
            "at": line.at,
        }
        yield insert(line, campaign_of(run), "observation", (run, sample, measure), seen)

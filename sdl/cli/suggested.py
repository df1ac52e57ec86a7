"""Why a point was suggested: in a sentence, in full, and as a document."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, TypeAlias, cast

from sdl.cli.runs import inputs_of
from sdl.cli.words import count, duration, point, quantity
from sdl.model.campaign import NO_PLANNER

if TYPE_CHECKING:
    from sdl.model.data import InputValue
    from sdl.shell.record import Record
    from sdl.shell.tables import PlannerRequestRow, SuggestionRow

START = {
    "centre": "the centre of the space",
    "maximin": "as far as can be from the points before it",
    "medoid": "amid the candidates that are far from the points before it",
    "rivals": "where the predictions of the rivals differ most for the cost",
    "sources": "good by what earlier campaigns say that are hints",
    "sobol": "by Sobol's sequence, which spreads points evenly",
}
"""What the planner with a model does before it has one, by the origin of the point."""

SHOWN = 12
"""Characters of a digest that are shown to people; documents have all of it."""

Json: TypeAlias = Mapping[str, object]


def in_a_sentence(row: SuggestionRow, planner: str) -> str:
    """``planner``: the campaign's kind."""
    said = f"{point(inputs_of(row.inputs))} was suggested by {row.origin}"
    if row.origin == NO_PLANNER:
        said = "every run of this campaign has the same inputs"
    if row.origin != planner and row.origin in START and not row.fall_back:
        said = f"{point(inputs_of(row.inputs))} is a start point, {START[row.origin]}"
    expected = [
        f"{name} = {quantity(name, one['mean'], one['sd'])}"
        for name, one in json.loads(row.predicted).items()
    ]
    said += f", which expected {', '.join(expected)}" if expected else ""
    if row.acquisition is not None:
        said += f" (acquisition value {row.acquisition:.4g})"
    if row.fall_back:
        said += f"; a fall-back, because {row.fall_back}"
    if row.disposition:
        said += f"; it ended as {row.disposition}"
    if row.disposition == "withdrawn":
        said += f": {row.reason}"
    return said


def in_full(record: Record, row: SuggestionRow) -> Iterator[tuple[str, str]]:
    """Heading and line for all that is on record of a suggestion's making."""
    reason = _reason(row)
    if reason is not None:
        yield from _from_models(record, row, reason)
    request = answered(record, row)
    if request is not None:
        yield "data", _data(request, "" if reason is None else str(reason["data_digest"]))
        yield "asked", f"{request.planner} for {count(request.wanted, 'point')}, seed {row.seed}"
    if row.model_digest:
        yield "model", f"sha256 {row.model_digest[:SHOWN]}"
    if request is not None and request.versions:
        packages = json.loads(request.versions).items()
        yield "versions", ", ".join(f"{name} {version}" for name, version in packages)


def as_document(record: Record, row: SuggestionRow) -> dict[str, object]:
    """All of it as one value, digests in full."""
    request = answered(record, row)
    return {
        "suggestion": row.suggestion,
        "inputs": json.loads(row.inputs),
        "origin": row.origin,
        "predicted": json.loads(row.predicted),
        "acquisition": row.acquisition,
        "seed": row.seed,
        "model_digest": row.model_digest,
        "fall_back": row.fall_back,
        "reason": _reason(row),
        "ask": row.ask,
        "planner": None if request is None else request.planner,
        "trials": None if request is None else request.trials,
        "trials_sha256": None if request is None else request.trials_sha256,
        "versions": json.loads(request.versions) if request and request.versions else None,
        "disposition": row.disposition,
        "ended_because": row.reason,
    }


def answered(record: Record, row: SuggestionRow) -> PlannerRequestRow | None:
    """The attempt of the question that this is from; None where no planner was asked."""
    requests = record.planner_requests(row.campaign)
    found = [one for one in requests if one.ask == row.ask and one.status == "answered"]
    return found[-1] if found else None


def _reason(row: SuggestionRow) -> Json | None:
    return None if row.why is None else cast("Json", json.loads(row.why))


def _from_models(record: Record, row: SuggestionRow, reason: Json) -> Iterator[tuple[str, str]]:
    for name, one in cast("Mapping[str, Mapping[str, float]]", reason["expected"]).items():
        low, high = quantity(name, one["low"]), quantity(name, one["high"])
        yield (
            "expected",
            f"{name} = {quantity(name, one['median'])}, 90 % of measurements from {low} to {high}",
        )
    yield from (("weighed", line) for line in _weighed(row, reason))
    yield from (("bench", line) for line in _spent(reason))
    for name, shares in cast("Mapping[str, Mapping[str, float]]", reason["surrogates"]).items():
        mixed = ", ".join(f"{model} ({share:.3g})" for model, share in shares.items())
        yield "models", f"of {name}: {mixed}"
    measured = (
        one for one in record.suggestions(row.campaign) if one.disposition == "measured"
    )  # the same point may have been suggested before, and withdrawn
    names = {one.inputs: one.suggestion for one in measured}
    for near in cast("list[Mapping[str, Mapping[str, InputValue]]]", reason["nearest"]):
        yield "near", _near(near, names)
    for doubt in cast("list[Json]", reason.get("doubts", [])):
        yield "doubts", _doubt(doubt, names)
    left = cast("Mapping[str, float] | None", reason.get("left"))
    if left is not None:
        said = f"{left['gain']:.4g}, with a chance of {left['chance']:.3g} that a better point is"
        yield "left", f"an expected gain of {said} left"
    look = cast("Mapping[str, str | float] | None", reason.get("look"))
    if look is not None:
        yield "fidelity", _look(look)
    if reason["number"]:
        yield "design", f"point {reason['number']} of it; no results were looked at"


def _look(look: Mapping[str, str | float]) -> str:
    """At which fidelity, and why."""
    words = {
        "opening": "one of its first runs, by which it is judged",
        "target": "the one that counts; no cheaper one tells more for what it costs",
        "left over": "every point is measured at the target, or cannot be",
        "pays": f"it tells {look['tells']:.3g} of what a run at the target would tell, for less; "
        f"the models that follow it weigh {look['weight']:.3g}",
    }
    return f"{look['option']}, cost {look['cost']:.4g}: {words[str(look['why'])]}"


def _weighed(row: SuggestionRow, reason: Json) -> Iterator[str]:
    """What the acquisition is made of."""
    named = {"log_gain": "gain", "log_feasible": "feasibility", "log_cost": "cost"}
    parts = [f"{word} {reason[key]:.4g}" for key, word in named.items() if reason[key] is not None]
    if parts and row.acquisition is not None:
        yield f"acquisition {row.acquisition:.4g} of {', '.join(parts)} (logarithms)"
    log_cost = cast("float | None", reason["log_cost"])
    if log_cost is not None and reason.get("spending") is None:
        yield f"a cost of {math.exp(log_cost):.4g}, in the currency of [cost]"
    if reason["scored"]:
        yield f"the best of {reason['scored']} candidates"


def _spent(reason: Json) -> Iterator[str]:
    """What the run costs the bench, and what was passed over for want of stock."""
    spending = cast("Mapping[str, float] | None", reason.get("spending"))
    if spending is None:
        return
    hours, parts = spending["hours"], [f"cost {spending['cost']:.4g}"]
    if hours > 0.0:
        lasts = duration(3600.0 * hours)
        parts.append(f"{spending['cost_of_hours']:.4g} for {lasts} of lab time")
    if spending["log_drain"] > 0.0:
        parts.append(
            f"{spending['log_drain']:.2g} more (logarithm) for what it takes from later runs"
        )
    yield ", ".join(parts)
    for draw in cast("list[Mapping[str, str | float]]", spending["draws"]):
        yield f"draws {draw['volume_ul']:.4g} of {draw['left_ul']:.4g} uL of {draw['source']}"
    for source, left_ul in cast("Mapping[str, float]", spending["short"]).items():
        passed = count(int(spending["passed_over"]), "candidate") + " passed over for want of stock"
        if not spending["passed_over"]:
            passed = "no candidate is left for which there is enough"
        yield f"{source} is short: {left_ul:.4g} uL left; {passed}"
    unclear = cast("list[str]", spending.get("unclear", []))
    if unclear:
        yield f"does not count, as the protocol does not tell it simply: {', '.join(unclear)}"


def _near(near: Mapping[str, Mapping[str, InputValue]], names: Mapping[str, str]) -> str:
    from sdl.shell.changes import json_of

    suggestion = names.get(json_of(near["inputs"]), "a trial of before")
    known = f"{suggestion}: {point(near['inputs'])} gave {point(near['measures'])}"
    return f"{known}, correlation {near['correlation']:.3g}"


def _doubt(doubt: Json, names: Mapping[str, str]) -> str:
    from sdl.shell.changes import json_of

    suggestion = names.get(json_of(doubt["inputs"]), "a trial of before")
    inputs, measure = cast("Mapping[str, InputValue]", doubt["inputs"]), str(doubt["measure"])
    gave = quantity(measure, cast("float", doubt["value"]))
    return (
        f"{suggestion}: {measure} = {gave} at {point(inputs)} does not fit with all others; an "
        f"outlier with {cast('float', doubt['probability']):.0%}, and little was learnt from it"
    )


def _data(request: PlannerRequestRow, seen: str) -> str:
    said = f"{count(request.trials, 'trial')}, sha256 {request.trials_sha256[:SHOWN]}"
    return f"{said}; as the model saw them {seen[:SHOWN]}" if seen else said

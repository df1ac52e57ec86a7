"""What a campaign that passed every check is going to do, in words."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from sdl.cli.console import short
from sdl.cli.words import count, point, quantity
from sdl.core.plates import plates_of
from sdl.model.campaign import (
    NO_PLANNER,
    Campaign,
    ChoiceParameter,
    Objective,
    OutcomeConstraint,
    Parameter,
    PlateChoice,
    Prior,
)
from sdl.model.candidates import Candidates, count_of
from sdl.model.costs import Costs
from sdl.model.data import JsonValue
from sdl.model.hypothesis import Hypothesis
from sdl.model.lab import Instrument, Lab, Limit
from sdl.model.labware import Labware
from sdl.model.protocol import Role
from sdl.model.space import formula
from sdl.model.stock import Stocks
from sdl.model.units import unit_of
from sdl.shell.preflight import Prepared
from sdl.shell.redact import hidden

Told = Iterator[tuple[str, str]]
"""Heading and line; the heading comes again where there are several lines below it."""


def found(prepared: Prepared) -> Told:
    """All that was read from the files, as it was understood."""
    spec, lab = prepared.campaign.campaign, prepared.lab.lab
    yield "protocol", prepared.script.signature.name
    for objective in spec.objectives:
        yield "objective", _objective(objective, spec.stop.tolerance)
    for outcome in spec.outcomes:
        yield "objective", _outcome(outcome)
    if spec.hypothesis is None:
        yield "hypothesis", "none"
    else:
        yield from _hypothesis(spec.hypothesis)
    width = max((len(parameter.name) for parameter in spec.space), default=0)
    for parameter in spec.space:
        yield "search", f"{parameter.name:<{width}}  {_searched(parameter)}"
    for constraint in spec.linear:
        yield "search", formula(constraint)
    if spec.candidates is not None:
        yield "search", _listed(spec.candidates)
    if spec.fixed:
        yield "fixed", point(spec.fixed)
    if spec.costs is not None:
        yield from (("cost", line) for line in _costs(spec.costs))
    for prior in spec.prior:
        yield "prior", _prior(prior)
    yield "runs", _runs(spec)
    yield "planner", _planner(spec)
    for role in prepared.script.signature.roles:
        if role.is_labware:
            yield "wells", f"{role.name}: {_wells(spec, role)}"
    yield from _bench(spec, lab)
    yield "broker", hidden(lab.broker)
    yield "record", _record(prepared.lab.record_url)
    for remark in prepared.remarks:
        yield "mind", remark


def _objective(objective: Objective, tolerance: float | None) -> str:
    measure = objective.measure
    near = "" if tolerance is None else f" within {quantity(measure, tolerance)}"
    weight = "" if objective.weight is None else f", weight {objective.weight:g}"
    if objective.target is not None:
        return f"{measure} = {quantity(measure, objective.target)}{near}{weight}"
    if objective.low is not None and objective.high is not None:
        return (
            f"{measure} from {objective.low:g} to {quantity(measure, objective.high)}{near}{weight}"
        )
    if objective.goal == "hits":
        return f"as many hits as can be: {measure} {_sides(objective)}"
    if objective.level is not None:
        return f"where {measure} passes {quantity(measure, objective.level)}"
    if objective.goal == "novelty":
        return f"what is new: {measure} unlike all that was measured"
    if objective.goal == "discriminate":
        return f"which rival holds: where their predictions of {measure} differ most"
    unit = unit_of(measure)
    said = f"{objective.goal} {measure}" + (f", in {unit}" if len(unit) > 1 else "")
    if objective.threshold is not None:
        worse = "below" if objective.goal == "maximise" else "above"
        said += f", of no use {worse} {quantity(measure, objective.threshold)}"
    return said + weight


def _outcome(outcome: OutcomeConstraint) -> str:
    return f"{outcome.measure} {_sides(outcome)}, or a run does not count"


def _sides(one: OutcomeConstraint | Objective) -> str:
    sides = [("at least", one.at_least), ("at most", one.at_most)]
    said = [f"{word} {quantity(one.measure, end)}" for word, end in sides if end is not None]
    return " and ".join(said)


def _listed(candidates: Candidates) -> str:
    return f"{count(count_of(candidates), 'point')} of {candidates.source}, and no others"


def _hypothesis(hypothesis: Hypothesis) -> Told:
    predicts = hypothesis.predicts
    where = "of the best point" if predicts.at == "best" else "of a typical run"
    side = "is above" if predicts.direction == "exceeds" else "is below"
    threshold = quantity(predicts.quantity, predicts.threshold)
    yield "hypothesis", hypothesis.claim
    yield "hypothesis", f"predicts: {predicts.quantity} {where} {side} {threshold}"
    yield (
        "hypothesis",
        f"prior {hypothesis.prior:g}; a verdict errs with at most {hypothesis.error_level:g}",
    )


def _searched(parameter: Parameter) -> str:
    conditions = [f"{c.input} = {' or '.join(map(str, c.values))}" for c in parameter.only_if]
    rests = f", only if {', '.join(conditions)}, else {parameter.otherwise}" if conditions else ""
    return _values(parameter) + rests


def _values(parameter: Parameter) -> str:
    if isinstance(parameter, ChoiceParameter):
        if parameter.ordered:
            numbers = ", ".join(f"{float(option):g}" for option in parameter.options)
            return f"one of {numbers}{_unit(parameter.name)}"
        described = parameter.descriptors
        said = "" if described is None else f", by {count(len(described.names), 'descriptor')}"
        shown = ", ".join(str(option) for option in parameter.options[:SHOWN])
        more = len(parameter.options) - SHOWN
        return f"one of {shown}{f' and {more} more' if more > 0 else ''}{said}"
    scale = ", on a logarithmic scale" if parameter.log else ""
    kind = ", whole numbers" if parameter.integer else ""
    return f"{parameter.low:g} to {parameter.high:g}{_unit(parameter.name)}{kind}{scale}"


def _unit(name: str) -> str:
    unit = unit_of(name)
    return "" if unit in ("", "1") else f" {unit}"


SHOWN = 12
"""Options of an input that are named."""


def _costs(costs: Costs) -> Iterator[str]:
    """What is counted, in the currency of ``[cost]``; what is not said costs nothing."""
    if costs.per_run:
        yield f"{costs.per_run:g} for each run"
    if costs.per_hour:
        yield f"{costs.per_hour:g} for each hour of lab time"
    for name, options in costs.options.items():
        said = ", ".join(f"{option} {price:g}" for option, price in options.items())
        yield f"{name}: {said}"
    for name, price in costs.per_unit.items():
        yield f"{name}: {price:g} for each{_unit(name) or ' unit'}"
    for name, price in costs.change.items():
        yield f"{name}: {price:g} for each change from one run to the next"


_HINT = "; a hint, measured on something like it"


def _prior(prior: Prior) -> str:
    if prior.is_campaign and not prior.sha256:
        said = f"the trials of {prior.source}, read from the record at the start"
        return said + _HINT * prior.is_hint
    failed = sum(trial.status == "failed" for trial in prior.trials)
    return (
        f"{count(len(prior.trials), 'trial')} of {prior.source}"
        + (f", {failed} of them failed" if failed else "")
        + (f"; {prior.left_out} left out, see below" if prior.left_out else "")
        + _HINT * prior.is_hint
    )


def _runs(spec: Campaign) -> str:
    hours = "" if spec.stop.hours is None else f", none begun after {spec.stop.hours:g} h"
    hours += "" if spec.stop.cost is None else f", for {spec.stop.cost:g} in all"
    failures = count(spec.stop.failures, "failure")
    at_once = f"at most {spec.stop.runs}, {spec.parallel} at a time"
    if spec.batch is not None:
        samples = f"at most {count(spec.stop.runs, 'sample')}, {spec.batch.size} in a run"
        at_once = f"{samples}, {count(spec.parallel, 'run')} at a time"
    return f"{at_once}{hours}; ends after {failures} in a row{_enough(spec)}"


def _enough(spec: Campaign) -> str:
    stop, said = spec.stop, ""
    if stop.reached is not None:
        said += f", or once {quantity(spec.objective.measure, stop.reached)} are reached"
    if stop.hits is not None:
        said += f", or once {count(stop.hits, 'hit')} were found"
    if stop.expected_gain is not None:
        gain = quantity(spec.objective.measure, stop.expected_gain)
        said += f", or once a gain of less than {gain} is expected"
    if stop.chance_of_better is not None:
        said += f", or once a better point is left with a chance below {stop.chance_of_better:g}"
    return said


def _wells(spec: Campaign, role: Role) -> str:
    choice = spec.plates.get(role.name, PlateChoice())
    many = "one for each run"
    if role.is_list:
        each = "one for each sample" if choice.count is None else f"{choice.count} for each run"
        many = f"{each}, together on a plate"
    place = f" from {choice.at}" if choice.at else ""
    which = f"any {choice.kind}{place}" if choice.kind else ", ".join(spec.roles[role.name])
    return f"{many}; {which}"


def _planner(spec: Campaign) -> str:
    planner = spec.planner
    if planner.kind == NO_PLANNER:
        return "none: every run has the same inputs"
    options = "".join(f", {key} = {_option(value)}" for key, value in planner.options.items())
    ahead = "" if planner.ahead is None else f", {count(planner.ahead, 'run')} ahead"
    return f"{planner.kind}{options}{ahead}; if it fails: {planner.fall_back}"


def _option(value: JsonValue) -> str:
    """A value as TOML writes it, or nearly so."""
    if isinstance(value, dict):
        return f"{{ {', '.join(f'{key} = {_option(item)}' for key, item in value.items())} }}"
    return str(value)


def _bench(spec: Campaign, lab: Lab) -> Told:
    speed = "" if lab.speed == 1 else f", {lab.speed:g} times as fast as the clock"
    kind = "all simulated" if lab.simulated else "real instruments"
    yield "lab", f"{lab.name}, {kind}{speed}"
    roles: dict[str, list[str]] = {}
    for role in spec.roles:
        for name in plates_of(spec, lab.labware, role):
            roles.setdefault(name, []).append(role)
    for instrument in lab.instruments:
        yield "instruments", _instrument(instrument, roles.get(instrument.name, []))
        for name, limit in instrument.limits.items():
            yield "instruments", f"  limit {name}: {_limit(name, limit)}"
        if instrument.reaches:
            yield "instruments", f"  carries labware between: {', '.join(instrument.reaches)}"
        if instrument.sites:
            yield "instruments", f"  {_sites(instrument.name, instrument.sites, lab)}"
    for role in spec.pooled:
        names = " or ".join(spec.roles[role])
        yield "instruments", f"each step of the role {role!r} is done by {names}, whichever is free"
    for stocks in lab.stocks:
        yield "stocks", _stocks(stocks)
    for place in lab.places:
        yield "places", f"{place.name}: {_sites(place.name, place.sites, lab)}"
    for piece in lab.labware:
        yield "labware", f"{piece.name}: {_labware(piece, roles.get(piece.name, []))}"


def _stocks(stocks: Stocks) -> str:
    held = [
        f"{one.volume_ul:g} {name}" if one.is_counted else f"{name} {one.volume_ul:g} µL"
        for name, one in stocks.sources.items()
    ]
    return f"{stocks.instrument}: {', '.join(held) or 'nothing'}"


def _sites(name: str, sites: int, lab: Lab) -> str:
    reached = ", ".join(lab.reached[name])
    return f"{count(sites, 'site')}, " + (
        f"reached by {reached}" if reached else "which no instrument reaches: a person carries"
    )


def _labware(piece: Labware, roles: list[str]) -> str:
    if piece.on:
        return f"{piece.kind.name}, lies on {piece.on}, and on {piece.parks} while it is off"
    held = {"tip_rack": "tip"}.get(piece.kind.category, "well")
    many = f", {count(piece.kind.count, held)}"
    filled = len({one.well for one in piece.contents})
    many += f", {filled} of them filled" if filled else ""
    at = f", at first on {piece.at}" if piece.at else ""
    used = _in_roles(piece.name, roles) if piece.kind.wells else ""
    return f"{piece.kind.name}{many}{at}{used}"


def _instrument(instrument: Instrument, roles: list[str]) -> str:
    how = "simulated by" if instrument.simulated else "real, driven by"
    used = "" if instrument.reaches and not roles else _in_roles(instrument.name, roles)
    return f"{instrument.name}: {how} {instrument.driver}{used}"


def _in_roles(name: str, roles: list[str]) -> str:
    if not roles:
        return ", not used"
    if [name] == roles:
        return ""
    return f", in the role{'s' * (len(roles) > 1)} {', '.join(map(repr, roles))}"


def _limit(name: str, limit: Limit) -> str:
    unit = _unit(name.rpartition(".")[2])
    if limit.low is None:
        return f"at most {limit.high:g}{unit}"
    if limit.high is None:
        return f"at least {limit.low:g}{unit}"
    return f"{limit.low:g} to {limit.high:g}{unit}"


def _record(url: str) -> str:
    if url.startswith("sqlite:///"):
        path = Path(url.partition(":///")[2])
        return short(path) + ("" if path.exists() else ", not there yet")
    return hidden(url)

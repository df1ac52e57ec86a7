"""Whether a campaign, its lab and its protocol fit each other, before anything is started."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import fields

from sdl.errors import UserMistake
from sdl.model.campaign import Campaign, ChoiceParameter, Parameter, PlannerChoice
from sdl.model.data import InputValue
from sdl.model.lab import Lab
from sdl.model.labware import HOLDS_LIQUID, Category
from sdl.model.protocol import Input, ProtocolSignature, Role, in_python
from sdl.wire.aims_check import placed_objectives, placed_outcomes
from sdl.wire.campaign_values import check_values
from sdl.wire.policy import unfit
from sdl.wire.pools_check import check_pools
from sdl.wire.toml_lines import KeyPath
from sdl.wire.toml_table import Places, did_you_mean
from sdl.wire.wells_check import check_wells

_Found = Iterator[tuple[KeyPath, str]]
_CALLED: Mapping[Category, str] = {
    "plate": "a plate",
    "trough": "a trough",
    "tube": "a tube",
    "tip_rack": "a tip rack",
    "lid": "a lid",
}
_WITH_WELLS = tuple(_CALLED[each] for each in HOLDS_LIQUID)


def check_campaign(
    campaign: Campaign,
    lab: Lab,
    signature: ProtocolSignature,
    offers: Mapping[str, AbstractSet[str]],
    places: Places | None = None,
) -> list[UserMistake]:
    """All that does not fit, each at the line of ``campaign.toml`` where ``places`` knows it.

    ``offers``: instrument name to the names of the actions that its driver's class has; an
    instrument that is missing there is not compared.
    """
    places = places or Places("campaign", None)
    found = [
        *_roles(campaign, lab, signature),
        *_offers(campaign, signature, offers),
        *check_pools(campaign, lab, signature),
        *_inputs(campaign, signature),
        *_measures(campaign, signature),
        *_batch(campaign, signature),
        *_hypothesis(campaign, signature),
        *check_wells(campaign, lab, signature),
        *_speed(lab),
        *_policy(campaign, signature),
    ]
    fitting = [places.mistake(keys, message) for keys, message in found]
    return [*check_values(campaign, places), *fitting]


def check_options_of_planner(
    campaign: Campaign, read: AbstractSet[str], places: Places
) -> list[UserMistake]:
    """Keys under ``[planner]`` that its kind does not read; ``read``: those that it does."""
    known = {field.name for field in fields(PlannerChoice)} - {"options"} | read
    return [
        places.mistake(
            ("planner", key),
            f"the planner {campaign.planner.kind!r} has no such option; {did_you_mean(key, known)}",
        )
        for key in campaign.planner.options
        if key not in read
    ]


def _roles(campaign: Campaign, lab: Lab, signature: ProtocolSignature) -> _Found:
    roles = {role.name: role for role in signature.roles}
    for name in campaign.roles:
        if name not in roles:
            hint = did_you_mean(name, roles)
            yield ("roles", name), f"{signature.name} has no such role; {hint}"
    kinds = {instrument.name: "an instrument" for instrument in lab.instruments}
    kinds |= {place.name: "a place" for place in lab.places}
    kinds |= {piece.name: _CALLED[piece.kind.category] for piece in lab.labware}
    for role in signature.roles:
        if role.name in campaign.roles:
            yield from _players(role, campaign.roles[role.name], kinds)
        else:
            kind = "a plate" if role.is_labware else f"an instrument ({role.capability})"
            yield (
                ("roles",),
                f"the role {role.name!r} is missing; name {kind}: {role.name} = ...",
            )


def _players(role: Role, names: tuple[str, ...], kinds: Mapping[str, str]) -> _Found:
    """``kinds``: what everything of the lab that has a name is."""
    fitting = _WITH_WELLS if role.is_labware else ("an instrument",)
    kind = "plate" if role.is_labware else "instrument"
    for name in names:
        if name not in kinds:
            hint = did_you_mean(name, [one for one, what in kinds.items() if what in fitting])
            yield ("roles", role.name), f"the lab has no {kind} {name!r}; {hint}"
        elif kinds[name] not in fitting:
            yield ("roles", role.name), f"{name!r} is {kinds[name]}; the role needs a {kind}"


def _offers(
    campaign: Campaign, signature: ProtocolSignature, offers: Mapping[str, AbstractSet[str]]
) -> _Found:
    for role in signature.roles:
        for name in campaign.roles.get(role.name, ()):
            missing = sorted(set(role.actions) - offers.get(name, set(role.actions)))
            if missing and not role.is_labware:
                yield (
                    ("roles", role.name),
                    (
                        f"{name!r} cannot {', '.join(missing)}, which a {role.capability} must; "
                        "choose another instrument or driver"
                    ),
                )


def _inputs(campaign: Campaign, signature: ProtocolSignature) -> _Found:
    inputs = {given.name: given for given in signature.inputs}
    for parameter in campaign.space:
        given = inputs.get(parameter.name)
        if given is None:
            message = _unknown_input(signature, inputs, parameter.name)
            if campaign.candidates is not None:
                message += f"; else remove the column from {campaign.candidates.source!r}"
            yield ("search", parameter.name), message
        else:
            for message in _searched(given, parameter):
                yield ("search", parameter.name), message
    for name, value in campaign.fixed.items():
        given = inputs.get(name)
        if given is None:
            yield ("fixed", name), _unknown_input(signature, inputs, name)
        else:
            for message in _value(given, value):
                yield ("fixed", name), message
    chosen = {parameter.name for parameter in campaign.space} | campaign.fixed.keys()
    for given in signature.inputs:
        if given.default is None and given.name not in chosen:
            yield (
                ("search",),
                (
                    f"the input {given.name!r} is missing and has no default; "
                    "add it to [search] or to [fixed]"
                ),
            )


def _unknown_input(signature: ProtocolSignature, inputs: Mapping[str, Input], name: str) -> str:
    return f"{signature.name} has no such input; {_hint(name, inputs)}"


def _hint(name: str, known: Iterable[str]) -> str:
    hint, there = did_you_mean(name, known), in_python(name)
    if there == name:
        return hint
    return f"{hint.removesuffix('?')}; {name} is a word of Python, so a protocol says {there}"


def _searched(given: Input, parameter: Parameter) -> Iterator[str]:
    if parameter.otherwise is not None:
        yield from _value(given, parameter.otherwise)
    if isinstance(parameter, ChoiceParameter):
        for option in parameter.options:
            yield from _value(given, option)
    elif given.kind == "str":
        yield f"is text in the protocol; use choices{_options(given)}"
    elif given.options:
        yield f"takes a few values only; use choices{_options(given)}"
    elif given.kind == "int" and not parameter.integer:
        yield "is a whole number in the protocol; add integer = true"


def _options(given: Input) -> str:
    listed = ", ".join(f'"{o}"' if isinstance(o, str) else str(o) for o in given.options)
    return f" = [{listed}]" if listed else ' = ["..."]'


def _value(given: Input, value: InputValue) -> Iterator[str]:
    is_text = isinstance(value, str)
    if is_text != (given.kind == "str"):
        wanted = {"str": "text", "int": "a whole number", "float": "a number"}[given.kind]
        yield f"{value!r} does not fit: the protocol needs {wanted}"
    elif given.options and value not in given.options:
        hint = did_you_mean(str(value), [str(option) for option in given.options])
        yield f"{value!r} is none of the protocol's options; {hint}"
    elif given.kind == "int" and not isinstance(value, int):
        yield f"{value!r} does not fit: the protocol needs a whole number"


def _batch(campaign: Campaign, signature: ProtocolSignature) -> _Found:
    if campaign.batch is None and signature.samples:
        message = f"{signature.name} takes a list of samples; say how many: [batch] size = 8"
        yield ("batch",), message
    if campaign.batch is not None and not signature.samples:
        yield ("batch",), f"{signature.name} takes one sample at a time; remove [batch]"
    searched = {parameter.name for parameter in campaign.space}
    for given in signature.inputs:
        if given.of_run and given.name in searched:
            message = "belongs to the whole run, and not to a sample; move it to [fixed]"
            yield ("search", given.name), message


def _measures(campaign: Campaign, signature: ProtocolSignature) -> _Found:
    named = [(keys, one.measure) for keys, one in placed_objectives(campaign)]
    named += [(keys, one.measure) for keys, one in placed_outcomes(campaign)]
    for keys, measure in named:
        if measure not in signature.measures:
            hint = _hint(measure, signature.measures)
            yield (*keys, "measure"), f"{signature.name} does not measure {measure!r}; {hint}"


def _hypothesis(campaign: Campaign, signature: ProtocolSignature) -> _Found:
    if campaign.hypothesis is None:
        return
    predicts = campaign.hypothesis.predicts
    keys = ("hypothesis", "predicts")
    searched = {parameter.name: parameter for parameter in campaign.space}
    parameter = searched.get(predicts.quantity)
    if predicts.quantity in signature.measures:
        if predicts.at == "best" and predicts.noise_sd is None:
            yield (
                keys,
                (
                    "a measure at best needs noise_sd, the standard deviation of one measurement "
                    "in the measure's unit"
                ),
            )
    elif parameter is None:
        hint = did_you_mean(predicts.quantity, [*signature.measures, *searched])
        yield (
            (*keys, "quantity"),
            f"{predicts.quantity!r} is neither a measure nor a searched input; {hint}",
        )
    elif isinstance(parameter, ChoiceParameter) and not parameter.ordered:
        yield (*keys, "quantity"), f"{predicts.quantity!r} has named options; predict a number"
    elif predicts.at == "typical":
        yield (*keys, "at"), 'an input is judged at "best"; "typical" is for measures'


def _policy(campaign: Campaign, signature: ProtocolSignature) -> _Found:
    for place, rule in enumerate(campaign.policy):
        for key, message in unfit(rule, signature.roles, campaign.roles):
            yield ("policy", place, key), message


def _speed(lab: Lab) -> _Found:
    real = [instrument.name for instrument in lab.instruments if not instrument.simulated]
    if lab.speed != 1 and real:
        yield ("campaign", "lab"), f"its speed is {lab.speed:g}, but {real[0]!r} is real; remove it"

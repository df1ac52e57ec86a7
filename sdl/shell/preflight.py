"""Everything that can be checked, and loaded, before a campaign starts and anything moves."""

from __future__ import annotations

import inspect
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import cast

from sdl.core.campaign import problem
from sdl.core.plates import plates_of
from sdl.core.script import ProtocolFunction, Script
from sdl.core.stuck import stuck
from sdl.core.transport import floor_of
from sdl.errors import PlannerFault, ProtocolMistake, UserMistake
from sdl.model.campaign import NO_PLANNER
from sdl.model.lab import Instrument, Lab, place_of
from sdl.model.planning import asked_of
from sdl.model.protocol import ProtocolSignature
from sdl.planner.server import abilities_of, known, options_of
from sdl.shell.earlier import with_earlier
from sdl.shell.offered import offered_by
from sdl.shell.plugins import PROTOCOLS, Loaded, check_options, instrument_class, load
from sdl.shell.recoveries import load_recoveries
from sdl.wire.abilities_check import WITHOUT_PLANNER, check_abilities, heeds_bench, unused
from sdl.wire.alert_table import program_of
from sdl.wire.campaign_check import check_campaign, check_options_of_planner
from sdl.wire.forbidden import forbidden
from sdl.wire.signature import read_signature
from sdl.wire.toml import CampaignFile, LabFile, open_campaign, open_lab
from sdl.wire.toml_lines import KeyPath
from sdl.wire.toml_table import did_you_mean, raise_all

CARRIES_LIDS = "carries_lids"
"""What the class of an arm says that takes a lid by its name, and leaves the plate."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Prepared:
    """A campaign that passed every check: its files, and what they name, loaded."""

    campaign: CampaignFile
    lab: LabFile
    protocol: Loaded
    script: Script
    drivers: Mapping[str, Loaded]
    """Driver or simulator class by instrument."""
    remarks: tuple[str, ...] = ()
    """What a person should know, and is no mistake."""


def prepare(campaign_path: Path, *, joins: bool = False) -> Prepared:
    """Read and check a campaign, its lab and its protocol. UserMistake(s) with file and line.

    ``joins``: it comes into a lab at work, where labware may stand elsewhere by now.
    """
    campaign = open_campaign(campaign_path)
    lab = _lab_of(campaign)
    mistakes: list[UserMistake] = []
    drivers = load_drivers(lab, mistakes)
    mistakes += check_alert(lab)
    spec = campaign.campaign
    mistakes += _planner(campaign)
    unused = _abilities(campaign, mistakes)
    protocol, script = _protocol(campaign, mistakes)
    if script is not None:
        offers = {name: offered_by(cast("type", one.value)).keys() for name, one in drivers.items()}
        mistakes += check_campaign(spec, lab.lab, script.signature, offers, campaign.places)
        mistakes += _sites(campaign, lab.lab, script)
        if not (mistakes or joins):
            mistakes += _stuck(campaign, lab.lab, script)
    raise_all(mistakes)
    assert protocol is not None
    assert script is not None
    campaign = with_earlier(campaign, lab.record_url)
    return Prepared(
        campaign=campaign,
        lab=lab,
        protocol=protocol,
        script=script,
        drivers=drivers,
        remarks=(*campaign.remarks, *unused),
    )


def _sites(campaign: CampaignFile, lab: Lab, script: Script) -> Iterator[UserMistake]:
    """Instruments to which the labware of a campaign cannot come; and who carries, as a role."""
    roles = campaign.campaign.roles
    instruments = {one.name: one for one in lab.instruments}
    used = {name for names in roles.values() for name in names}
    on_sites = [piece for piece in lab.labware if piece.at and piece.name in used]
    for role, operations in script.operations.items():
        about = any(operation.is_about_labware for operation in operations.values())
        for name in roles.get(role, ()):
            one = instruments.get(name)
            if one is not None and one.reaches:
                why = f"{name!r} is a transporter, and carries by itself what steps need; take"
                yield campaign.places.mistake(("roles", role), f"{why} it out of the protocol")
            elif one is not None and about and on_sites and not one.sites:
                yield campaign.places.mistake(
                    ("roles", role),
                    f"{on_sites[0].name!r} stands on {on_sites[0].at}, and {name!r} has no sites "
                    f"for it; add sites = 1 to [instruments.{name}] in lab.toml",
                )


def _stuck(campaign: CampaignFile, lab: Lab, script: Script) -> Iterator[UserMistake]:
    """That no plate of a campaign can be carried anywhere as the lab's file has them stand."""
    spec = campaign.campaign
    instruments = [
        spec.roles.get(role, ())
        for role, operations in script.operations.items()
        if any(operation.is_about_labware for operation in operations.values())
    ]
    roles = [role.name for role in script.signature.roles if role.is_labware]
    plates = {plate: role for role in roles for plate in plates_of(spec, lab.labware, role)}
    found = stuck(floor_of(lab), lab, dict.fromkeys(plates, instruments))
    if found is not None:
        yield campaign.places.mistake(
            ("roles", plates[found.labware]),
            f"{found.labware!r} stands on {found.site}, is needed at {' or '.join(found.places)}, "
            "and neither it nor what is in its way can be put anywhere: every site is taken; add "
            "sites to a place where labware is stored, or take labware off, in lab.toml",
        )


def _planner(campaign: CampaignFile) -> list[UserMistake]:
    """A kind that is not there, and keys under ``[planner]`` that nobody would read."""
    choice, places = campaign.campaign.planner, campaign.places
    if choice.kind == NO_PLANNER:
        return [places.mistake(("planner", key), "read by no planner") for key in choice.options]
    if choice.kind not in known():
        hint = did_you_mean(choice.kind, known())
        message = f"there is no planner {choice.kind!r}; {hint}"
        return [places.mistake(("planner", "kind"), message)]
    if not choice.options:
        return []
    try:
        read = options_of(choice.kind)
    except PlannerFault as fault:
        return [places.mistake(("planner", "kind"), str(fault))]
    return check_options_of_planner(campaign.campaign, read, places)


def _abilities(campaign: CampaignFile, mistakes: list[UserMistake]) -> Sequence[str]:
    """What the planner does not use; what it would have to do and cannot joins ``mistakes``."""
    kind, places = campaign.campaign.planner.kind, campaign.places
    asked = asked_of(problem(campaign.campaign)) | heeds_bench(campaign.campaign)
    if not asked or (kind != NO_PLANNER and kind not in known()):
        return ()
    try:
        can = WITHOUT_PLANNER if kind == NO_PLANNER else abilities_of(kind)
    except PlannerFault as fault:
        mistakes.append(places.mistake(("planner", "kind"), str(fault)))
        return ()
    mistakes += check_abilities(campaign.campaign, can, places)
    return unused(campaign.campaign, asked - can)


def load_drivers(lab: LabFile, mistakes: list[UserMistake]) -> dict[str, Loaded]:
    """The driver classes of a lab, options and limits checked; what is wrong joins ``mistakes``."""
    drivers = {}
    known: dict[tuple[bool, str], Loaded] = {}
    for instrument in lab.lab.instruments:
        keys = ("instruments", instrument.name)
        which = (instrument.simulated, instrument.driver)
        try:
            loaded = known[which] if which in known else instrument_class(instrument, lab.folder)
            kind = cast("type", loaded.value)
            drivers[instrument.name] = known[which] = loaded
            check_options(instrument, kind)
            _check_lids(instrument, kind, lab.lab)
        except UserMistake as mistake:
            mistakes.append(_placed(mistake, lab, keys))
            continue
        for limit in instrument.limits:
            wrong = _limit(instrument, limit, kind)
            if wrong:
                mistakes.append(lab.places.mistake((*keys, "limits", limit), wrong))
    return drivers


def _check_lids(instrument: Instrument, kind: type, lab: Lab) -> None:
    """UserMistake if a transporter is to move lids, and might take the plate below instead."""
    parks = {place_of(piece.parks) for piece in lab.labware if piece.on}
    said = (vars(one).get(CARRIES_LIDS) for one in kind.__mro__ if CARRIES_LIDS in vars(one))
    carries_lids = next(said, False) is True
    for place in sorted(parks.intersection(instrument.reaches)):
        if not carries_lids:
            raise UserMistake(
                f"{instrument.name!r} reaches {place!r}, where lids lie, and {kind.__name__} does "
                "not say that it takes a lid by its name, and leaves the plate: write "
                f"carries_lids = True in the class once it does, or leave {place!r} out of "
                "reaches, and a person moves them"
            )


def check_alert(lab: LabFile) -> Iterator[UserMistake]:
    """What is wrong with the program that calls people; nothing where there is none to be."""
    if lab.alert is not None and program_of(lab.alert, lab.folder) is None:
        name = lab.alert.command[0]
        yield lab.places.mistake(
            ("alert", "command"),
            f"there is no program {name!r} that may be run; correct the path, or: chmod +x {name}",
        )


def _limit(instrument: Instrument, limit: str, kind: type) -> str:
    """What is wrong with the name of a limit; empty if the driver has such an argument."""
    action, _, argument = limit.partition(".")
    offered = offered_by(kind)
    if action not in offered:
        return f"{instrument.driver!r} has no action {action!r}; {did_you_mean(action, offered)}"
    if argument not in offered[action].parameters:
        hint = did_you_mean(argument, offered[action].parameters)
        return f"{action} has no argument {argument!r}; {hint}"
    return ""


def _lab_of(campaign: CampaignFile) -> LabFile:
    if not campaign.lab_path.exists():
        raise campaign.places.mistake(
            ("campaign", "lab"), f"there is no file {campaign.lab_path}; correct the path"
        )
    return open_lab(campaign.lab_path)


def _protocol(
    campaign: CampaignFile, mistakes: list[UserMistake]
) -> tuple[Loaded | None, Script | None]:
    keys = ("campaign", "protocol")
    try:
        loaded = load(PROTOCOLS, campaign.campaign.protocol, campaign.folder)
        if not inspect.iscoroutinefunction(loaded.value):
            message = f"{campaign.campaign.protocol!r} is no protocol; write '@protocol async def'"
            raise campaign.places.mistake(keys, message)
        function = cast("ProtocolFunction", loaded.value)
        signature = read_signature(function, campaign.campaign.quantities)
        script = Script.of(function, signature, _recoveries(campaign, signature, mistakes))
    except ProtocolMistake as mistake:
        mistakes.append(mistake)
        return None, None
    except UserMistake as mistake:
        mistakes.append(_placed(mistake, campaign, keys))
        return None, None
    mistakes += forbidden(function)
    return loaded, script


def _recoveries(
    campaign: CampaignFile, signature: ProtocolSignature, mistakes: list[UserMistake]
) -> Mapping[str, ProtocolFunction]:
    """What the error policy names to mend the bench; what is wrong with it joins ``mistakes``."""
    found = load_recoveries(campaign.campaign.policy, signature, campaign.folder)
    for place, mistake in found.mistakes:
        keys = ("campaign", "protocol") if place is None else ("policy", place, "protocol")
        mistakes.append(_placed(mistake, campaign, keys))
    return found.by_name


def _placed(mistake: UserMistake, file: CampaignFile | LabFile, keys: KeyPath) -> UserMistake:
    """The mistake at the line that names the plugin, unless it knows a better place itself."""
    if mistake.place is not None:
        return mistake
    return UserMistake(mistake.message, file.places.of(*keys))

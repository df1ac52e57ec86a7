"""Whether there are wells for every role that asks for some."""

from __future__ import annotations

from collections.abc import Iterator

from sdl.core.plates import plates_of
from sdl.model.campaign import Campaign, PlateChoice
from sdl.model.lab import Lab
from sdl.model.protocol import ProtocolSignature, Role
from sdl.wire.toml_lines import KeyPath
from sdl.wire.toml_table import did_you_mean

_Found = Iterator[tuple[KeyPath, str]]


def check_wells(campaign: Campaign, lab: Lab, signature: ProtocolSignature) -> _Found:
    """What is wrong with the choice of wells, at its line; and whether there are enough."""
    roles = {role.name: role for role in signature.roles}
    for name, choice in campaign.plates.items():
        if name in roles:
            yield from _choice(roles[name], choice, lab)
    for role in signature.roles:
        if role.is_list and role.name in campaign.roles and _count(campaign, role) is None:
            yield (
                ("roles", role.name),
                f"the protocol takes a list of wells; say how many: {_example(campaign, role)}",
            )
        elif role.is_list and role.name in campaign.roles:
            yield from _for_samples(campaign, role)
    yield from _enough(campaign, lab, signature)


def _for_samples(campaign: Campaign, role: Role) -> _Found:
    """Whether a run's wells are enough for its samples, which share none."""
    batch, count = campaign.batch, _count(campaign, role)
    if batch is not None and count is not None and count < batch.size:
        hint = f"give at least {batch.size}, or remove count"
        keys = ("roles", role.name, "count")
        yield keys, f"{count} wells for {batch.size} samples in a run; {hint}"


def _choice(role: Role, choice: PlateChoice, lab: Lab) -> _Found:
    keys = ("roles", role.name)
    if not role.is_labware:
        yield keys, f"is played by an instrument ({role.capability}); name it: {role.name} = ..."
        return
    if choice.count is not None and not role.is_list:
        yield (*keys, "count"), "the protocol takes one well in this role; remove count"
    if choice.at and choice.at not in lab.sites:
        hint = did_you_mean(choice.at, lab.sites)
        yield (*keys, "at"), f"{choice.at!r} is no place of this lab with sites; {hint}"
        return
    found = [piece for piece in lab.labware if choice.fits(piece)]
    if choice.kind and not found:
        kinds = {piece.kind.name for piece in lab.labware if piece.kind.wells}
        where = f" at {choice.at}" if choice.at else ""
        message = f"the lab has no plate of this kind{where}; {did_you_mean(choice.kind, kinds)}"
        yield (*keys, "kind"), message
    elif found and not found[0].kind.wells:
        yield (*keys, "kind"), f"{choice.kind} has no wells; the role needs a plate"


def _enough(campaign: Campaign, lab: Lab, signature: ProtocolSignature) -> _Found:
    """Whether as many runs as may be in flight find wells at once."""
    sizes = {piece.name: len(piece.kind.wells) for piece in lab.labware if piece.kind.wells}
    needs: dict[str, int] = {}
    for role in signature.roles:
        names = plates_of(campaign, lab.labware, role.name) if role.is_labware else ()
        plates = [name for name in names if name in sizes]
        if not plates:
            continue
        count = _count(campaign, role) or 1
        for name in plates:
            needs[name] = needs.get(name, 0) + count
        wells = sum(sizes[name] for name in plates)
        if count > max(sizes[name] for name in plates):
            most = max(sizes[name] for name in plates)
            yield (
                ("roles", role.name, "count"),
                f"{count} wells on one plate; the largest has {most}",
            )
        elif campaign.parallel > sum(sizes[name] // needs[name] for name in plates):
            yield (
                ("campaign", "parallel"),
                (
                    f"{campaign.parallel} runs at once need more wells than {role.name!r} has "
                    f"({wells}); add a plate"
                ),
            )


def _count(campaign: Campaign, role: Role) -> int | None:
    """Wells of a role for one run; None where it takes several and nobody says how many."""
    choice = campaign.plates.get(role.name, PlateChoice())
    samples = None if campaign.batch is None else campaign.batch.size
    return (choice.count or samples) if role.is_list else 1


def _example(campaign: Campaign, role: Role) -> str:
    choice = campaign.plates.get(role.name, PlateChoice())
    if choice.kind:
        return f'{role.name} = {{ kind = "{choice.kind}", count = 8 }}'
    names = ", ".join(f'"{name}"' for name in campaign.roles[role.name])
    return f"{role.name} = {{ plates = [{names}], count = 8 }}"

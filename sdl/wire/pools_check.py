"""Whether any instrument of a pooled role could do each of its steps."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from sdl.model.campaign import Campaign
from sdl.model.lab import Lab
from sdl.model.protocol import ProtocolSignature
from sdl.wire.toml_lines import KeyPath


def check_pools(
    campaign: Campaign, lab: Lab, signature: ProtocolSignature
) -> Iterator[tuple[KeyPath, str]]:
    """What is wrong with roles that name ``any_of`` several, with the key of each."""
    for role in signature.roles:
        if role.name not in campaign.pooled:
            continue
        names = campaign.roles[role.name]
        listed = ", ".join(f'"{name}"' for name in names)
        plain = f"{role.name} = [{listed}]"
        if role.is_labware:
            said = [f"is for instruments; name plates: {plain}"]
        else:
            said = [f"{why}; choose one of them for each run: {plain}" for why in _why(names, lab)]
        for message in said:
            yield ("roles", role.name, "any_of"), message


def _why(names: Sequence[str], lab: Lab) -> Iterator[str]:
    """Why a step is not the same at all of some instruments."""
    drivers = {one.driver: one.name for one in lab.instruments if one.name in names}
    if len(drivers) > 1:
        first, second, *_ = drivers.values()
        yield f"{first!r} and {second!r} have different drivers, so that their steps differ"
    with_stocks = {one.instrument for one in lab.stocks}
    for name in names:
        if name in with_stocks:
            yield f"{name!r} has stocks of its own, which are reserved for a whole run"

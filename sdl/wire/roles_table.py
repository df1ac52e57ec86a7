"""``[roles]`` of a campaign: who plays which role, and of which plates wells are used."""

from __future__ import annotations

from dataclasses import dataclass, field

from sdl.errors import UserMistake
from sdl.model.campaign import PlateChoice
from sdl.wire.labware_kinds import labware_kind
from sdl.wire.toml_table import Table, Toml, said

MOST_WELLS = 1536
"""Of one plate."""


@dataclass(slots=True)
class Roles:
    """What ``[roles]`` says."""

    names: dict[str, tuple[str, ...]] = field(default_factory=dict)
    plates: dict[str, PlateChoice] = field(default_factory=dict)
    """How wells are chosen, by role."""
    pooled: list[str] = field(default_factory=list)
    """Roles of which any of the instruments may do each step."""


def read_roles(table: Table) -> Roles:
    """Names by role, and what a role says of them that has a table of its own."""
    found = Roles()
    for role in table:
        value = table.take(role)
        if not isinstance(value, dict):
            found.names[role] = _names(table, role, value, '"reader-1", or ["plate-1", "plate-2"]')
        elif "any_of" in value:
            found.names[role] = _pool(table.table(role))
            found.pooled.append(role)
        else:
            found.names[role], found.plates[role] = _choice(table.table(role))
    return found


def _pool(table: Table) -> tuple[str, ...]:
    """``{ any_of = ["reader-1", "reader-2"] }``."""
    names = _names(table, "any_of", table.take("any_of"), '["reader-1", "reader-2"]')
    table.close()
    return names


def _names(table: Table, key: str, value: Toml, example: str) -> tuple[str, ...]:
    names = value if isinstance(value, list) else [value]
    if not names or not all(isinstance(name, str) and name for name in names):
        given = "an empty list" if value == [] else said(value)
        table.mistake(key, f"needs a name, or several: {example}, not {given}")
        return ()
    if len(set(names)) < len(names):
        table.mistake(key, "names the same thing twice; name each once")
    return tuple(names)


def _choice(table: Table) -> tuple[tuple[str, ...], PlateChoice]:
    """``{ kind = "cor_96_wellplate_360uL_Fb" }``, or ``{ plates = ["plate-1"], count = 8 }``."""
    by_kind = "kind" in table
    if by_kind == ("plates" in table):
        table.mistake(None, 'say one of the two: kind = "plate-96-flat", or plates = ["plate-1"]')
    if "at" in table and not by_kind:
        table.mistake("at", "goes with kind only; plates are named wherever they stand")
    count = table.whole("count", 1)
    if not 1 <= count <= MOST_WELLS:
        table.mistake("count", f"{count} wells; use 1 to {MOST_WELLS}")
    plates = table.take("plates")
    choice = PlateChoice(
        kind=_kind(table) if by_kind else "",
        at=table.text("at") if "at" in table else "",
        count=count if "count" in table else None,
    )
    table.close()
    return () if plates is None else _names(table, "plates", plates, '["plate-1"]'), choice


def _kind(table: Table) -> str:
    """The kind by the name that PyLabRobot gives it."""
    try:
        return labware_kind(table.text("kind")).name
    except UserMistake as mistake:
        table.mistake("kind", mistake.message)
        return ""

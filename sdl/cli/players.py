"""Who plays the roles of a person's own run: their words, as ``[roles]`` of a campaign has them."""

from __future__ import annotations

import tomllib
from collections.abc import Collection, Mapping, Sequence
from typing import cast

from sdl.errors import UserMistake
from sdl.model.labware import Labware
from sdl.model.protocol import ProtocolSignature, Role
from sdl.shell.offered import offered_by
from sdl.shell.preflight import load_drivers
from sdl.wire.toml import LabFile
from sdl.wire.toml_table import raise_all


def players(file: LabFile, signature: ProtocolSignature, said: Mapping[str, str]) -> dict[str, str]:
    """The value of each role in a campaign file.

    ``said``: a person's words by role; of one that is missing there, whatever can play it may.
    UserMistake where the words cannot be read, or where nothing in the lab can play a role.
    """
    offers = _offers(file)
    found = {}
    for role in signature.roles:
        words = said.get(role.name, "")
        if words.startswith(("{", "[")):
            found[role.name] = _as_written(role, words)
            continue
        names, count = _read(role, words, is_batch=bool(signature.samples))
        listed = names or _fitting(role, file.lab.labware, offers)
        if not listed:
            raise UserMistake(f"nothing in this lab can play the role {role.name!r}")
        plain = f"[{', '.join(map(toml_text, listed))}]"
        found[role.name] = f"{{ plates = {plain}, count = {count} }}" if count else plain
    return found


def with_wells(labware: Sequence[Labware]) -> list[Labware]:
    """The pieces whose wells a run may be given where nobody names any: plates, if there are."""
    pieces = [piece for piece in labware if piece.kind.wells]
    return [piece for piece in pieces if piece.kind.category == "plate"] or pieces


def toml_text(words: str) -> str:
    """Text as TOML has it, with its quotes."""
    escaped = words.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _offers(file: LabFile) -> Mapping[str, Collection[str]]:
    """What each instrument can do."""
    mistakes: list[UserMistake] = []
    drivers = load_drivers(file, mistakes)
    raise_all(mistakes)
    return {name: offered_by(cast("type", one.value)).keys() for name, one in drivers.items()}


def _fitting(
    role: Role, labware: Sequence[Labware], offers: Mapping[str, Collection[str]]
) -> list[str]:
    if role.is_labware:
        return [piece.name for piece in with_wells(labware)]
    return [name for name, actions in offers.items() if set(role.actions) <= set(actions)]


def _as_written(role: Role, words: str) -> str:
    """What a campaign file may have, on one line; a shell may have taken its quotes away."""
    line = " ".join(words.split())
    try:
        tomllib.loads(f"{role.name} = {line}")
    except tomllib.TOMLDecodeError as error:
        raise UserMistake(
            f"{role.name}: {words} is not what a campaign file may have ({error}); put all of it "
            f"into single quotes, and names into double ones: '{role.name}={_example(role)}'"
        ) from error
    return line


def _example(role: Role) -> str:
    if not role.is_labware:
        return '{any_of=["reader-1", "reader-2"]}'
    count = ", count=6" if role.is_list else ""
    return f'{{kind="plate-96-flat", at="hotel"{count}}}'


def _read(role: Role, words: str, *, is_batch: bool) -> tuple[list[str], int | None]:
    """Names, and how many wells: ``plate-1,plate-2``, ``plate-1:6``, or ``6`` of any plate."""
    names, colon, number = words.rpartition(":")
    if not colon and not (role.is_list and words.isdecimal()):
        names, number = words, ""
    listed = [name.strip() for name in names.split(",") if name.strip()]
    if any("/" in name for name in listed):
        raise UserMistake(f"{role.name}={words}: name the plate alone; {_TAKEN}")
    if not role.is_list:
        if number:
            raise UserMistake(f"{role.name}={words}: {_one(role)}; write {role.name}={names}")
        return listed, None
    if number and not (number.isdecimal() and int(number)):
        say = f"say how many: {role.name}={names}:6"
        raise UserMistake(f"{role.name}={words}: {number!r} is no number of wells; {_TAKEN}, {say}")
    if not (number or is_batch):
        of_these = f"{','.join(listed)}:6" if listed else "6, or a plate's: NAME:6"
        raise UserMistake(
            f"the protocol takes a list of wells; say how many: {role.name}={of_these}"
        )
    return listed, int(number) if number else None


_TAKEN = "wells are taken in turn from those that nobody has used"


def _one(role: Role) -> str:
    return "the protocol takes one well" if role.is_labware else "an instrument has no wells"

"""Where labware stands by the journal alone, and what must hold about it; tests call it.

A book of its own beside the engine's: two pieces on one site, or an action on a piece that stands
elsewhere, is found out although the engine believes otherwise.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from sdl.core import commands as do
from sdl.core.lab_state import LabState
from sdl.errors import Bug
from sdl.model.action import Lid
from sdl.model.data import JsonValue
from sdl.model.lab import Lab, place_of


@dataclass(slots=True)
class Whereabouts:
    """Of all labware that stands on sites."""

    sites: dict[str, str] = field(default_factory=dict)
    """By piece; empty where nobody knows, or it is off the bench."""
    lids: dict[str, str] = field(default_factory=dict)
    """By plate."""
    moving: dict[str, do.BeginCarry] = field(default_factory=dict)
    """By piece."""
    at_work: dict[str, do.Perform] = field(default_factory=dict)
    """Open commands about such pieces, by command."""

    def begin(self, lab: Lab) -> None:
        """As the lab's file says."""
        self.sites = {piece.name: piece.rests for piece in lab.labware if piece.rests}
        self.lids = {piece.on: piece.name for piece in lab.labware if piece.on}

    def note(self, command: do.Command) -> None:
        """Check one command. Bug names what is broken."""
        match command:
            case do.BeginCarry():
                self._begin(command)
            case do.EndCarry(labware=labware, site=site, carry=carry):
                begun = self.moving.pop(labware, None)
                hold((begun.carry if begun else "") == carry, f"{labware} ends no carry {carry}")
                self._stand(labware, site)
            case do.Perform():
                self._perform(command)
            case _:
                pass

    def check_lids(self, cid: str, plates: Iterable[str], need: Lid) -> None:
        """An action goes on with the lids of its plates as it needs them."""
        for plate in plates if need else ():
            lid = self.lids.get(plate)
            is_on = lid is not None and self.sites[lid] == plate
            hold(lid is None or is_on == (need == "on"), f"{cid} goes on, and {lid} is not {need}")

    def over(self, cid: str) -> None:
        """A command has ended, as far as anybody will ever know."""
        self.at_work.pop(cid, None)

    def check(self, lab: LabState) -> None:
        """The engine knows the same, and nothing is on its way without an end."""
        for name, piece in lab.pieces.items():
            carry = self.moving.get(name) or self.moving.get(self.lids.get(name, ""))
            goes = carry is not None
            hold(bool(piece.leaves) >= goes, f"{name} is carried and stands still")
            hold(goes or bool(piece.lost) or not piece.leaves, f"{name} is on no way")
            known = piece.leaves or piece.lost or self.sites[name] == piece.site
            hold(bool(known), f"{name} stands on {self.sites[name]}, not on {piece.site}")
        for plate, lid in lab.lids.items():
            rests = lid.leaves or lid.lost or self.sites[lid.name] == lid.site
            hold(bool(rests), f"{lid.name} lies on {self.sites[lid.name]}, not on {lid.site}")
            hold(self.lids[plate] == lid.name, f"{lid.name} is not the lid of {plate}")
        open_ones = {carry.carry for carry in self.moving.values()}
        hold(open_ones == set(lab.carries), f"{open_ones} are under way, not {set(lab.carries)}")

    def _begin(self, carry: do.BeginCarry) -> None:
        name = carry.labware
        hold(self.sites[name] == carry.source, f"{carry.carry} takes {name} from where it is not")
        hold(name not in self.moving, f"{carry.carry} takes {name}, which is on its way")
        plate = next((plate for plate, lid in self.lids.items() if lid == name), name)
        acting = [cid for cid, one in self.at_work.items() if plate in set(_named(dict(one.args)))]
        if name in self.lids:
            lid = self.lids[name]
            is_on = self.sites[lid] == name and lid not in self.moving
            hold(is_on, f"{carry.carry} carries {name} without its lid")
        hold(not acting, f"{carry.carry} takes {name}, on which {acting} acts")
        goes = [one.carry for one in self.moving.values() if one.target == carry.target]
        there = [each for each, site in self.sites.items() if site == carry.target]
        hold(not (goes or there), f"{carry.carry} goes to {carry.target}: {goes or there}")
        for place in self._places(carry) if carry.carrier else ():
            busy = [cid for cid, one in self.at_work.items() if one.instrument == place]
            hold(not busy, f"{carry.carry} approaches {place} while {busy} goes on")
        self.moving[name] = carry

    def _places(self, carry: do.BeginCarry) -> tuple[str, str]:
        """Between which a carry goes; a lid is taken off where its plate stands."""
        source, target = self._way(carry)
        return place_of(source), place_of(target)

    def _way(self, carry: do.BeginCarry) -> tuple[str, str]:
        """The sites of that."""
        known = self.lids.keys()
        source, target = (
            self.sites[end] if end in known else end for end in (carry.source, carry.target)
        )
        return source, target

    def _stand(self, labware: str, site: str) -> None:
        there = [each for each, taken in self.sites.items() if taken == site != ""]
        hold(there in ([], [labware]), f"{labware} comes to {site}, where {there} stands")
        self.sites[labware] = site

    def _perform(self, perform: do.Perform) -> None:
        if perform.cid.partition("/carry-")[1]:
            moved = perform.args["labware"]
            carry = self.moving.get(moved) if isinstance(moved, str) else None
            wanted = carry and self._way(carry)
            hold(wanted == (perform.args["source"], perform.args["target"]), f"{perform}: no carry")
            return
        named = [name for name in _named(dict(perform.args)) if name in self.sites]
        for name in named:
            place = place_of(self.sites[name])
            hold(name not in self.moving, f"{perform.cid} acts on {name}, which is on its way")
            lid = self.lids.get(name, "")
            hold(lid not in self.moving, f"{perform.cid} acts on {name}, whose lid is on its way")
            hold(place == perform.instrument, f"{perform.cid} acts on {name}, which is at {place}")
        approached = [
            one.carry
            for one in self.moving.values()
            if one.carrier and perform.instrument in self._places(one)
        ]
        hold(not approached, f"{perform.cid} starts while {approached} is at {perform.instrument}")
        if self.sites:
            self.at_work[perform.cid] = perform


def _named(value: JsonValue) -> Iterator[str]:
    """Names of labware in arguments as plain JSON: a well or a plate has a field of that name."""
    if isinstance(value, dict):
        labware = value.get("labware")
        if isinstance(labware, str):
            yield labware
        for each in value.values():
            yield from _named(each)
    elif isinstance(value, list):
        for each in value:
            yield from _named(each)


def hold(holds: bool, broken: str) -> None:  # noqa: FBT001 - reads as a sentence: hold(this, else)
    """Bug unless an invariant holds; ``broken`` says which."""
    if not holds:
        raise Bug(f"invariant broken: {broken}")

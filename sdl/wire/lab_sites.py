"""Where labware stands in ``lab.toml``: sites, what a transporter reaches, what stands where."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from sdl.errors import UserMistake
from sdl.model.lab import Instrument, Lab, Place, is_name, place_of
from sdl.model.labware import Labware, LabwareKind, Stored
from sdl.wire.contents_table import read_contents
from sdl.wire.labware_kinds import DEFAULT_KIND, labware_kind
from sdl.wire.toml_table import NAME_RULE, Table, did_you_mean, said

MOST_SITES = 1_000
"""Of one instrument or place."""
LEAST_REACHED = 2
"""Sites, between which something can be moved."""


def read_sites(table: Table) -> int:
    """``sites = 3`` of an instrument or a place; 0 where it is not written."""
    count = table.whole("sites", 0)
    if "sites" in table and not 1 <= count <= MOST_SITES:
        table.mistake("sites", f"{count} is out of range; use 1 to {MOST_SITES:,}")
        return 1
    return count


def read_stores(table: Table, sites: int) -> bool:
    """``stores = true`` of an instrument such as a hotel; false where it is not written."""
    stores = table.truth("stores", default=False)
    if stores and not sites:
        table.mistake("stores", "it has no sites to store anything on; add for instance sites = 20")
    return stores


def read_reaches(table: Table) -> tuple[str, ...]:
    """``reaches = ["hotel", "reader"]`` of a transporter; empty where it is not written."""
    value = table.take("reaches")
    if value is None:
        return ()
    if not isinstance(value, list) or not value or not all(isinstance(one, str) for one in value):
        table.mistake(
            "reaches",
            f'needs a list of places and instruments, ["hotel", "reader"], not {said(value)}',
        )
        return ()
    return tuple(dict.fromkeys(value))


def read_places(table: Table) -> list[Place]:
    """``[places.hotel]`` and so on."""
    found = []
    for name in table:
        if not is_name(name):
            table.mistake(name, f"is no name for a place: {NAME_RULE}")
        place = table.table(name)
        if "sites" not in place:
            place.mistake("sites", "is missing; write for instance: sites = 20")
        stores = place.truth("stores", default=True)
        found.append(Place(name=name, sites=read_sites(place) or 1, stores=stores))
        place.close()
    return found


def read_labware(
    table: Table, instruments: Iterable[Instrument], places: Iterable[Place]
) -> list[Labware]:
    """``[labware.plate-1]`` and so on, each on its site or where every instrument reaches it."""
    instruments, places = tuple(instruments), tuple(places)
    sites = Lab(name="", instruments=instruments, places=places).sites
    without = {one.name for one in instruments if not one.sites}
    taken: dict[str, str] = {}
    asked: list[tuple[Table, str, LabwareKind, str]] = []
    closing: list[tuple[Table, str, LabwareKind]] = []
    held: dict[str, tuple[Stored, ...]] = {}
    for name in table:
        if not is_name(name):
            table.mistake(name, f"is no name for labware: {NAME_RULE}")
        piece = table.table(name)
        kind = _kind(piece)
        if kind.category == "lid":
            closing.append((piece, name, kind))
        else:
            asked.append((piece, name, kind, piece.text("at") if "at" in piece else ""))
            held[name] = read_contents(piece, kind)
            piece.close()
    # Who names a site comes first, whatever the order in the file: the others take what is left.
    named = [one for one in asked if "/" in one[3]]
    others = [one for one in asked if "/" not in one[3]]
    stands = {name: _stand(piece, name, at, sites, without, taken) for piece, name, _, at in named}
    lids = [_lid(*one, sites, taken) for one in closing]
    for piece, name, _, at in others:
        stands[name] = _stand(piece, name, at, sites, without, taken)
    found = [
        Labware(name=name, kind=kind, at=stands[name], contents=held[name])
        for _, name, kind, _ in asked
    ]
    _check_lids(table, lids, found)
    return [*found, *lids]


def _lid(
    piece: Table,
    name: str,
    kind: LabwareKind,
    sites: Mapping[str, tuple[str, ...]],
    taken: dict[str, str],
) -> Labware:
    """``on = "plate-1"``, ``parks = "lids/1"`` of a lid."""
    on = piece.text("on", example='"plate-1"')
    parks = piece.text("parks", example='"lids/1"')
    if "at" in piece:
        piece.take("at")
        piece.mistake("at", "a lid lies on its plate at first; write on and parks in its place")
    if parks:
        where = place_of(parks)
        if where not in sites:
            hint = did_you_mean(where, sites)
            piece.mistake("parks", f"{where!r} is no place of this lab; {hint}")
        elif parks not in sites[where]:
            hint = f"{where!r} has {_count(sites[where])}"
            piece.mistake("parks", f"there is no site {parks!r}: {hint}")
        elif parks in taken:
            piece.mistake("parks", f"{taken[parks]!r} is on {parks!r}; choose another site")
        taken.setdefault(parks, name)
    piece.close()
    return Labware(name=name, kind=kind, on=on, parks=parks)


def _check_lids(table: Table, lids: Iterable[Labware], others: Iterable[Labware]) -> None:
    """Each lid lies on a plate that stands on a site, and on no other lid's plate."""
    plates = {one.name: one for one in others if one.kind.category == "plate"}
    closed: dict[str, str] = {}
    for lid in lids:
        keys = (*table.keys, lid.name, "on")
        plate = plates.get(lid.on)
        if lid.on and plate is None:
            table.file.mistake(keys, f"{lid.on!r} is no plate; {did_you_mean(lid.on, plates)}")
        elif plate is not None and not plate.at:
            hint = f"give [labware.{plate.name}] a site, at = ..."
            table.file.mistake(keys, f"{lid.on!r} stands on no site, where nobody opens it; {hint}")
        elif lid.on in closed:
            table.file.mistake(keys, f"{closed[lid.on]!r} lies on {lid.on!r} already")
        closed[lid.on] = lid.name


def _kind(piece: Table) -> LabwareKind:
    try:
        return labware_kind(piece.text("kind", DEFAULT_KIND))
    except UserMistake as mistake:
        piece.mistake("kind", mistake.message)
        return labware_kind(DEFAULT_KIND)


def _stand(
    piece: Table,
    name: str,
    at: str,
    sites: Mapping[str, tuple[str, ...]],
    without: set[str],
    taken: dict[str, str],
) -> str:
    """The site on which a piece stands; empty, after noting a mistake, where there is none."""
    if not at:
        return ""
    where = place_of(at)
    if where in without:
        piece.mistake("at", f"{where!r} has no sites; add sites = 1 to [instruments.{where}]")
        return ""
    if where not in sites:
        piece.mistake("at", f"{where!r} is no place of this lab; {did_you_mean(where, sites)}")
        return ""
    if "/" not in at:
        site = next((one for one in sites[where] if one not in taken), "")
        if not site:
            piece.mistake("at", f"{where!r} is full: it has {_count(sites[where])}; add sites")
    else:
        site = at
        if site not in sites[where]:
            piece.mistake("at", f"there is no {site!r}: {where!r} has {_count(sites[where])}")
            return ""
        if site in taken:
            piece.mistake("at", f"{taken[site]!r} stands on {site!r} already; choose another site")
            return ""
    taken[site] = name
    return site


def _count(sites: tuple[str, ...]) -> str:
    return f"1 site, {sites[0]}" if len(sites) == 1 else f"sites {sites[0]} to {sites[-1]}"


def check_reaches(instruments: Table, lab: Lab) -> None:
    """Note what a transporter is said to reach and is not there, or leads nowhere."""
    sites = lab.sites
    without = {one.name for one in lab.instruments if not one.sites}
    for one in lab.instruments:
        for place in one.reaches:
            keys = (*instruments.keys, one.name, "reaches")
            if place in without:
                hint = f"add sites = 1 to [instruments.{place}]"
                instruments.file.mistake(keys, f"{place!r} has no sites to reach; {hint}")
            elif place not in sites:
                hint = did_you_mean(place, sites)
                instruments.file.mistake(keys, f"{place!r} is no place of this lab; {hint}")
        if one.reaches and sum(len(sites.get(place, ())) for place in one.reaches) < LEAST_REACHED:
            instruments.file.mistake(
                (*instruments.keys, one.name, "reaches"),
                "leads nowhere, it is one site alone; name another place",
            )

"""Brings labware to the instruments whose steps wait for it, and away from where it is in the way.

``wants`` says who wants what, ``deck`` what stands where, ``carrying`` which carry is safe; here
stands what a carry means for the lab, and what people say about it. An instrument that a carrier
approaches starts nothing.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain

from sdl.core import events as ev
from sdl.core.carrying import next_carry
from sdl.core.chains import Chains
from sdl.core.commands import BeginCarry, EndCarry, Wait
from sdl.core.commons import CARRY, Commons
from sdl.core.deck import Deck, InPlace
from sdl.core.errands import Errands
from sdl.core.floor import PERSON, Floor
from sdl.core.lab_state import CarryState, InstrumentState, PieceState
from sdl.core.lacking import Lacking
from sdl.core.let import Turns, is_let
from sdl.core.lids import LidCarry, Lids
from sdl.core.part import Part
from sdl.core.porter import PorterWork
from sdl.core.roster import Roster
from sdl.core.run import Run, Step
from sdl.core.standing import Carry
from sdl.core.wants import Wants
from sdl.errors import ActionRefused
from sdl.model.lab import Lab, place_of

WAY_S = 300.0
"""Lab seconds for which a step gives way to what has to be brought first."""
ANEW_S = 10.0
"""Lab seconds after which a carry that did not begin is looked at anew."""
MOVED = ("done", "happened")
STAYED = ("", "not_started", "did_not_happen")
SAID = ("happened", "did_not_happen")
"""What a person says of a transporter's command."""


def floor_of(lab: Lab) -> Floor:
    """Sites, stores and transporters of a lab; not the sites where lids lie."""
    parks = {piece.parks for piece in lab.labware if piece.on}
    left = {
        name: tuple(one for one in sites if one not in parks) for name, sites in lab.sites.items()
    }
    return Floor(
        sites={name: sites for name, sites in left.items() if sites},
        stores=(
            *(place.name for place in lab.places if place.stores and left[place.name]),
            *(one.name for one in lab.instruments if one.stores),
        ),
        carriers={one.name: frozenset(one.reaches) for one in lab.instruments if one.reaches},
    )


class Transport:
    """Where labware of one lab goes."""

    def __init__(self, commons: Commons, roster: Roster, porter: Part) -> None:
        self._commons = commons
        self._roster = roster
        assert isinstance(porter.work, PorterWork)
        self._work = porter.work
        self._work.on_end = self._ended
        self.floor = floor_of(porter.head.lab)
        self.chains = Chains(commons, roster, self.floor)
        self.lids = Lids(commons, self.floor, porter.head.lab)
        self.deck = Deck(commons, roster, self.floor, self.lids)
        self.errands = Errands(commons, roster)
        self._want = Wants(commons, roster, self.deck)
        self._people_carry = any(
            self.floor.carriers_between(source, target) == [PERSON]
            for source in self.floor.sites
            for target in self.floor.sites
            if source != target
        )

    # Begin.

    def begin(self) -> bool:
        """Begin one carry, or end a wait that is for nothing; whether anything was done."""
        withdrawn = self.errands.over()
        if withdrawn is not None:
            self._arrive(withdrawn, withdrawn.ends[0])
            return True
        arms = [self._commons.lab.instruments[name] for name in self.floor.carriers]
        may_carry = self._people_carry or any(map(self.deck.is_free, arms))
        lid = self.lids.next(self.deck.free_carriers(), self.deck.given_up)
        if lid is not None:
            self._begin_lid(lid)
            return True
        is_to_be_had = self.deck.is_all_to_be_had()
        if is_to_be_had and not may_carry:
            return False
        lacking, in_place = self.deck.waiting()
        if not is_to_be_had and self._give_up_waiting(lacking):
            return True
        carry = self._next(lacking, in_place) if may_carry else None
        if carry is None:
            return False
        closing = self.lids.closing(carry.piece, self.deck.free_carriers(), carry.step)
        if closing is not None:
            self._begin_lid(closing)
        else:
            self._begin(carry)
        return True

    def _give_up_waiting(self, lacking: Lacking) -> bool:
        """End the most urgent wait of those that are in vain; whether there was one."""
        steps = self._commons.steps
        vain = {**steps.too_many}
        for piece in steps.lost:
            vain |= {one[1].id: one for one in steps.lacking(piece)}
        found = [one for one in vain.values() if lacking.counts(*one)]
        if not found:
            return False
        run, step = min(found, key=lambda one: lacking.urgency(*one))
        part = self._roster.of(run.id)
        assert part is not None
        part.steps.lack(run, step, ActionRefused(self.deck.never(step)))
        return True

    def _next(self, lacking: Lacking, in_place: InPlace) -> Carry | None:
        """The carry to begin now; None if there is none."""
        standing = self.deck.standing()
        promises = self.chains.promises()
        calls = self.chains.calls(promises)
        urgent = self._want.urgent(lacking, in_place, standing, promises, calls)
        bound = lacking.bound
        carry = next_carry(standing, urgent, bound)
        if carry is not None:
            return carry
        awaited = self.chains.awaited(promises, calls)
        free = tuple(name for name in standing.free_carriers if name not in awaited)
        if free == (PERSON,) and not self._people_carry:
            return None
        wants = self._want.wants(lacking, in_place, standing)
        carry = next_carry(standing.with_carriers(free), chain(urgent, wants), bound)
        idle = [] if carry is not None else list(self._want.idle(standing))
        if not idle:
            return carry
        arms = tuple(name for name in free if name != PERSON)  # nobody is asked to clear up
        wants = self._want.wants(lacking, in_place, standing)
        return next_carry(standing.with_carriers(arms), chain(urgent, wants, idle), bound)

    def _begin(self, carry: Carry) -> None:
        lab = self._commons.lab
        lab.carried += 1
        state = CarryState(
            id=f"{self._commons.name}{CARRY}{lab.carried}",
            piece=carry.piece,
            source=carry.source,
            target=carry.target,
            carrier=carry.carrier,
            step=carry.step,
            since=self._commons.at,
        )
        self._send(state, (carry.source, carry.target))

    def _begin_lid(self, carry: LidCarry) -> None:
        """Move a lid; its plate is in nobody's reach meanwhile, and stays where it is."""
        lab = self._commons.lab
        lab.carried += 1
        state = CarryState(
            id=f"{self._commons.name}{CARRY}{lab.carried}",
            piece=carry.plate,
            source=carry.site,
            target=carry.site,
            carrier=carry.carrier,
            step=carry.step,
            since=self._commons.at,
            lid=carry.lid,
            parks=carry.parks,
            puts_on=carry.puts_on,
        )
        lid = lab.lids[carry.plate]
        lid.leaves, lid.site = state.ends
        way = (carry.site, carry.parks)
        self._send(state, way[::-1] if carry.puts_on else way)

    def _send(self, state: CarryState, way: tuple[str, str]) -> None:
        """Put a carry on record, and tell who does it. ``way``: the sites between which it goes."""
        lab = self._commons.lab
        lab.carries[state.id] = state
        piece = lab.pieces[state.piece]
        piece.site, piece.leaves = state.target, state.source
        self._commons.steps.move(piece)
        for instrument in self._ends(state):
            instrument.approached = state.id
        source, target = state.ends
        self._commons.out.append(
            BeginCarry(
                carry=state.id,
                labware=state.labware,
                source=source,
                target=target,
                carrier=state.carrier,
                step=state.step,
            )
        )
        if state.carrier != PERSON:
            run = self._work.carry(state.id, state.carrier, state.labware, way)
            deadline = self._deadline(state)
            for step in run.steps.values():
                self._commons.steps.hurry(step, deadline)

    def _deadline(self, carry: CarryState) -> float | None:
        """That of the step that waits for what is carried; what makes room for it has none."""
        part = self._roster.of(carry.step)
        found = part.work.seek(carry.step) if part and carry.step else None
        if found is None or found[1].state != "waits" or carry.piece not in found[1].labware:
            return None
        return found[1].deadline

    def gives_way(self, part: Part, run: Run, step: Step) -> bool:
        """Whether a step whose labware stands there lets another campaign's be brought instead.

        It does for a while only: what keeps the other away may last.
        """
        lab = self._commons.lab
        if not lab.is_shared or not step.labware or step.not_after is not None:
            return False
        rivals = self._rivals(part, run, step)
        if not any(self._may_come(other) for other in rivals):
            return False
        if step.prompted is None:
            step.prompted = self._commons.at + WAY_S
            self._commons.out.append(Wait(timer=f"{step.id}/prompt", until=step.prompted))
        return self._commons.at < step.prompted

    def _rivals(self, part: Part, run: Run, step: Step) -> Iterator[Step]:
        """Steps of other campaigns that want labware brought where a step is about to begin.

        Not those that the plan keeps out, for which nothing would be brought, or puts behind it.
        """
        lab, turns = self._commons.lab, Turns(self._commons.lab)
        instrument, keeps_out = lab.instruments[step.instrument], self.deck.keeping_out()
        agenda = self._commons.agenda
        mine = turns.urgency(part, run, step)[:3]
        for (place, _, campaign), lacks in self._commons.steps.in_lanes():
            other = self._roster[campaign]
            if place != step.instrument or other is part:
                continue
            for *_, rival, wanting in lacks:
                if turns.urgency(other, rival, wanting)[:3] >= mine:
                    break  # nor is any behind it
                away = not lab.are_at(wanting.labware, place)
                is_behind = agenda.is_before(step.id, wanting.id, self._commons.at)
                if is_behind or not (away and is_let(lab, other.state, wanting, instrument)):
                    continue
                if keeps_out is None or not keeps_out(rival, wanting):
                    yield wanting

    def _may_come(self, step: Step) -> bool:
        """Whether nothing keeps the labware of a step, and somebody could bring it."""
        lab = self._commons.lab
        for name in step.labware:
            piece = lab.pieces[name]
            able = self.floor.carriers_between(place_of(piece.site), step.instrument)
            ready = any(one != PERSON and lab.instruments[one].ready for one in able)
            kept = piece.lost or self.deck.is_in_hand(name)
            if kept or not (ready or piece.is_at(step.instrument)):
                return False
        return True

    # End.

    def _ended(self, name: str, wrong: str, *, again: bool) -> None:
        """The command of a carry is over. ``again``: the next one may go better."""
        state = self._commons.lab.carries[name]
        if state.end in MOVED:
            self._arrive(state, state.ends[1])
        elif state.end in STAYED:
            self.deck.given_up.add(state.piece)
            if again:  # nothing else may happen until then
                anew = f"{state.id}/anew"
                self._commons.out.append(Wait(timer=anew, until=self._commons.at + ANEW_S))
            self._arrive(state, state.ends[0], "" if again else f"it cannot be carried: {wrong}")
        else:
            self._arrive(state, "", f"nobody knows how far it was carried: {wrong}")

    def done(self, event: ev.CarryDone) -> None:
        """A person has carried something, or will not."""
        state = self._commons.lab.carries.get(event.carry)
        if state is None or state.carrier != PERSON:
            return
        said = f"{event.by} did not carry it{f': {event.note}' if event.note else ''}"
        if event.done:
            self._arrive(state, state.ends[1])
        elif state.withdrawn is not None:
            self._arrive(state, state.ends[0])
        else:
            self._arrive(state, state.ends[0], said)

    def place(self, event: ev.LabwarePlaced) -> None:
        """A person says where a piece stands; a person's carry of it is over by that."""
        if self.objection(event):
            return
        if self.lids.plate_of(event.labware):
            self._place_lid(event)
            return
        piece = self._commons.lab.pieces[event.labware]
        state = self._carry_of(event.labware)
        note = f": {event.note}" if event.note else ""
        off = "" if event.site else f"{event.by} took it off the bench{note}"
        piece.leaves = ""  # whatever became of a carry, it is there no more
        if state is not None:
            self._arrive(state, event.site, off)
            return
        self._settle(piece, event.site, off)
        self.set_down_by_hand(piece)
        end = EndCarry(carry="", labware=piece.name, site=event.site, lost=off)
        self._commons.out.append(end)

    def doubt(self, event: ev.LabwareDoubted) -> None:
        """A piece may stand where it was left, or where it should: nothing comes to either."""
        piece = self._commons.lab.pieces.get(event.labware)
        if piece is None or piece.lost or piece.leaves:
            return
        piece.lost = event.reason
        if event.site in self.floor.place_of and event.site != piece.site:
            piece.leaves = event.site
        self._commons.steps.move(piece)
        end = EndCarry(carry="", labware=piece.name, site="", lost=event.reason)
        self._commons.out.append(end)

    def objection(self, event: ev.CarryDone | ev.LabwarePlaced) -> str:
        """Why a person's word makes no sense now; empty if it does."""
        lab = self._commons.lab
        if isinstance(event, ev.CarryDone):
            state = lab.carries.get(event.carry)
            if state is None:
                return (
                    f"nobody is asked for {event.carry}, or not any more; see: sdl tasks. If you "
                    "have moved something: sdl place LABWARE SITE"
                )
            if state.carrier == PERSON:
                return ""
            return f"{state.carrier} carries {state.piece}; of that command: sdl resolve"
        if self.lids.plate_of(event.labware):
            return self._lid_objection(event)
        if event.labware not in lab.pieces:
            return f"{event.labware!r} stands on no site; there are: {', '.join(lab.pieces)}"
        if event.site and event.site not in self.floor.place_of:
            sites = self.floor.sites.get(place_of(event.site), ())
            known = f"sites of {place_of(event.site)} are" if sites else "places are"
            return (
                f"there is no site {event.site!r}; {known}: {', '.join(sites or self.floor.sites)}"
            )
        state = self._carry_of(event.labware)
        if state is not None and state.carrier != PERSON:
            return f"{state.carrier} is carrying {event.labware}; wait, or: sdl resolve"
        stale = self._is_stale(event, lab.pieces[event.labware])
        if stale:
            return stale
        taken = self.deck.standing().taken
        there = taken.get(event.site, event.labware) if event.site else event.labware
        mine = self.deck.piece_sites(lab.pieces[event.labware])
        if there != event.labware and event.site not in mine:
            return self._taken(there, event.site)
        return self._not_now(event.labware)

    def _lid_objection(self, event: ev.LabwarePlaced) -> str:
        lab = self._commons.lab
        plate = self.lids.plate_of(event.labware)
        ends = self.lids.sites_of(plate)
        if event.site and event.site not in ends:
            return f"{event.labware} lies on {' or on '.join(ends)}, not on {event.site!r}"
        state = self._carry_of(plate)
        if state is not None and state.carrier != PERSON:
            return f"{state.carrier} is carrying {state.labware}; wait, or: sdl resolve"
        return self._is_stale(event, lab.lids[plate]) or self._not_now(plate)

    def _taken(self, piece: str, site: str) -> str:
        """What is on a site, or may be: of what is not where it should be, nobody is sure."""
        if piece:
            return f"{piece} stands on {site}"
        astray = [self._commons.lab.pieces[name] for name in self._commons.steps.lost]
        one = next((one for one in astray if site in self.deck.piece_sites(one)), None)
        if one is None:
            return f"something stands on {site}"
        return (
            f"{one.name} may stand on {site}, nobody is sure ({one.lost}); look, and say first "
            f"where that is: sdl place {one.name} SITE"
        )

    @staticmethod
    def _is_stale(event: ev.LabwarePlaced, piece: PieceState) -> str:
        """That a piece is elsewhere by now than who speaks of it believes; empty if it is not."""
        if event.was is None or event.was == piece.shown:
            return ""
        there = piece.shown or "on no site that is known"
        return f"{event.labware} is {there} by now, not {event.was or 'lost'}; look again"

    def _place_lid(self, event: ev.LabwarePlaced) -> None:
        """A person says where a lid lies; a person's carry of it is over by that."""
        plate = self.lids.plate_of(event.labware)
        lid, state = self._commons.lab.lids[plate], self._carry_of(plate)
        off = "" if event.site else f"{event.by} took it off the bench"
        if state is not None and state.lid:
            self._arrive(state, event.site, off)
            return
        lid.leaves, lid.lost = "", off
        lid.site = event.site or lid.site
        self.set_down_by_hand(lid)
        place = place_of(self._commons.lab.pieces[plate].site)
        if place in self._commons.lab.instruments:
            self._commons.touched[place] = None
        end = EndCarry(carry="", labware=lid.name, site=event.site, lost=off)
        self._commons.out.append(end)

    def _not_now(self, labware: str) -> str:
        """Why a piece may not be taken elsewhere by hand."""
        for part in self._roster.values():
            for _, step in part.work.all():
                if labware in step.labware and step.is_open:
                    return f"{step.instrument} works on {labware} for {step.id}"
        return ""

    def _carry_of(self, labware: str) -> CarryState | None:
        carries = self._commons.lab.carries.values()
        return next((one for one in carries if one.piece == labware), None)

    def _arrive(self, state: CarryState, site: str, lost: str = "") -> None:
        lab = self._commons.lab
        del lab.carries[state.id]
        piece = lab.pieces[state.piece]
        if state.lid:
            self._settle(piece, state.target, "")  # its plate is where it was
            piece = lab.lids[state.piece]
            piece.lost = lost
            if site:
                piece.site, piece.leaves = site, ""
        else:
            self._settle(piece, site, lost)
        if (site or state.carrier == PERSON) and self._is_hearsay(state):
            self.set_down_by_hand(piece)
        elif site == state.ends[1]:  # where a simulated arm has put it itself
            piece.placed = 0
        for instrument in self._ends(state):
            instrument.approached = ""
            self._commons.touched[instrument.name] = None
        end = EndCarry(carry=state.id, labware=state.labware, site=site, lost=lost)
        self._commons.out.append(end)

    def _settle(self, piece: PieceState, site: str, lost: str) -> None:
        """It stands there. Lost on the way, it blocks both sites."""
        piece.lost = lost
        if site or not piece.leaves:
            piece.site, piece.leaves = site, ""  # else it blocks both ends of its way
        self._commons.steps.move(piece)
        place = place_of(site)
        if place in self._commons.lab.instruments:
            self._commons.touched[place] = None

    def _is_hearsay(self, state: CarryState) -> bool:
        """Whether no simulated arm has put the piece where it stands now."""
        if state.carrier == PERSON or state.end in SAID:
            return True
        return not self._commons.lab.instruments[state.carrier].simulated

    def set_down_by_hand(self, piece: PieceState) -> None:
        """Nobody but people has set it there: virtual benches have to hear of it."""
        self._commons.lab.placed += 1
        piece.placed = self._commons.lab.placed

    def _ends(self, state: CarryState) -> Iterator[InstrumentState]:
        """The instruments that a transporter approaches; a person looks where they reach."""
        instruments = self._commons.lab.instruments
        if state.carrier == PERSON:
            return
        for place in dict.fromkeys((place_of(state.source), place_of(state.target))):
            if place in instruments:
                yield instruments[place]

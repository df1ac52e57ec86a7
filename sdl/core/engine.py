"""Events in, commands out: the one place where the runtime decides.

``handle`` is a plain synchronous function of the events so far. It asks no clock, draws no number
and touches nothing outside; ``fold`` of a journal therefore gives the same engine, and compares
each command on the way with the one on record.

An engine has one lab and any number of campaigns, each a ``Part``. A journal that begins with
``CampaignStarted`` has that campaign alone, and ends with it. One that begins with ``LabOpened`` is
that of a lab's session: campaigns come and end while it goes on. An event concerns the campaign
that its id begins with, or that it names, or else the lab.

Within one call: take the event in, then *advance* until nothing more follows from it: begin runs,
give free instruments their next step, ask for suggestions, conclude.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeAlias

from sdl.core import events as ev
from sdl.core.absence import Absences
from sdl.core.accounts import Accounts
from sdl.core.amounts import Content
from sdl.core.arrivals import Arrivals
from sdl.core.beginning import Beginning
from sdl.core.campaign import CampaignState
from sdl.core.commands import CloseLab, Command, Perform
from sdl.core.commons import LOST, Commons
from sdl.core.describe import describe, describe_lab
from sdl.core.dispatching import Dispatching
from sdl.core.floor import Floor
from sdl.core.halting import Halting
from sdl.core.ids import campaign_of, run_of
from sdl.core.lab_state import LabState
from sdl.core.objections import Objections
from sdl.core.part import Ended, Part
from sdl.core.plan import PlanArrived
from sdl.core.pools import Pools
from sdl.core.porter import porter_head
from sdl.core.predicting import Predictor
from sdl.core.prospect import Prospect
from sdl.core.roster import Roster
from sdl.core.script import Script
from sdl.core.snapshot import Restored, Snapshot, capture
from sdl.core.storeroom import Storeroom
from sdl.core.transport import Transport
from sdl.core.view import LabView, View
from sdl.errors import Bug
from sdl.model.planning import Ask

WORDS = (
    ev.CommandAccepted,
    ev.CommandStarted,
    ev.CommandDone,
    ev.CommandFailed,
    ev.CommandUnknown,
)
QUIET = (ev.CommandAccepted, ev.CommandStarted)
Scripts: TypeAlias = Script | Callable[[ev.CampaignStarted], Script]
"""The protocol of all campaigns, or who gives that of each."""


class Engine:
    """One lab, and the campaigns that are at work on it."""

    def __init__(self, scripts: Scripts) -> None:
        self.scripts = scripts
        self.at = 0.0
        self._out: list[Command] = []
        self._go_about(Commons(name="", lab=LabState({})))

    def handle(self, event: ev.Event) -> list[Command]:
        """Take one event in and return what is to be done about it, in order."""
        before = self.at
        self._out, self.at = [], event.at
        commons = self._commons
        commons.at, commons.out = event.at, self._out
        if isinstance(event, WORDS):  # the most of all events by far
            part = self.campaigns.of(event.cid)
            if part is not None and part.state.concluded is None and not self.is_over:
                run = part.state.runs.get(run_of(event.cid))
                part.steps.heard(event)
                if run is not None and isinstance(event, ev.CommandDone):
                    self._pools.heed(part, run)
                # Of a command on its way nothing follows, but that time has passed.
                if not isinstance(event, QUIET) or part.state.spec.stop.hours is not None:
                    self._advance()
        elif isinstance(event, ev.LabOpened):
            self._open(event.name, event, is_shared=True)
        elif isinstance(event, ev.CampaignStarted) and not self.is_begun:
            self._open(event.campaign.name, event, is_shared=False)
            self._begin(event)
        elif self._is_to_be_taken(event):
            self._accounts.before(event, before)
            self._take(event)
            self._advance()
            self._accounts.after(event)
        return self._out

    def _is_to_be_taken(self, event: ev.Event) -> bool:
        if isinstance(event, ev.OrchestratorStarted) and self._commons.is_shared:
            return True  # it opens a session again that was closed
        return not self.is_over

    @classmethod
    def restored(cls, scripts: Scripts, text: str) -> Engine:
        """The engine of a snapshot's text.

        Raises whatever is wrong with the text, or with how it fits the protocols; then the journal
        has to be folded from its beginning.
        """
        engine = cls(scripts)
        parts = Restored(engine.script, text)
        engine.at = parts.commons.at
        engine._go_about(parts.commons)
        engine.campaigns.update(parts.campaigns)
        if parts.porter is not None:
            engine._employ(parts.porter)
        engine.ended.update(parts.ended)
        return engine

    def script(self, head: ev.CampaignStarted) -> Script:
        """The protocol of a campaign."""
        return self.scripts if isinstance(self.scripts, Script) else self.scripts(head)

    def snapshot(self) -> Snapshot:
        """All that it knows, between two events."""
        return capture(self._commons, self.campaigns, self.ended)

    def state_sha256(self) -> str:
        """Equal for engines that know, and would do, the same: replay gives the same."""
        return self.snapshot().sha256()

    @property
    def is_begun(self) -> bool:
        """Whether the head of its journal was taken in."""
        return bool(self.name)

    @property
    def name(self) -> str:
        """Of its journal; empty before the head of it."""
        return self._commons.name

    @property
    def is_over(self) -> bool:
        """Whether nothing more will follow: its only campaign has ended, or the session has."""
        if self.is_shared:
            return self.lab.closed
        return self.is_begun and self.state.concluded is not None

    @property
    def is_shared(self) -> bool:
        """Whether it is a lab's session, into which campaigns come and from which they go."""
        return self._commons.is_shared

    @property
    def state(self) -> CampaignState:
        """Of the only campaign. Bug where there are several, or none."""
        if len(self.campaigns) != 1:
            raise Bug(f"{self.name} has {len(self.campaigns)} campaigns at work, and one was meant")
        return next(iter(self.campaigns.values())).state

    @property
    def commons(self) -> Commons:
        """The bench, its queues and its plan; only to be read."""
        return self._commons

    @property
    def floor(self) -> Floor | None:
        """Its sites, and who carries between them; None where nothing is carried."""
        return None if self._transport is None else self._transport.floor

    @property
    def lab(self) -> LabState:
        """The bench as far as it is known."""
        return self._commons.lab

    def sent(self) -> list[Perform]:
        """Commands whose end nobody knows, as they were sent."""
        return [perform for part in self.campaigns.everyone() for perform in part.work.sent()]

    def objection(self, event: ev.Event) -> str:
        """Why a person's event makes no sense now, as a sentence for them; empty if it does."""
        return self._objections.to(event)

    def question(self, ask: str) -> Ask:
        """The open question of this id. Bug if it is not open."""
        part = self.campaigns.get(campaign_of(ask))
        if part is None:
            raise Bug(f"{ask} is not an open question")
        return part.asking.question(ask)

    def view(self, campaign: str = "", predictors: Sequence[Predictor] = ()) -> View:
        """A campaign as a person wants to see it, the only one if none is named.

        ``predictors``: who says how long actions take. KeyError if it is not at work.
        """
        part = self.campaigns[campaign or self.state.spec.name]
        own = None if self.is_shared else self.campaigns.porter
        return describe(part, self.lab, self.at, self._prospect(predictors), own)

    def lab_view(self, predictors: Sequence[Predictor] = ()) -> LabView:
        """The lab and all its campaigns as a person wants to see them."""
        parts, ended = list(self.campaigns.values()), list(self.ended.values())
        prospect, porter = self._prospect(predictors), self.campaigns.porter
        return describe_lab(self._commons, parts, ended, prospect, porter)

    def _prospect(self, predictors: Sequence[Predictor]) -> Prospect:
        dispatching = self._dispatching
        return Prospect(
            self._commons, self.campaigns, dispatching.queue, dispatching.held_back, predictors
        )

    def contents(self) -> tuple[Content, ...]:
        """What is in each well and source; nothing where no stocks are declared."""
        return self.lab.inventory.described() if self.lab.inventory else ()

    # The beginning.

    def _open(self, name: str, head: ev.LabOpened | ev.CampaignStarted, *, is_shared: bool) -> None:
        if self.is_begun:
            raise Bug("a journal has only one beginning")
        state = LabState.of(head.lab)
        state.is_shared, state.runs_in_a_turn = is_shared, head.origin.runs_in_a_turn
        state.checks_draws = head.origin.checks_draws
        self._go_about(Commons(name=name, lab=state, at=self.at))
        self._commons.out = self._out
        self._accounts.open()
        self._storeroom.declare(attended=head.origin.clock != "virtual")
        if state.pieces:
            porter = porter_head(name, head.lab, head.origin, self.at)
            self._employ(Part.porter(porter, self._commons))

    def _go_about(self, commons: Commons) -> None:
        self._commons = commons
        self.campaigns = Roster()
        self._transport: Transport | None = None
        """None where no labware stands on a site."""
        self.ended: dict[str, Ended] = {}
        """Those that are over while the lab goes on."""
        self._accounts = Accounts(commons, self.campaigns)
        self._pools = Pools(commons, self.campaigns)
        self._dispatching = Dispatching(commons, self.campaigns, self._accounts, self._pools)
        self._beginning = Beginning(commons, self.campaigns, self._dispatching.admittance)
        self._halting = Halting(commons, self.campaigns)
        self._absences = Absences(commons, self.campaigns)
        self._arrivals = Arrivals(commons, self.campaigns, self._halting, self._absences)
        self._storeroom = Storeroom(commons)
        self._objections = Objections(
            commons, self.campaigns, self.ended, self._halting, self._storeroom
        )

    def _employ(self, porter: Part) -> None:
        self.campaigns.porter = porter
        self._transport = Transport(self._commons, self.campaigns, porter)
        self._objections.transport = self._transport
        self._dispatching.transport = self._pools.transport = self._transport

    def _begin(self, event: ev.CampaignStarted) -> None:
        part = Part.begun(event, self.script(event), self._commons)
        self.campaigns[part.name] = part
        if self.is_shared:
            part.state.usage_before = self.lab.usage(self.at)
        part.time_out()

    # What came in.

    def _take(self, event: ev.Event) -> None:
        match event:
            case ev.CampaignStarted():
                objection = self._objections.to_start(event.campaign.name)
                if objection:
                    raise Bug(f"{event.campaign.name} was started: {objection}")
                self._begin(event)
            case ev.OrchestratorStarted():
                self._take_over(event)
            case ev.InstrumentOnline():
                self._arrivals.take_up(event)
            case ev.InstrumentLost(instrument=name, reason=reason):
                if name in self.lab.instruments:
                    self._absences.begin(self.lab.instruments[name], reason)
            case ev.SuggestionsArrived(ask=ask) | ev.PlannerFailed(ask=ask):
                part = self.campaigns.get(campaign_of(ask))
                if part is not None and isinstance(event, ev.SuggestionsArrived):
                    part.asking.suggested(event)
                elif part is not None and isinstance(event, ev.PlannerFailed):
                    part.asking.failed(event)
            case (
                ev.CommandNotSeen()
                | ev.CommandConflict()
                | ev.InstrumentMadeSafe()
                | ev.CommandUnheard()
                | ev.TimerFired()
            ):
                self._heard(event)
            case PlanArrived():
                self._dispatching.admittance.follow(event)
                self._pools.heed_all()
            case _:
                name = self._objections.named(event)
                if not name or name in self.campaigns:
                    self._told(event, self.campaigns.get(name))

    def _told(self, event: ev.Event, part: Part | None) -> None:
        """A person's word. ``part``: the campaign that it names."""
        match event:
            case ev.StopRequested(by=by, reason=reason):
                for one in [part] if part else list(self.campaigns.values()):
                    one.state.close("stopped", f"{reason} ({by})")
            case ev.StepResolved(step=step):
                asked = self.campaigns.of(step)
                if asked is not None:
                    asked.questions.resolve(event)
            case ev.PauseRequested():
                self._halting.pause(event)
            case ev.ResumeRequested():
                self._halting.resume(event)
            case ev.AbortRequested():
                self._halting.abort(event)
            case ev.LabStopRequested():
                self._halting.stop_lab(event)
            case ev.StockRefilled():
                self._storeroom.refill(event)
            case ev.StockLeft() | ev.WellsLeft():
                self._storeroom.take_over(event)
            case ev.CarryDone() | ev.LabwarePlaced() | ev.LabwareDoubted():
                if self._transport is not None:
                    self._tell_transport(event)
            case ev.TermsChanged(terms=terms):
                if part:
                    part.state.terms = terms
            case ev.LabDownRequested(by=by, note=note):
                self.lab.closing = f"{note or 'asked to'} ({by})" if self.is_shared else ""
            case _:
                raise Bug(f"{type(event).__name__} is for nobody")

    def _tell_transport(self, event: ev.CarryDone | ev.LabwarePlaced | ev.LabwareDoubted) -> None:
        assert self._transport is not None
        match event:
            case ev.CarryDone():
                self._transport.done(event)
            case ev.LabwarePlaced():
                self._transport.place(event)
            case ev.LabwareDoubted():
                self._transport.doubt(event)

    def _heard(
        self,
        event: ev.CommandNotSeen
        | ev.CommandConflict
        | ev.InstrumentMadeSafe
        | ev.CommandUnheard
        | ev.TimerFired,
    ) -> None:
        """Word of a node, or of its silence."""
        match event:
            case ev.InstrumentMadeSafe():
                self._halting.made_safe(event)
                return
            case ev.TimerFired(timer=timer):
                if timer.startswith(f"{self.name}{LOST}"):
                    self._absences.fired(timer.rpartition("/")[2])
                    return
                name = timer
            case _:
                name = event.cid
        part = self.campaigns.of(name)
        if part is None:
            return  # of a campaign that has ended
        match event:
            case ev.CommandNotSeen():
                part.steps.not_seen(event)
            case ev.CommandConflict():
                part.steps.conflict(event)
            case ev.CommandUnheard(cid=cid):
                part.steps.unheard(cid)
            case ev.TimerFired(timer=timer):
                part.steps.fired(timer)

    def _take_over(self, event: ev.OrchestratorStarted) -> None:
        """Ask again for everything that only the process before us was waiting for."""
        self.lab.epoch = event.epoch
        self.lab.starts += 1
        self._commons.agenda.wake = 0.0  # its timer went with the process before us
        if self.lab.starts == 1:
            return
        self.lab.closing, self.lab.closed = "", False
        parts = list(self.campaigns.values())
        for part in parts:
            is_stopped = part.state.closing is not None and part.state.closing[0] == "stopped"
            if is_stopped and not self.is_shared:
                part.state.closing = None  # who resumes wants it to go on
        for instrument in self.lab.instruments.values():
            self._absences.begin(instrument, "not heard of since the restart")
        if event.bench_checked:
            self.lab.checked_epoch = event.epoch
            for instrument in self.lab.instruments.values():
                instrument.held = ""
                self._commons.release_if_safe(instrument)
            for part in self.campaigns.everyone():
                part.questions.discard_all("who resumed it")
        for part in parts:
            part.time_out()
            part.asking.ask_after_restart()
        for part in self.campaigns.everyone():
            part.steps.rewind_timers()
        if self._transport is not None:
            self._transport.errands.rewind_timers()

    # What follows from all that is known.

    def _advance(self) -> None:
        self._beginning.look_again()
        self._pools.changed.clear()
        if self._transport is not None:
            self._transport.deck.given_up.clear()
        while True:
            self._dispatching.dispatch()
            for part in self.campaigns.values():
                part.look_for_end()
            if self._beginning.begin_run() or self._pools.change() or self._carry():
                continue
            if self.lab.closing or not self._ask():
                break
        closes = bool(self.lab.closing)
        porter = self.campaigns.porter
        carries = bool(self.lab.carries) or (porter is not None and bool(porter.state.runs))
        for part in list(self.campaigns.values()):
            waits = carries and not self.is_shared  # its journal ends with it
            if part.state.closing and not part.state.runs and not waits:
                part.conclude()
                if self.is_shared:
                    self._fold_down(part)
        at_work = carries or any(part.state.runs for part in self.campaigns.values())
        if closes and not at_work:
            self.lab.closed = True
            usage = self.lab.usage(self.at)
            self._out.append(CloseLab(reason=self.lab.closing, usage=usage))

    def _carry(self) -> bool:
        """Begin one carry; whether there was one, or something that waits for it ended."""
        if self._transport is None:
            return False
        if self._beginning.has_more:
            self._transport.deck.standing()  # a few pieces now, and not all with the last run
            return False
        return self._transport.begin()

    def _ask(self) -> bool:
        """Ask for points; whether there are some at once."""
        at_once = [part.asking.ask() for part in self.campaigns.values()]
        return any(at_once)

    def _fold_down(self, part: Part) -> None:
        """Keep no more of a campaign that is over than what its lab needs to know."""
        self.ended[part.name] = part.folded()
        del self.campaigns[part.name]
        for instrument in self.lab.instruments.values():
            instrument.share = instrument.share.without(part.name)

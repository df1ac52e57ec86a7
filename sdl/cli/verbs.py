"""The table of verbs: name and one line of help, known without importing any of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class Verb:
    """One word that may follow ``sdl``."""

    name: str
    help: str
    """At most 64 characters: the list of verbs shows no more of it on 80 columns."""
    kind: Literal["command", "group"] = "command"

    @property
    def module(self) -> str:
        """Where it is; the module has ``app`` (a group) or a function named like the verb."""
        return f"sdl.cli.{self.name}"


VERBS = (
    Verb("init", "Make a simulated lab, a protocol and a campaign that work."),
    Verb("check", "Check a campaign, its lab and its protocol; start nothing."),
    Verb("run", "Run a campaign on instruments, or on their simulators."),
    Verb("simulate", "Run a campaign in virtual time, the same for the same seed."),
    Verb("lab", "Open a lab for several campaigns at once, or close it.", "group"),
    Verb("campaign", "Start and steer campaigns in a lab at work.", "group"),
    Verb("protocol", "Run a protocol by hand, with inputs that you choose.", "group"),
    Verb("status", "Show the campaigns of a lab's record and how they stand."),
    Verb("runs", "List the runs of a campaign, show one, or draw them all.", "group"),
    Verb("why", "Say what a step waits for, why a run failed, why a point."),
    Verb("analyse", "Let Ax look at a campaign: what matters, and how well it fits."),
    Verb("replay", "Ask the planner again, and compare with the record."),
    Verb("resolve", "Say what became of an action, or list those nobody knows of."),
    Verb("inventory", "Show what sources and wells hold, and what of it is free."),
    Verb("refill", "Say what was filled into a source of an instrument."),
    Verb("tasks", "List what a person is asked to carry or refill."),
    Verb("done", "Say that you have carried what you were asked to."),
    Verb("place", "Show where labware stands, or say where you put it."),
    Verb("pause", "Let nothing new start, on an instrument or at all."),
    Verb("resume", "Go on after a pause, a stop, or a look at the bench."),
    Verb("abort", "Break off a run, an instrument's work, or the campaign."),
    Verb("stop", "End the campaign in good order; --all: the whole lab, now."),
    Verb("doctor", "Look at this machine and a lab: what is amiss, what to do."),
    Verb("labware", "List the kinds of labware that a lab may name."),
    Verb("node", "Host a lab's instruments, or some of them, on this machine."),
    Verb("planner", "Host a planner for a lab on this machine."),
    Verb("wire", "Print the wire contract, for a node in another language."),
    Verb("db", "Rebuild, verify or upgrade the record.", "group"),
)

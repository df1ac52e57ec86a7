"""Error policies as people write them: ``[[policy]]`` in a campaign, ``policy=`` in a protocol."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import get_args

from sdl.model.policy import OF_WINDOWS, WITH_PROTOCOL, Remedy, Rule, Trouble
from sdl.model.protocol import Role
from sdl.wire.toml_table import Table, did_you_mean, said

TROUBLES: tuple[Trouble, ...] = get_args(Trouble)
REMEDIES: tuple[Remedy, ...] = get_args(Remedy)
AGAIN: tuple[Remedy, ...] = ("retry", "other", "recover")
"""Remedies after which the action is done again."""
COUNTED: tuple[Remedy, ...] = (*AGAIN, "requeue")
"""Remedies that may be followed several times."""
BRINGS: Mapping[Remedy, str] = {
    "recover": 'what mends the bench: protocol = "./mend.py:home"',
    "divert": 'what brings the sample to safety: protocol = "./park.py:park"',
}
CLOSING: tuple[Remedy, ...] = ("flag", "divert", "skip", "quarantine", "stop")
"""Remedies that can be followed for any missed window, so that no later rule is asked."""
MOST_TIMES = 100


def read_rules(top: Table) -> tuple[Rule, ...]:
    """The rules under ``[[policy]]``; mistakes are noted in the file."""
    return tuple(_rule(table) for table in top.tables("policy"))


def _rule(table: Table) -> Rule:
    then = table.text("then", example='"retry"')
    if "then" in table and then not in REMEDIES:
        table.mistake("then", f"{then!r} is no remedy; {did_you_mean(then, REMEDIES)}")
    on = _troubles(table)
    known = next((word for word in REMEDIES if word == then), None)
    plain = Rule(then=known or _harmless(on, with_protocol="protocol" in table))
    rule = Rule(
        then=plain.then,
        action=table.text("action", plain.action),
        on=on,
        times=table.whole("times", plain.times),
        wait_s=table.number("wait_s", plain.wait_s),
        protocol=table.text("protocol", plain.protocol) if "protocol" in table else "",
    )
    for key, fitting in (("times", COUNTED), ("wait_s", AGAIN)):
        if key in table and rule.then not in fitting and then in REMEDIES:
            table.mistake(key, f"goes with {', '.join(fitting)} only; remove it")
    table.close()
    return rule


def _harmless(on: tuple[Trouble, ...], *, with_protocol: bool) -> Remedy:
    """In place of a remedy that there is not: one for which nothing else is blamed."""
    if on == ("window",):
        return "divert" if with_protocol else "requeue"
    return "recover" if with_protocol else "retry"


def _troubles(table: Table) -> tuple[Trouble, ...]:
    written = table.take("on")
    if written is None:
        return ()
    words = written if isinstance(written, list) else [written]
    if not words:
        table.mistake("on", "lists nothing; leave it out for every trouble but unknown")
    found: list[Trouble] = []
    for word in words:
        known = next((trouble for trouble in TROUBLES if trouble == word), None)
        if known is None:
            hint = did_you_mean(str(word), TROUBLES)
            table.mistake("on", f"{said(word)} is no trouble; {hint}")
        else:
            found.append(known)
    return tuple(dict.fromkeys(found))


def faults_of(rule: Rule) -> Iterator[tuple[str, str]]:
    """What is wrong with a rule by itself: the key, and a sentence."""
    if rule.then not in REMEDIES:
        yield "then", f"{rule.then!r} is no remedy; {did_you_mean(rule.then, REMEDIES)}"
    for trouble in rule.on:
        if trouble not in TROUBLES:
            yield "on", f"{trouble!r} is no trouble; {did_you_mean(trouble, TROUBLES)}"
    if not 1 <= rule.times <= MOST_TIMES:
        yield "times", f"{rule.times} times; use 1 to {MOST_TIMES}"
    if not 0.0 <= rule.wait_s < float("inf"):
        yield "wait_s", f"{rule.wait_s:g} s; use 0 or more"
    if rule.then in WITH_PROTOCOL and not rule.protocol:
        yield "protocol", f"is missing; name {BRINGS[rule.then]}"
    if rule.then not in WITH_PROTOCOL and rule.protocol:
        yield "protocol", f"goes with {' and '.join(WITH_PROTOCOL)} only; remove it"
    if rule.on == ("window",) and rule.then in (*AGAIN, "ask"):
        fitting = ", ".join((*OF_WINDOWS, "skip", "quarantine", "stop"))
        yield "then", f"{rule.then!r} is of no use once a window is missed; use one of: {fitting}"
    if rule.on != ("window",) and rule.then in OF_WINDOWS:
        yield "on", f'{rule.then!r} is about missed windows alone; write: on = "window"'


def idle(rules: Sequence[Rule]) -> Iterator[tuple[int, str, str]]:
    """Rules about missed windows that never hold, behind one that always does.

    Place, key, and a sentence.
    """
    for place, rule in enumerate(rules):
        for number, other in enumerate(rules[:place], start=1):
            if rule.then in OF_WINDOWS and other.then in CLOSING and _covers(other, rule):
                told = f"{rule.then!r} never holds: policy[{number}] says {other.then!r} before it"
                yield place, "then", f"{told}; put this one first, or remove it"
                break


def _covers(wide: Rule, rule: Rule) -> bool:
    """Whether one rule speaks of every missed window of which the other does."""
    role, _, action = wide.action.rpartition(".")
    of_role, _, of_action = rule.action.rpartition(".")
    speaks_of_windows = "window" in wide.on or not wide.on
    return speaks_of_windows and role in ("", of_role) and action in ("*", of_action)


def unfit(
    rule: Rule, roles: Sequence[Role], players: Mapping[str, Sequence[str]]
) -> Iterator[tuple[str, str]]:
    """What does not fit the protocol's roles and who plays them: the key, and a sentence."""
    actions = {role.name: role.actions for role in roles if not role.is_labware}
    role, _, action = rule.action.rpartition(".")
    if role and role not in actions:
        hint = did_you_mean(role, actions)
        yield "action", f"no instrument plays a role {role!r}; {hint}"
        return
    spoken_of = {role: actions[role]} if role else actions
    known = {each for offered in spoken_of.values() for each in offered}
    if action != "*" and action not in known:
        yield "action", f"no role has an action {action!r}; {did_you_mean(action, known)}"
        return
    several = any(
        len(players.get(name, ())) > 1
        for name, offered in spoken_of.items()
        if action == "*" or action in offered
    )
    if rule.then == "other" and not several:
        names = ", ".join(spoken_of) if action == "*" else action
        yield "then", f"'other' needs a role that names several instruments; {names} has one"

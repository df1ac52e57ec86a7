"""``sdl stop``: ends the campaign in good order, or stops the whole lab now."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated

import typer

from sdl.cli.acts import act, told
from sdl.cli.console import say, tell, write_json
from sdl.cli.exits import Exit
from sdl.cli.reach import By, Json, Lab, Note, Spot, person, spot
from sdl.core.view import LabView
from sdl.errors import LabFault, SdlError, UserMistake
from sdl.service.caller import Caller
from sdl.service.card import Card
from sdl.shell.broker import URL_FILE

SERVICE_S = 2.0
"""Wall seconds that the orchestrator may take; then the word goes over the broker."""
LISTEN_S = 10.0
"""Wall seconds in which the instruments may say that they have made safe."""
LOOK_S = 0.2
CAUTION = (
    "This is software over a network, and no substitute for the emergency stop of the hardware: "
    "if anybody is in danger, press that."
)


def stop(
    everything: Annotated[
        bool, typer.Option("--all", help="The whole lab, now: every instrument is made safe.")
    ] = False,
    note: Note = "",
    by: By = None,
    lab: Lab = None,
    as_json: Json = False,
) -> None:
    """End the campaign in good order, as one Ctrl-C does; with --all, stop the whole lab now.

    Without --all, what is running is finished, and nothing new begins. With it, every instrument
    is told to make safe, and nothing starts until `sdl resume`. It goes through the orchestrator
    or, where that does not answer, straight to the broker; it is no substitute for the emergency
    stop of the hardware.
    """
    if everything:
        _stop_all(lab, by, note, as_json=as_json)
        return
    said = act("stop", None, lab, by, note)
    told("stop", "ends once its runs in flight have", said, as_json=as_json)


@dataclass(slots=True, kw_only=True)
class Heard:
    """What became of a stop of everything."""

    way: str
    """``orchestrator`` or ``broker``."""
    safe: list[str] = field(default_factory=list)
    unsafe: dict[str, str] = field(default_factory=dict)
    silent: list[str] = field(default_factory=list)


def _stop_all(lab: Path | None, by: str | None, note: str, *, as_json: bool) -> None:
    tell(CAUTION)
    who, at = person(by), spot(lab)
    card: Card | None
    try:
        card = at.card()
    except LabFault as fault:
        tell(str(fault))
        card = None
    heard = _through_orchestrator(card, who, note) or _through_broker(at, card, who, note)
    if as_json:
        write_json("sdl.stop-all/1", by=who, note=note, **_content(heard))
    else:
        _say(heard)
    if heard.unsafe or heard.silent:
        raise typer.Exit(Exit.FAULT)


def _through_orchestrator(card: Card | None, by: str, note: str) -> Heard | None:
    if card is None:
        return None
    speaker = Caller(card, SERVICE_S)
    try:
        speaker.act("stop-all", {"by": by, "note": note})
        return _watched(speaker)
    except SdlError as error:  # whatever it was, the broker may still take it
        tell(f"{error}\nTrying the broker ...")
        return None


def _watched(speaker: Caller) -> Heard:
    """Look until every instrument is stopped, or the time is over."""
    until = time.monotonic() + LISTEN_S
    while True:
        heard = _seen(speaker.lab())
        if not heard.silent or time.monotonic() > until:
            return heard
        time.sleep(LOOK_S)


def _seen(view: LabView) -> Heard:
    heard = Heard(way="orchestrator")
    for one in view.instruments:
        if one.safe:
            heard.safe.append(one.name)
        elif one.state == "held":
            heard.unsafe[one.name] = one.note
        elif one.state == "offline":
            heard.unsafe[one.name] = f"is offline ({one.note}); its node may stop it by itself"
        else:
            heard.silent.append(one.name)
    return heard


def _through_broker(at: Spot, card: Card | None, by: str, note: str) -> Heard:
    """Straight to the nodes. LabFault if no broker takes it, UserMistake if none is known."""
    from sdl.service.alarm import stop_everything

    name = at.name or ("" if card is None else card.lab)
    urls = dict.fromkeys(_brokers(at))
    if not name or not urls:
        raise UserMistake(
            "no orchestrator answers, and no broker of this lab is known here, so nothing was "
            "stopped by this command. Use the emergency stop of the hardware; else name the "
            "lab's file: sdl stop --all --lab lab.toml"
        )
    for url in urls:
        try:
            echo = asyncio.run(stop_everything(url, name, by=by, note=note, listen_s=LISTEN_S))
        except LabFault as fault:
            tell(str(fault))
            continue
        return Heard(
            way="broker",
            safe=sorted(echo.safe),
            unsafe=echo.unsafe,
            silent=sorted(echo.silent),
        )
    raise LabFault(
        "neither an orchestrator nor a broker took the stop, so this command stopped nothing. "
        "Nodes that have lost both finish what they do and then make safe by themselves; use the "
        "emergency stop of the hardware if that is too late"
    )


def _brokers(at: Spot) -> Iterator[str]:
    """Addresses at which the lab's broker may be, the likeliest first."""
    left = at.dot_sdl.glob(f"*/{URL_FILE}")
    for path in sorted(left, key=lambda each: -each.stat().st_mtime):
        yield path.read_text(encoding="utf-8").strip()
    if at.broker != "embedded":
        yield at.broker


def _content(heard: Heard) -> dict[str, object]:
    return {
        "way": heard.way,
        "safe": heard.safe,
        "unsafe": heard.unsafe,
        "silent": heard.silent,
    }


def _say(heard: Heard) -> None:
    for name in heard.safe:
        say(f"{name}: has made safe")
    for name, why in heard.unsafe.items():
        say(f"{name}: GO AND LOOK: {why or 'could not make safe'}")
    for name in heard.silent:
        say(f"{name}: GO AND LOOK: has not said that it made safe")
    if not heard.safe and not heard.unsafe and not heard.silent:
        say("the broker took the stop; no instrument is known there")
    tell(f"stopped through the {heard.way}; once all is well: sdl resume")

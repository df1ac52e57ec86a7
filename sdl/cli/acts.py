"""What the verbs that tell an orchestrator something have in common."""

from __future__ import annotations

from pathlib import Path

from pydantic import JsonValue

from sdl.cli.console import say, write_json
from sdl.cli.reach import caller, meant, person


def act(
    verb: str, what: str | None, lab: Path | None, by: str | None, note: str, **more: JsonValue
) -> dict[str, JsonValue]:
    """Tell the orchestrator that is meant; what was said, once it is on record.

    ``what``: empty for the whole campaign, None where a verb is about nothing else.
    """
    who, speaker = person(by), caller(lab)
    said: dict[str, JsonValue] = {"by": who, "note": note, **more}
    if what is not None:
        said["what"] = meant(what, speaker)
    taken = speaker.act(verb, said)
    return {**said, "campaign": taken["campaign"], "at": taken["at"]}


def told(verb: str, sentence: str, said: dict[str, JsonValue], *, as_json: bool) -> None:
    """Say that it was taken."""
    if as_json:
        write_json("sdl.taken/1", act=verb, **said)
    else:
        say(f"{said.get('what') or said['campaign']}: {sentence}")

"""``sdl db``: the record itself: rebuild its tables, verify its chain, upgrade its schema."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated

import typer

from sdl.cli.console import say, tell, write_json
from sdl.cli.exits import Exit
from sdl.cli.places import Where, chosen_campaign, folders, opened
from sdl.cli.words import count
from sdl.errors import UserMistake

if TYPE_CHECKING:
    from sdl.shell.record import Record

app = typer.Typer(no_args_is_help=True, rich_markup_mode=None)
Json = Annotated[bool, typer.Option("--json", help="One JSON document.")]


@app.command()
def rebuild(
    check: Annotated[bool, typer.Option("--check", help="Compare only, change nothing.")] = False,
    where: Where = None,
    as_json: Json = False,
) -> None:
    """Make the tables again from the journal; say what differed."""
    with opened(where) as record:
        differences = record.rebuild(check=check)
    if as_json:
        write_json("sdl.rebuild/1", checked_only=check, differences=differences)
    else:
        for difference in differences:
            say(difference)
        done = "compared" if check else "made again"
        tell(f"tables {done}: {count(len(differences), 'difference')}")
    if differences and check:
        raise typer.Exit(Exit.RECORD)


@app.command()
def verify(
    campaign: Annotated[
        str | None, typer.Argument(metavar="CAMPAIGN", help="Its name; else all of them.")
    ] = None,
    where: Where = None,
    as_json: Json = False,
) -> None:
    """Follow the journal's hash chain to the first broken link."""
    with opened(where) as record:
        names = [_journal(record, campaign)] if campaign else record.journals()
        heads = {name: record.head(name) for name in names}
        broken = record.verify(names[0] if campaign else None)
        wrong = [] if broken else [each for name in names for each in _wrong(record, name, where)]
    if as_json:
        found = {name: {"lines": seq, "head": digest} for name, (seq, digest) in heads.items()}
        write_json(
            "sdl.verify/1",
            ok=not (broken or wrong),
            broken=broken,
            campaigns=found,
            snapshots=wrong,
        )
    elif broken is None:
        for name, (seq, digest) in heads.items():
            say(f"{name}: {count(seq, 'line')}, head {digest}")
        for sentence in wrong:
            say(f"wrong: {sentence}")
        tell("every link holds")
    else:
        say(f"broken: {broken}")
        tell("compare it with a copy; from this line on the journal is not what was written")
    if broken is not None or wrong:
        raise typer.Exit(Exit.RECORD)


def _journal(record: Record, name: str) -> str:
    """The journal of a campaign, or of a session of that name."""
    if any(each.session == name for each in record.sessions()):
        return name
    return record.journal_of(chosen_campaign(record, name))


def _wrong(record: Record, journal: str, where: str | None) -> Iterator[str]:
    """A sentence for each snapshot that does not lead where its journal leads."""
    from sdl.cli.why import Replay
    from sdl.shell.opening import wrong_snapshot

    found = record.snapshots.of(journal)
    if not found:
        return
    try:
        with Replay(record, folders(where)).scripts(journal) as scripts:
            for kept in found:
                wrong = wrong_snapshot(scripts, record, kept)
                if wrong:
                    sentence = f"snapshot of line {kept.seq}: {wrong}"
                    yield f"{journal}: {sentence}; `sdl db rebuild` drops it"
    except UserMistake:
        tell(f"{journal}: its snapshots were not compared, for its protocol is not here")


@app.command()
def upgrade(where: Where = None, as_json: Json = False) -> None:
    """Bring an older record to the schema of this version.

    To open it, with any verb, does the same.
    """
    from sdl.shell.tables import SCHEMA

    with opened(where):
        pass
    if as_json:
        write_json("sdl.upgrade/1", schema_version=SCHEMA)
    else:
        say(f"the record is at schema {SCHEMA}")

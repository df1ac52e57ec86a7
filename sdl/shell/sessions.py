"""The first lines of a lab session's journal: a new session, or one that is taken up again."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from sdl.core import events as ev
from sdl.core.beginning import IN_A_TURN
from sdl.core.engine import Engine, Scripts
from sdl.errors import RecordFault, UserMistake
from sdl.model.lab import Lab
from sdl.model.provenance import Clock, Origin
from sdl.shell.opening import Before, Journals, Opening, bench_of, new_name, software, stand
from sdl.shell.record import Record
from sdl.shell.redact import without_secrets
from sdl.shell.snapshots import Kept
from sdl.wire.journal import Chain, load

NAME_CHARACTERS = 32
"""Of a lab's name that stand in the name of its session."""


def new_session(
    scripts: Scripts,
    lab: Lab,
    name: str,
    *,
    at: float,
    clock: Clock,
    speed: float,
    epoch: int = 1,
    before: Sequence[Before] = (),
) -> Opening:
    """A session that begins at lab time ``at``. ``name``: of its journal.

    ``before``: what the record says of the last time, and the lab's file does not.
    """
    origin = Origin(
        file_name=lab.name,
        clock=clock,
        speed=speed,
        software=software(),
        protocol_sha256="",
        runs_in_a_turn=IN_A_TURN,
        checks_draws=True,
    )
    opened = ev.LabOpened(at=at, name=name, lab=without_secrets(lab), origin=origin)
    first: tuple[ev.Event, ...] = (opened, ev.OrchestratorStarted(at=at, epoch=epoch), *before)
    return Opening(Engine(scripts), Chain(name), first)


def session_again(
    scripts: Scripts,
    record: Journals,
    lab: Lab,
    name: str,
    *,
    at: float,
    epoch: int,
    bench_checked: bool = False,
    kept: Sequence[Kept] = (),
) -> Opening:
    """A session that goes on after its process has ended, with every campaign in it.

    ``lab``: as its file reads now. UserMistake if its bench is another one, RecordMismatch if
    replay differs.
    """
    first = next(record.lines(name))
    head = load(first.type, first.body)
    if not isinstance(head, ev.LabOpened):
        raise RecordFault(f"the journal of {name!r} does not begin with the opening of a lab")
    if bench_of(head.lab) != bench_of(lab):
        found = "; ".join(differences(head.lab, lab)) or "its bench"
        raise UserMistake(
            f"the session {name!r} began with another lab file than there is now ({found}); put "
            "it back to go on, or begin another session with --new"
        )
    stands = stand(scripts, record, name, kept)
    engine = stands.engine
    started = ev.OrchestratorStarted(
        at=max(at, engine.at),
        epoch=epoch,
        software=tuple(sorted(software().items())),
        bench_checked=bench_checked,
    )
    last = next(record.lines(name, after=stands.seq - 1))
    chain = Chain(name, last, origin=first.hash)
    return Opening(engine, chain, (started,), tuple(engine.sent()), stands.restored)


def choose_session(record: Record, lab: Lab, *, resume: bool, anew: bool) -> tuple[str, bool]:
    """The session's name on record, and whether it goes on. UserMistake if that is unclear."""
    sessions = [each for each in record.sessions() if each.lab == lab.name]
    last = sessions[-1] if sessions else None
    if resume:
        if last is None:
            raise UserMistake(
                f"the record holds no session of lab {lab.name!r}; open it without --resume"
            )
        return last.session, True
    if not anew:
        _refuse_left_alone(record, lab.name)
    left = [] if last is None else unfinished_in(record, last.session)
    if last is not None and (left or last.status == "open") and not anew:
        what = f" ({', '.join(left)})" if left else ""
        raise UserMistake(
            f"the session {last.session!r} has not ended, or campaigns of it have not{what}: add "
            "--resume to go on with it, or --new to leave it and open another"
        )
    return new_name(record, f"{lab.name[:NAME_CHARACTERS]}-lab"), False


def refuse_left_open(record: Record, lab: str) -> None:
    """UserMistake where the last session of a lab has not ended: its commands may be under way."""
    last = next((each for each in reversed(record.sessions()) if each.lab == lab), None)
    if last is None:
        return
    left = unfinished_in(record, last.session)
    if left or last.status == "open":
        what = f" ({', '.join(left)})" if left else ""
        raise UserMistake(
            f"the session {last.session!r} of this lab has not ended, or campaigns of it have "
            f"not{what}: go on with it by `sdl lab up LAB --resume`, or leave it as it is with "
            "--new, once you have looked at the bench"
        )


def _refuse_left_alone(record: Record, lab: str) -> None:
    """UserMistake where a campaign that had the lab for itself last has not ended."""
    rows = [one.campaign for one in record.campaigns() if one.campaign.lab == lab]
    alone = [one for one in rows if one.journal == one.campaign and one.clock != "virtual"]
    last = max(alone, key=lambda one: one.started_at, default=None)
    opened = [one.opened_at for one in record.sessions() if one.lab == lab]
    if last is None or last.ending is not None or any(at > last.started_at for at in opened):
        return
    raise UserMistake(
        f"the campaign {last.campaign!r} of this lab has not ended: go on with it by `sdl run "
        "CAMPAIGN --resume`, or leave it as it is with --new, once you have looked at the bench"
    )


def is_closed(record: Record, session: str) -> bool:
    """Whether a session was ended in good order."""
    return any(each.session == session and each.status == "closed" for each in record.sessions())


def unfinished_in(record: Record, session: str) -> list[str]:
    """Campaigns of a session that have not ended."""
    return [
        each.campaign.campaign
        for each in record.campaigns()
        if each.campaign.journal == session and each.campaign.ending is None
    ]


def differences(then: Lab, now: Lab) -> Iterator[str]:
    """What differs between two readings of a lab, one sentence each."""
    former = {one.name: one for one in then.instruments}
    today = {one.name: one for one in now.instruments}
    for name in sorted(former.keys() - today.keys()):
        yield f"instrument {name!r} is missing"
    for name, one in today.items():
        if name not in former:
            yield f"instrument {name!r} is new"
        elif one != former[name]:
            parts = ("driver", "simulated", "options", "limits")
            was = {"driver": former[name].driver, "simulated": former[name].simulated}
            was |= {"options": former[name].options, "limits": former[name].limits}
            new: dict[str, object] = {"driver": one.driver, "simulated": one.simulated}
            new |= {"options": one.options, "limits": one.limits}
            changed = [part for part in parts if was[part] != new[part]]
            yield f"instrument {name!r} has another {' and '.join(changed) or 'entry'}"
    if then.labware != now.labware:
        yield "its labware is another one"
    for what, was_so, is_so in (
        ("name", then.name, now.name),
        ("speed", then.speed, now.speed),
        ("seed", then.seed, now.seed),
    ):
        if was_so != is_so:
            yield f"its {what} is {is_so}, not {was_so}"

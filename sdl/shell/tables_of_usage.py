"""The table of what instruments spent their time on."""

from __future__ import annotations

from dataclasses import dataclass

from sdl.shell.columns import Big, Key, metadata, table


@table("utilisation", metadata)
@dataclass(frozen=True, slots=True, kw_only=True)
class UtilisationRow:
    """What one instrument spent its time on until a campaign ended, or a session was closed.

    All in lab seconds, whosesoever the work was. A session that is opened again is closed again:
    its last row holds all.
    """

    campaign: Key[str]
    instrument: Key[str]
    seq: Key[Big]
    begin_at: float
    """When the campaign began, or the session was opened."""
    end_at: float
    busy_s: float
    idle_s: float
    """There was nothing to do for it."""
    waiting_s: float
    """There was, and something else that it took was not there."""
    paused_s: float
    stopped_s: float
    """It was made safe, or was held."""
    person_s: float
    """It waited for an answer."""
    mending_s: float
    """A recovery was under way for it."""
    offline_s: float
    """It was not heard of, or nobody led the lab."""
    last_seq: Big

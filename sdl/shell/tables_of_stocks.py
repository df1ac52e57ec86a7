"""The tables of sources, of what was in them, and of what was moved."""

from __future__ import annotations

from dataclasses import dataclass

from sdl.shell.columns import Big, Indexed, Key, Prose, metadata, table


@table("stock", metadata)
@dataclass(frozen=True, slots=True, kw_only=True)
class StockRow:
    """One declared source, as the ledger of one campaign, or session, has it last."""

    campaign: Key[str]
    source: Key[str]
    """``handler/buffer``."""
    volume_ul: float
    uncertainty_ul: float
    """Standard uncertainty of the volume."""
    reserved_ul: float
    doubt_ul: float
    """What may have been drawn by actions of which nobody knows how far they got."""
    free_ul: float
    lots: Prose
    """JSON: names of the lots in it."""
    changed_at: float
    seq: Big
    last_seq: Big


@table("lot", metadata)
@dataclass(frozen=True, slots=True, kw_only=True)
class LotRow:
    """What was in a source when the campaign, or session, began, or was filled in since."""

    campaign: Key[str]
    source: Key[str]
    seq: Key[Big]
    lot: str
    volume_ul: float
    expires: str
    """Last day, in UTC; empty if it keeps."""
    replaces: bool
    """Whether nothing of what was there before is left."""
    by: str
    """Empty at the beginning."""
    note: Prose
    at: float
    last_seq: Big


@table("movement", metadata)
@dataclass(frozen=True, slots=True, kw_only=True)
class MovementRow:
    """One component of one lot that an action has moved."""

    campaign: Key[str]
    seq: Key[Big]
    number: Key[int]
    """1, 2, 3 ... within the action."""
    run: Indexed[str]
    cid: str
    component: str
    lot: str
    source: str
    target: str
    """Empty: it was thrown away."""
    volume_ul: float
    uncertainty_ul: float
    at: float
    last_seq: Big


@table("refill", metadata)
@dataclass(frozen=True, slots=True, kw_only=True)
class RefillRow:
    """A task: a source that a person was asked to refill."""

    task: Key[str]
    campaign: Indexed[str]
    source: str
    missing_ul: float
    reason: Prose
    asked_at: float
    done_at: float | None
    seq: Big
    last_seq: Big

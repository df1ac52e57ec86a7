"""The part of a problem that placing needs, and its mirror image in time."""

from __future__ import annotations

from dataclasses import dataclass

from sdl.scheduling.calendar import NEVER
from sdl.scheduling.index import Edge, Indexed, Stay


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """Arrays by number of activity or resource, read only."""

    capacity: list[int]
    lengths: list[list[int]]
    """Seconds of each activity in each of its modes."""
    demands: list[list[tuple[tuple[int, int], ...]]]
    """Resource and amount, of each activity in each of its modes."""
    earliest: list[int]
    """No activity starts before."""
    latest_end: list[int]
    """No activity ends after."""
    stays: list[Stay]
    edges: list[Edge]
    """Bounds between activities that have to be kept."""
    wishes: list[Edge]
    """Those that are kept where they can be."""
    members: list[list[int]]
    """Activities by group."""
    pinned: list[bool]
    """Whether nothing about an activity is free."""


def layout_of(index: Indexed) -> Layout:
    """The problem as it stands."""
    fixed = index.fixed
    return Layout(
        capacity=index.capacity,
        lengths=[
            [one.end_s - one.start_s] * len(modes) if one is not None else modes
            for one, modes in zip(fixed, index.duration, strict=True)
        ],
        demands=index.demands,
        earliest=index.release,
        latest_end=[NEVER] * index.count,
        stays=index.stays,
        edges=index.hard,
        wishes=index.soft,
        members=index.members,
        pinned=[one is not None for one in fixed],
    )


def mirrored(layout: Layout, end_s: int) -> Layout:
    """The same seen backwards from ``end_s``: a start at t there is an end at ``end_s`` - t here.

    As early as possible there is as late as possible here.
    """
    return Layout(
        capacity=layout.capacity,
        lengths=layout.lengths,
        demands=layout.demands,
        earliest=[max(0, end_s - latest) if latest < NEVER else 0 for latest in layout.latest_end],
        latest_end=[end_s - earliest for earliest in layout.earliest],
        stays=[
            Stay(
                resource=stay.resource,
                amount=stay.amount,
                first=stay.last,
                last=stay.first,
                chooser=stay.chooser,
                mode=stay.mode,
            )
            for stay in layout.stays
        ],
        edges=[_turned(edge) for edge in layout.edges],
        wishes=[_turned(edge) for edge in layout.wishes],
        members=layout.members,
        pinned=layout.pinned,
    )


def _turned(edge: Edge) -> Edge:
    return Edge(
        source=edge.target,
        source_end=not edge.target_end,
        target=edge.source,
        target_end=not edge.source_end,
        least_s=edge.least_s,
        window=edge.window,
        rate=edge.rate,
    )

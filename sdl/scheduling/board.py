"""A partial plan to which groups of activities are added, each as early as it can be.

A group goes in by a least fixed point: every activity has a lower bound, and each thing that
forbids it raises the bound no further than it must. Lags (maximum ones too), busy resources and
places only ever raise bounds, so the first state that nothing forbids is the earliest there is.
Where the activities of one group compete with each other the later one yields, which is a rule
and not exact.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations, pairwise

from sdl.scheduling.calendar import NEVER, Calendar
from sdl.scheduling.index import Edge
from sdl.scheduling.layout import Layout

ROUNDS = 400
"""Times that all bounds of a group are looked at before it is given up: far more than a group
takes that goes in, so this ends the hopeless ones, whose windows cannot be met."""
_Use = tuple[int, int, int]
"""First and last activity of a use of some resource, and the amount."""


@dataclass(frozen=True, slots=True)
class _Rivals:
    """The uses of one resource by one group, some of which no lag keeps apart."""

    resource: int
    uses: tuple[_Use, ...]
    is_double: bool
    """Whether one and the same stretch is used twice over."""


@dataclass(frozen=True, slots=True)
class _Ties:
    """Some lags, by activity."""

    out: list[list[tuple[int, int, bool, bool]]]
    into: list[list[tuple[int, int, bool, bool]]]
    plain: list[list[tuple[int, int]]] | None
    """The same as bounds between starts, where no length is open: that is twice as fast."""

    @classmethod
    def of(cls, layout: Layout, edges: Sequence[Edge]) -> _Ties:
        """Those of some edges."""
        out: list[list[tuple[int, int, bool, bool]]] = [[] for _ in layout.lengths]
        into: list[list[tuple[int, int, bool, bool]]] = [[] for _ in layout.lengths]
        for edge in edges:
            link = (edge.least_s, edge.source_end, edge.target_end)
            out[edge.source].append((edge.target, *link))
            into[edge.target].append((edge.source, *link))
        if any(len(modes) > 1 for modes in layout.lengths):
            return cls(out, into, None)
        length = [modes[0] for modes in layout.lengths]
        plain = []
        for one, links in enumerate(out):
            bounds: dict[int, int] = {}
            for target, lag_s, from_end, to_end in links:
                least_s = lag_s + from_end * length[one] - to_end * length[target]
                bounds[target] = max(least_s, bounds.get(target, least_s))
            plain.append(list(bounds.items()))
        return cls(out, into, plain)


class Board:
    """Starts, modes and busy calendars. Numbers are those of the layout."""

    def __init__(self, layout: Layout, horizon_s: int) -> None:
        """``horizon_s``: nothing starts after it."""
        self.layout = layout
        self.horizon_s = horizon_s
        count = len(layout.lengths)
        self.start = [0] * count
        self.mode = [0] * count
        self.length = [modes[0] for modes in layout.lengths]
        self.is_placed = [False] * count
        self.calendars = [Calendar() for _ in layout.capacity]
        self._all_ties = self._graded()
        self._ties = self._all_ties[0]
        self._wishing = {end for edge in layout.wishes for end in (edge.source, edge.target)}
        self._stays_of: list[list[int]] = [[] for _ in range(count)]
        for at, stay in enumerate(layout.stays):
            for one in {stay.first, stay.last, stay.chooser} - {-1}:
                self._stays_of[one].append(at)
        self._on: list[tuple[int, int] | None] = [None] * len(layout.stays)
        self._stirred: set[int] = set()
        """Activities whose bound rose since their resources and places were looked at."""
        self._rivals: dict[tuple[int, ...], list[_Rivals]] = {}

    def _graded(self) -> list[_Ties]:
        """All lags, without the cheapest wishes, and so on; in the end those that must be.

        Of the dearest wishes those are given up first that hang on what cannot be moved.
        """
        layout, pinned = self.layout, self.layout.pinned
        wishes = layout.wishes
        rates = sorted({one.rate for one in wishes})
        graded = [[one for one in wishes if one.rate >= rate] for rate in rates]
        if graded:
            dearest = graded[-1]
            later = [one for one in dearest if not (pinned[one.source] or pinned[one.target])]
            graded += [later] if 0 < len(later) < len(dearest) else []
        return [_Ties.of(layout, [*layout.edges, *some]) for some in (*graded, [])]

    # What is there.

    def place(self, activity: int, start_s: int, mode: int) -> None:
        """Put one activity where it shall be; nobody asks whether it fits."""
        self.start[activity], self.mode[activity] = start_s, mode
        self.length[activity] = length = self.layout.lengths[activity][mode]
        self.is_placed[activity] = True
        for resource, amount in self.layout.demands[activity][mode]:
            self.calendars[resource].add(start_s, start_s + length, amount)
        self._refresh_stays(activity)

    def remove(self, activity: int) -> None:
        """Take one activity out."""
        start_s, length = self.start[activity], self.length[activity]
        for resource, amount in self.layout.demands[activity][self.mode[activity]]:
            self.calendars[resource].add(start_s, start_s + length, -amount)
        self.is_placed[activity] = False
        self._refresh_stays(activity)

    def _refresh_stays(self, activity: int) -> None:
        for at in self._stays_of[activity]:
            stay, old = self.layout.stays[at], self._on[at]
            new = self._stay_now(at)
            if old == new:
                continue
            calendar = self.calendars[stay.resource]
            if old is not None:
                calendar.add(*old, -stay.amount)
            if new is not None:
                calendar.add(*new, stay.amount)
            self._on[at] = new

    def _stay_now(self, at: int) -> tuple[int, int] | None:
        """From when to when a place is taken; a plate of unknown future stays for ever."""
        stay = self.layout.stays[at]
        chooser = stay.chooser
        if chooser >= 0 and not (self.is_placed[chooser] and self.mode[chooser] == stay.mode):
            return None
        if not self.is_placed[stay.first]:
            return None
        start_s = self.start[stay.first]
        if not self.is_placed[stay.last]:
            return (start_s, NEVER) if self.layout.pinned[stay.first] else None
        return start_s, self.start[stay.last] + self.length[stay.last]

    # Adding a group.

    def insert(self, group: Sequence[int], not_before: Mapping[int, int] | None = None) -> bool:
        """Place the activities of a group that are not placed, as early as the rest allows.

        Soft lags are kept like hard ones if that can be, first those that may still be moved.
        ``not_before``: earliest starts over and above those of the layout. False, and nothing
        changed, if no place was found before the horizon.
        """
        may_wish = not self._wishing.isdisjoint(group)
        for ties in self._all_ties if may_wish else self._all_ties[-1:]:
            self._ties = ties
            if self._insert(group, not_before):
                return True
        return False

    def _insert(self, group: Sequence[int], not_before: Mapping[int, int] | None) -> bool:
        free = [one for one in group if not self.is_placed[one]]
        bound = {one: self.layout.earliest[one] for one in free}
        for one, least_s in (not_before or {}).items():
            bound[one] = max(bound[one], least_s)
        limit = self._limits(free)
        for one in free:
            self.mode[one] = 0
            self.length[one] = self.layout.lengths[one][0]
        queue = list(free)
        self._end_stays(free)
        self._from_outside(bound)
        if not self._settle(free, bound, limit, queue):
            for one in free:
                self._refresh_stays(one)
            return False
        for one in free:
            self.place(one, bound[one], self.mode[one])
        return True

    def _end_stays(self, free: Sequence[int]) -> None:
        """Take out the stays without an end that are to get one: the group may come back there."""
        for one in free:
            for at in self._stays_of[one]:
                span = self._on[at]
                if span is not None:
                    stay = self.layout.stays[at]
                    self.calendars[stay.resource].add(*span, -stay.amount)
                    self._on[at] = None

    def _limits(self, free: Sequence[int], *, final: bool = False) -> dict[int, int]:
        """The latest start of each, from deadlines and from what is placed already.

        With the shortest lengths, or in the end with those that were chosen.
        """
        limit = {}
        for one in free:
            shortest = self.length[one] if final else min(self.layout.lengths[one])
            latest = min(self.horizon_s, self.layout.latest_end[one] - shortest)
            for target, least_s, from_end, to_end in self._ties.out[one]:
                if self.is_placed[target]:
                    at_s = self.start[target] + (self.length[target] if to_end else 0)
                    latest = min(latest, at_s - least_s - (shortest if from_end else 0))
            limit[one] = latest
        return limit

    def _from_outside(self, bound: dict[int, int]) -> None:
        """Raise bounds as far as what is placed already asks for."""
        for one, low in bound.items():
            least = low
            for source, least_s, from_end, to_end in self._ties.into[one]:
                if self.is_placed[source]:
                    at_s = self.start[source] + (self.length[source] if from_end else 0)
                    least = max(least, at_s + least_s - (self.length[one] if to_end else 0))
            bound[one] = least

    def _settle(
        self, free: Sequence[int], bound: dict[int, int], limit: dict[int, int], queue: list[int]
    ) -> bool:
        """Raise bounds until nothing forbids them. False if one passes its limit."""
        rivals = self._rivals_of(tuple(free))
        self._stirred = stirred = set(free)
        for _ in range(ROUNDS):
            if not self._spread(bound, limit, queue):
                return False
            for one in free:
                if one in stirred:
                    stirred.discard(one)
                    if not self._place_one(one, bound, limit, queue):
                        return False
            if not stirred:
                self._part(rivals, bound, queue)
                if not queue:
                    return self._within_limits(free, bound)
                stirred.update(queue)
        return False

    def _place_one(
        self, one: int, bound: dict[int, int], limit: dict[int, int], queue: list[int]
    ) -> bool:
        """Raise the bound of one activity as far as its resources and its places ask for."""
        at_s, mode = self._fit(one, bound[one])
        if at_s > bound[one] or mode != self.mode[one]:
            bound[one] = at_s
            queue.append(one)
            if mode != self.mode[one]:
                self._change_mode(one, mode, bound, queue)
            if not self._spread(bound, limit, queue):
                return False
        for at in self._stays_of[one]:
            if not self._clear(at, bound, queue):
                return False
            if queue:
                self._stirred.update(queue)
                if not self._spread(bound, limit, queue):
                    return False
        return True

    def _change_mode(self, one: int, mode: int, bound: dict[int, int], queue: list[int]) -> None:
        """Another length moves the bounds of all lags to and from the end."""
        self.mode[one] = mode
        self.length[one] = self.layout.lengths[one][mode]
        self._from_outside(bound)
        queue += bound
        self._stirred.update(bound)

    def _within_limits(self, free: Sequence[int], bound: dict[int, int]) -> bool:
        """Whether the limits hold with the lengths that were chosen, not the shortest ones."""
        if all(len(self.layout.lengths[one]) == 1 for one in free):
            return True
        return all(bound[one] <= latest for one, latest in self._limits(free, final=True).items())

    def _spread(self, bound: dict[int, int], limit: dict[int, int], queue: list[int]) -> bool:
        """Longest paths from what was raised, within the group."""
        length, out, stirred = self.length, self._ties.out, self._stirred
        if self._ties.plain is not None:
            return self._spread_plain(self._ties.plain, bound, limit, queue)
        while queue:
            one = queue.pop()
            start_s = bound[one]
            if start_s > limit[one]:
                return False
            end_s = start_s + length[one]
            for target, least_s, from_end, to_end in out[one]:
                if target in bound:
                    least = (end_s if from_end else start_s) + least_s
                    if to_end:
                        least -= length[target]
                    if least > bound[target]:
                        bound[target] = least
                        queue.append(target)
                        stirred.add(target)
        return True

    def _spread_plain(
        self,
        out: list[list[tuple[int, int]]],
        bound: dict[int, int],
        limit: dict[int, int],
        queue: list[int],
    ) -> bool:
        stirred = self._stirred
        while queue:
            one = queue.pop()
            start_s = bound[one]
            if start_s > limit[one]:
                return False
            for target, least_s in out[one]:
                if target in bound and start_s + least_s > bound[target]:
                    bound[target] = start_s + least_s
                    queue.append(target)
                    stirred.add(target)
        return True

    def _fit(self, one: int, low: int) -> tuple[int, int]:
        """The first time at which an activity finds its resources, and in which mode.

        The mode is the one that ends first, and stays as it is where another is no better.
        """
        modes, lengths = self.layout.demands[one], self.layout.lengths[one]
        now = self.mode[one]
        best = (self._fit_mode(modes[now], low, lengths[now]), now)
        if len(modes) > 1:
            end_s = best[0] + lengths[now]
            for mode, needs in enumerate(modes):
                start_s = self._fit_mode(needs, low, lengths[mode])
                if start_s + lengths[mode] < end_s:
                    best, end_s = (start_s, mode), start_s + lengths[mode]
        return best

    def _fit_mode(self, needs: Sequence[tuple[int, int]], start_s: int, length: int) -> int:
        if not length:
            return start_s
        while True:
            before_s = start_s
            for resource, amount in needs:
                room = self.layout.capacity[resource] - amount
                start_s = self.calendars[resource].free_from(start_s, length, room)
            if start_s == before_s or len(needs) == 1:
                return start_s

    def _clear(self, at: int, bound: dict[int, int], queue: list[int]) -> bool:
        """Raise the start of a stay behind whatever has its place. False if it cannot be."""
        stay = self.layout.stays[at]
        chooser, first, last = stay.chooser, stay.first, stay.last
        if chooser >= 0 and self.mode[chooser] != stay.mode:
            return True
        if not (first in bound or self.is_placed[first]):
            return True
        if not (last in bound or self.is_placed[last]):
            return True
        start_s = bound[first] if first in bound else self.start[first]
        end_s = (bound[last] if last in bound else self.start[last]) + self.length[last]
        room = self.layout.capacity[stay.resource] - stay.amount
        clear_s = self.calendars[stay.resource].clear_of(start_s, end_s, room)
        if clear_s > start_s:
            if first not in bound:
                return False
            bound[first] = clear_s
            queue.append(first)
        return True

    # Competition within a group.

    def _rivals_of(self, free: tuple[int, ...]) -> list[_Rivals]:
        if free not in self._rivals:
            self._rivals[free] = self._find_rivals(free)
        return self._rivals[free]

    def _find_rivals(self, free: tuple[int, ...]) -> list[_Rivals]:
        inside = set(free)
        uses: dict[int, dict[tuple[int, int], int]] = defaultdict(lambda: defaultdict(int))
        for one in free:
            for needs in self.layout.demands[one]:
                for resource, amount in needs:
                    uses[resource][one, one] = max(uses[resource][one, one], amount)
        doubled = set()
        for at in {at for one in free for at in self._stays_of[one]}:
            stay = self.layout.stays[at]
            is_pinned = self.layout.pinned[stay.first]
            if (stay.first in inside or is_pinned) and stay.last in inside:
                if (stay.first, stay.last) in uses[stay.resource]:
                    doubled.add(stay.resource)
                uses[stay.resource][stay.first, stay.last] += stay.amount
        apart = self._ordered_pairs(free)
        return [
            _Rivals(
                resource,
                tuple(sorted((*ends, amount) for ends, amount in each.items())),
                resource in doubled,
            )
            for resource, each in uses.items()
            if resource in doubled
            or any(
                (one[1], other[0]) not in apart and (other[1], one[0]) not in apart
                for one, other in combinations(each, 2)
            )
        ]

    def _ordered_pairs(self, free: tuple[int, ...]) -> set[tuple[int, int]]:
        """Pairs of which the first always ends before the second starts."""
        inside = set(free)
        after: dict[int, set[int]] = {}
        for one in free:
            seen: set[int] = set()
            stack = [one]
            while stack:
                for target, least_s, from_end, to_end in self._all_ties[-1].out[stack.pop()]:
                    plain = from_end and not to_end and least_s >= 0
                    if plain and target in inside and target not in seen:
                        seen.add(target)
                        stack.append(target)
            after[one] = seen
        return {(one, target) for one, seen in after.items() for target in seen}

    def _part(self, rivals: list[_Rivals], bound: dict[int, int], queue: list[int]) -> None:
        """Where some of the group want one thing at one time, let the latest of them wait."""
        for each in rivals:
            spans = sorted(
                (
                    bound.get(first, self.start[first]),
                    bound[last] + self.length[last],
                    first,
                    amount,
                )
                for first, last, amount in each.uses
                if self._uses(each.resource, first, last)
            )
            is_apart = all(one[1] <= other[0] for one, other in pairwise(spans))
            if is_apart and not each.is_double:
                continue
            twin, capacity = self.calendars[each.resource].copy(), self.layout.capacity
            for start_s, end_s, first, amount in spans:
                clear_s = start_s
                if end_s > start_s and first in bound:
                    clear_s = twin.clear_of(start_s, end_s, capacity[each.resource] - amount)
                if clear_s > start_s:
                    bound[first] = clear_s
                    queue.append(first)
                    return
                twin.add(start_s, end_s, amount)

    def _uses(self, resource: int, first: int, last: int) -> bool:
        """Whether a use counts in the modes chosen now; that of a stay always does."""
        if first != last or any(
            self.layout.stays[at].resource == resource for at in self._stays_of[first]
        ):
            return True
        needs = self.layout.demands[first][self.mode[first]]
        return any(one == resource for one, _ in needs)

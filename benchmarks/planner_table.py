"""The tables over all campaigns that are there, and the same as data."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import TypeAlias

from planner_campaign import MODES, Mode
from planner_figures import Figures, figures, geometric_mean
from planner_lines import Line
from planner_pairs import paired
from planner_sets import MAIN, MeasuredSet

BySet: TypeAlias = dict[str, Figures]


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One way of running campaigns, and what each planner reached in it on each set."""

    mode: Mode
    every_objective: bool
    planners: dict[str, BySet]

    @property
    def title(self) -> str:
        """The way in words."""
        told = "told of every objective" if self.every_objective else "told of the first objective"
        return f"{MODES[self.mode]}; planners are {told}"


def parts(lines: Sequence[Line], data: Sequence[MeasuredSet], budget: int) -> list[Part]:
    """The figures of all campaigns with that budget on those very data."""
    known = {(one.name, one.digest): one for one in data}
    groups: dict[tuple[Mode, bool], dict[str, dict[str, list[Line]]]] = {}
    for line in lines:
        if (line.set, line.data) in known and line.budget == budget:
            group = groups.setdefault((line.mode, line.every_objective), {})
            group.setdefault(line.planner, {}).setdefault(line.set, []).append(line)
    by_name = {one.name: one for one in data}
    return [
        Part(
            mode=mode,
            every_objective=every,
            planners={
                planner: {
                    name: figures(by_name[name], some[name], budget)
                    for name in by_name
                    if name in some
                }
                for planner, some in sorted(groups[mode, every].items())
            },
        )
        for every in (False, True)
        for mode in MODES
        if (mode, every) in groups
    ]


def as_data(found: Sequence[Part]) -> list[dict[str, object]]:
    """The parts for a JSON document; what cannot be said of too few campaigns is null."""
    return [
        {
            "mode": part.mode,
            "every_objective": part.every_objective,
            "planners": {
                planner: {
                    "sets": {name: _plain(asdict(one)) for name, one in by_set.items()},
                    "acceleration": geometric_mean(one.top.acceleration for one in by_set.values()),
                }
                for planner, by_set in part.planners.items()
            },
            "pairs": [
                {"planner": ours, "against": theirs, **_plain(asdict(both))}
                for ours in part.planners
                for theirs in part.planners
                if ours != theirs
                and (both := paired(part.planners[ours], part.planners[theirs])) is not None
            ],
        }
        for part in found
    ]


def _plain(value: dict[str, object]) -> dict[str, object]:
    return {
        name: _plain(one)
        if isinstance(one, dict)
        else (None if isinstance(one, float) and math.isnan(one) else one)
        for name, one in value.items()
    }


def tables(found: Sequence[Part], budget: int) -> str:
    """Everything as Markdown."""
    text: list[str] = []
    for part in found:
        text += ["", f"## {part.title[0].upper()}{part.title[1:]}", ""]
        if part.every_objective:
            text += _volumes(part)
        else:
            text += [*_overview(part, budget), "", *_pairs(part)]
            for planner, by_set in part.planners.items():
                text += ["", f"### {planner}", "", *_details(by_set, budget)]
    return "\n".join([*text[1:], *_modes(found)])


def _modes(found: Sequence[Part]) -> Iterator[str]:
    """What several at once cost in experiments, on the sets and seeds played both ways."""
    told = [part for part in found if not part.every_objective]
    alone = next((part for part in told if part.mode == "one"), None)
    rows = [
        (planner, part.mode, both)
        for part in told
        if alone is not None and part is not alone
        for planner, by_set in part.planners.items()
        if (both := paired(by_set, alone.planners.get(planner, {}))) is not None
    ]
    if rows:
        yield from ("", "## Several at once", "")
        yield "Experiments to the best 1 %, times those of the same planner one at a time."
        yield ""
        yield from _head("planner", "mode", "campaigns", "sets", "times", "worst set")
    for planner, mode, both in rows:
        worst = f"{both.worst} {1 / both.ratios[both.worst]:.2f}"
        yield _row(
            planner, MODES[mode], both.pairs, len(both.ratios), f"{1 / both.ratio:.2f}", worst
        )


def _row(*cells: object) -> str:
    return f"| {' | '.join(str(cell) for cell in cells)} |"


def _head(*cells: object) -> list[str]:
    return [_row(*cells), f"|{'---|' * len(cells)}"]


def _overview(part: Part, budget: int) -> Iterator[str]:
    """Mean experiments to the best 1 %, and AF in brackets."""
    yield f"Mean experiments to the best 1 % of points (a miss counts {budget + 1}); in brackets "
    yield f"AF{budget + 1}, exact random search over the planner."
    yield ""
    yield from _head("set", "points", "good", "random", *part.planners)
    names = dict.fromkeys(name for by_set in part.planners.values() for name in by_set)
    for name in names:
        one = next(by_set[name] for by_set in part.planners.values() if name in by_set)
        cells = [
            f"{by_set[name].top.mean:.1f} ({by_set[name].top.acceleration:.2f})"
            if name in by_set
            else ""
            for by_set in part.planners.values()
        ]
        yield _row(name, one.points, one.top.good, f"{one.top.random_mean:.1f}", *cells)
    groups = {
        "main sets": [name for name in names if name in MAIN],
        "further sets": [name for name in names if name not in MAIN],
        "all": list(names),
    }
    for title, some in groups.items():
        if some:
            yield _row(
                f"geometric mean, {title}",
                *("", "", ""),
                *(_mean_over(by_set, some) for by_set in part.planners.values()),
            )


def _mean_over(by_set: BySet, names: Sequence[str]) -> str:
    there = [by_set[name].top.acceleration for name in names if name in by_set]
    if not there:
        return ""
    of = "" if len(there) == len(names) else f", {len(there)} of {len(names)} sets"
    return f"({geometric_mean(there):.2f}{of})"


def _pairs(part: Part) -> Iterator[str]:
    """Each planner against each other one, on the sets and seeds that both have."""
    yield "Times fewer experiments to the best 1 % than another planner on the same sets and "
    yield "seeds; p: one-sided, pooled log-ratio of paired campaigns."
    yield ""
    yield from _head("planner", "against", "campaigns", "sets", "ratio", "p", "worst set")
    for ours, mine in part.planners.items():
        for theirs, other in part.planners.items():
            both = paired(mine, other) if ours != theirs else None
            if both is not None:
                worst = f"{both.worst} {both.ratios[both.worst]:.2f}"
                sets = len(both.ratios)
                p = "" if math.isnan(both.p) else f"{both.p:.4f}"
                yield _row(ours, theirs, both.pairs, sets, f"{both.ratio:.2f}", p, worst)


def _details(by_set: Mapping[str, Figures], budget: int) -> Iterator[str]:
    regrets = list(next(iter(by_set.values())).regret)
    yield from _head(
        *("set", "seeds", "to best 1 %", "found", f"AF{budget + 1}", "to best five", "found"),
        *("recall 5 %", f"regret after {'/'.join(map(str, regrets))}", "s each", "CPU s", "moved"),
    )
    for name, one in by_set.items():
        error = "" if math.isnan(one.top.error) else f" ± {one.top.error:.1f}"
        yield _row(
            name,
            one.seeds,
            f"{one.top.mean:.1f}{error}",
            f"{one.top.share:.0%}",
            f"{one.top.acceleration:.2f}",
            f"{one.five.mean:.1f}",
            f"{one.five.share:.0%}",
            f"{one.recall:.0%}",
            "/".join(f"{100 * value:.1f}" for value in one.regret.values()),
            f"{one.seconds:.2f}",
            f"{one.cpu_seconds:.2f}",
            f"{one.moved:.0%}",
        )


def _volumes(part: Part) -> Iterator[str]:
    """Hypervolume where there is more than one objective."""
    yield "Hypervolume at the end, as a share of what the whole pool spans: each objective from 0, "
    yield "the worst of the pool, to 1, its best. In brackets the number of seeds."
    yield ""
    yield from _head("set", *part.planners)
    for name in dict.fromkeys(name for by_set in part.planners.values() for name in by_set):
        yield _row(
            name,
            *(
                f"{by_set[name].hypervolume:.3f} ({by_set[name].seeds})" if name in by_set else ""
                for by_set in part.planners.values()
            ),
        )

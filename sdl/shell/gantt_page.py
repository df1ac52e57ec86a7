"""The drawing of a timetable on a page by itself: three sizes, and the same as a table.

No script, and nothing from anywhere else: the page works from a stick, and offline.
"""

from __future__ import annotations

from collections.abc import Iterator

from sdl.shell.gantt import moment, planned_of, svg
from sdl.shell.svg import words
from sdl.shell.timetable import Bar, Missed, Timetable

SIZES = {"whole": "100%", "plain": "auto", "double": "200%", "large": "500%"}
"""How wide the drawing is: as wide as the page, as wide as it was drawn, larger."""
STYLE = """
body { font-family: sans-serif; color: #333333; margin: 1.5rem; }
.chart { overflow-x: auto; border: 1px solid #c9ced6; margin: 0.5rem 0 1.5rem; }
.chart svg { display: block; height: auto; }
table { border-collapse: collapse; font-size: 0.85rem; }
th, td { text-align: left; padding: 0.15rem 0.8rem 0.15rem 0; border-bottom: 1px solid #eef0f3; }
td.number { text-align: right; }
tr.failed td, tr.unknown td, tr.missed td { color: #c0392b; }
"""
HEADINGS = (
    "begin",
    "end",
    "instrument",
    "step",
    "action",
    "took",
    "expected",
    "planned",
    "outcome",
)


def page(table: Timetable) -> str:
    """One HTML document, well-formed XML too."""
    return "\n".join(_lines(table)) + "\n"


def _lines(table: Timetable) -> Iterator[str]:
    title = words(f"{table.name}: what each instrument did")
    yield "<!DOCTYPE html>"
    yield '<html lang="en" xmlns="http://www.w3.org/1999/xhtml">'
    yield f'<head><meta charset="utf-8"/><title>{title}</title>'
    sizes = "\n".join(
        f"#{name}:checked ~ .chart svg {{ width: {width}; }}" for name, width in SIZES.items()
    )
    yield f"<style>{STYLE}{sizes}\n</style></head>"
    yield f"<body><h1>{title}</h1>"
    yield "<p>Point at a bar to read of it. Size:</p>"
    for name in SIZES:
        checked = ' checked="checked"' if name == "whole" else ""
        yield f'<input type="radio" name="size" id="{name}"{checked}/>'
        yield f'<label for="{name}">{name}</label>'
    yield f'<div class="chart">{svg(table)}</div>'
    yield "<table><thead><tr>"
    yield "".join(f"<th>{name}</th>" for name in HEADINGS)
    yield "</tr></thead><tbody>"
    rows = [(bar.begin, _row(bar, table)) for bar in table.bars]
    rows += [(one.at, _cells("missed", _missed(one, table))) for one in table.missed]
    yield from (row for _, row in sorted(rows))
    yield "</tbody></table></body></html>"


def _missed(one: Missed, table: Timetable) -> tuple[str, ...]:
    return moment(one.at, table), "", one.instrument, one.step, "", "", "", "", one.said


def _row(bar: Bar, table: Timetable) -> str:
    again = f" (attempt {bar.attempt})" if bar.attempt > 1 else ""
    cells = (
        moment(bar.begin, table),
        "" if bar.end is None else moment(bar.end, table),
        bar.instrument,
        f"{bar.step}{again}",
        bar.operation,
        "" if bar.end is None else f"{bar.end - bar.begin:.1f} s",
        "" if bar.expected_s is None else f"{bar.expected_s:.1f} s",
        planned_of(bar, table),
        f"{bar.outcome}: {bar.reason}" if bar.reason else bar.outcome,
    )
    return _cells(bar.outcome, cells)


def _cells(kind: str, cells: tuple[str, ...]) -> str:
    inside = "".join(f"<td>{words(cell)}</td>" for cell in cells)
    return f'<tr class="{kind}">{inside}</tr>'

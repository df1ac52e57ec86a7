"""A few shapes of SVG as text: well-formed whatever the words, the same bytes for the same values.

Lengths are pixels, rounded to a tenth.
"""

from __future__ import annotations

import re
from html import escape

FAINT = "#eef0f3"
NO_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""What has no place in an XML document, not even escaped."""


def words(said: str) -> str:
    """Any text as it may stand in a document or an attribute."""
    return escape(NO_XML.sub("\ufffd", said))


def text(
    x: float,
    y: float,
    said: str,
    *,
    anchor: str = "start",
    size: int = 13,
    colour: str = "",
    title: str = "",
) -> str:
    """Words at a place. ``title``: what is shown when somebody points at them."""
    fill = f' fill="{colour}"' if colour else ""
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" font-size="{size}" text-anchor="{anchor}"{fill}>'
        f"{_title(title)}{words(said)}</text>"
    )


def line(x1: float, y1: float, x2: float, y2: float, colour: str, *, dashed: bool = False) -> str:
    """A straight line."""
    dashes = ' stroke-dasharray="5 4"' if dashed else ""
    return (
        f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" stroke="{colour}"{dashes}/>'
    )


def box(
    x: float,
    y: float,
    width: float,
    height: float,
    fill: str,
    *,
    stroke: str = "",
    title: str = "",
) -> str:
    """A rectangle. ``title``: what is shown when somebody points at it."""
    edge = f' stroke="{stroke}"' if stroke else ""
    shape = (
        f'<rect x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" height="{height:.1f}" '
        f'fill="{fill}"{edge}'
    )
    return f"{shape}>{_title(title)}</rect>" if title else f"{shape}/>"


def _title(title: str) -> str:
    return f"<title>{words(title)}</title>" if title else ""

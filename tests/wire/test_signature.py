"""What a protocol's signature says, and what it must not be."""

from __future__ import annotations

from pathlib import Path
from typing import cast

import pytest

from sdl.errors import ProtocolMistake
from sdl.model.protocol import Input, Role
from sdl.shell.plugins import PROTOCOLS, load
from sdl.wire.signature import ProtocolFunction, read_signature

HEAD = """\
from dataclasses import dataclass
from typing import Literal
from sdl import Well, protocol
from sdl.capabilities import LiquidHandler, PlateReader

@dataclass(frozen=True)
class Reading:
    absorbance_au: float
    count: int

@dataclass(frozen=True)
class Words:
    said: str

"""


def written(tmp_path: Path, body: str) -> ProtocolFunction:
    """The function ``assay`` of a file that begins with HEAD; the body starts at line 15."""
    (tmp_path / "assay.py").write_text(HEAD + body)
    return cast("ProtocolFunction", load(PROTOCOLS, "./assay.py:assay", tmp_path).value)


GOOD = """\
@protocol
async def assay(
    handler: LiquidHandler,
    reader: PlateReader,
    well: Well,
    *,
    dye_fraction: float,
    cycles: int = 3,
    solvent: Literal["water", "oil"],
    settle_s: float = 30,
    note: str = "none",
) -> Reading: ...
"""


def test_the_signature_is_the_whole_schema(tmp_path: Path) -> None:
    signature = read_signature(written(tmp_path, GOOD))
    assert signature.name == "assay"
    assert signature.roles == (
        Role(
            name="handler",
            capability="LiquidHandler",
            actions=("dispense", "mix", "transfer"),
        ),
        Role(name="reader", capability="PlateReader", actions=("absorbance",)),
        Role(name="well", capability="Well"),
    )
    assert signature.inputs == (
        Input(name="dye_fraction", kind="float"),
        Input(name="cycles", kind="int", default=3),
        Input(name="solvent", kind="str", options=("water", "oil")),
        Input(name="settle_s", kind="float", default=30),
        Input(name="note", kind="str", default="none"),
    )
    assert signature.measures == ("absorbance_au", "count")
    assert len(signature.source_sha256) == 64


def test_string_annotations_are_read_too(tmp_path: Path) -> None:
    plain = read_signature(written(tmp_path, GOOD))
    path = tmp_path / "assay.py"
    path.write_text("from __future__ import annotations\n" + HEAD + GOOD)
    function = cast("ProtocolFunction", load(PROTOCOLS, "./assay.py:assay", tmp_path).value)
    postponed = read_signature(function)
    assert (plain.roles, plain.inputs) == (postponed.roles, postponed.inputs)
    assert plain.source_sha256 != postponed.source_sha256


CASES: list[tuple[str, str]] = [
    (
        "async def assay(handler, *, x: float) -> Reading: ...",
        "15: assay(handler): has no type; annotate it",
    ),
    (
        "async def assay(\n    well: Well,\n    *,\n    x,\n) -> Reading: ...",
        "18: assay(x): has no type; annotate it",
    ),
    (
        "async def assay(well: Well, thing: dict, *, x: float) -> Reading: ...",
        "15: assay(thing: dict): is no role; "
        "use Well, list[Well], or a capability with actions such as LiquidHandler",
    ),
    (
        "async def assay(well: Well, x: float) -> Reading: ...",
        "15: assay(x: float): an input stands after the '*'; "
        "before it stand roles (instruments and wells)",
    ),
    (
        "async def assay(*wells: Well) -> Reading: ...",
        "15: assay(*wells: sdl.model.labware.Well): roles and inputs must be named one by one",
    ),
    (
        "async def assay(well: Well, *, pump: LiquidHandler) -> Reading: ...",
        "15: assay(pump: sdl.capabilities.LiquidHandler): "
        "a role stands before the '*'; after it stand inputs",
    ),
    (
        "async def assay(well: Well, *, x: bool) -> Reading: ...",
        "15: assay(x: bool): is no input; use float, int, str, or a Literal of one of them",
    ),
    (
        'async def assay(well: Well, *, x: Literal[1, "a"]) -> Reading: ...',
        "15: assay(x: Literal[1, 'a']): is no input; "
        "use float, int, str, or a Literal of one of them",
    ),
    (
        'async def assay(well: Well, *, x: int = "a") -> Reading: ...',
        "15: assay(x: int = 'a'): the default 'a' does not fit its type",
    ),
    (
        "async def assay(well: Well, *, x: float = None) -> Reading: ...",
        "15: assay(x: float = None): None is no value; leave the default out",
    ),
    (
        "async def assay(*, x: float) -> Reading: ...",
        "15: assay has no role: nothing to command; name an instrument before the '*'",
    ),
    (
        "async def assay(well: Well): ...",
        "15: assay has no result type; "
        "annotate '->' with a dataclass whose fields are the measures",
    ),
    (
        "async def assay(well: Well) -> float: ...",
        "15: assay returns <class 'float'>; "
        "annotate '->' with a dataclass whose fields are the measures",
    ),
    (
        "async def assay(well: Well) -> Words: ...",
        "15: Words.said is <class 'str'>; a measure is a float or an int",
    ),
    (
        'async def assay(well: Well) -> "Nothing": ...',
        "15: assay: the type 'Nothing' is not known when the file runs; "
        "import it at the top, outside TYPE_CHECKING",
    ),
]


@pytest.mark.parametrize("body,expected", CASES)
def test_a_wrong_signature_is_refused_with_its_line(
    tmp_path: Path, body: str, expected: str
) -> None:
    function = written(tmp_path, body)
    with pytest.raises(ProtocolMistake) as caught:
        read_signature(function)
    assert str(caught.value).replace(f"{tmp_path / 'assay.py'}:", "") == expected


def test_a_plain_function_is_no_protocol(tmp_path: Path) -> None:
    function = written(tmp_path, "def assay(well: Well) -> Reading: ...")
    with pytest.raises(ProtocolMistake, match="is no protocol; write '@protocol async def"):
        read_signature(function)

"""What stands as code in the pages that people read is code, and is that of the file it names."""

from __future__ import annotations

import ast
import re
import textwrap
import tomllib
from dataclasses import dataclass
from pathlib import Path

import pytest

FENCED = re.compile(r"^```(\w*)(?: (\S+))?\n(.*?)^```$", re.DOTALL | re.MULTILINE)
LINK = re.compile(r"!?\[[^\]]*\]\(([^)#]+)(#[^)]*)?\)")
LEFT_OUT = "# ..."
PICTURE_BYTES = 200_000


@dataclass(frozen=True, slots=True)
class Block:
    """One block of code, and the file that it says it comes from; none if it is made up."""

    page: Path
    language: str
    file: str
    text: str

    def __str__(self) -> str:
        return f"{self.page}: {self.file or self.language}: {self.text[:30]!r}"


def blocks(page: Path, text: str) -> list[Block]:
    """Every fenced block of a page: a second word behind its fence names a file."""
    return [Block(page, *found) for found in FENCED.findall(text)]


def nonsense(block: Block) -> str:
    """Why a block is not what it says it is; empty if it is."""
    try:
        if block.language == "python":
            ast.parse(textwrap.dedent(block.text))
        elif block.language == "toml":
            tomllib.loads(block.text)
    except (SyntaxError, tomllib.TOMLDecodeError) as error:
        return str(error)
    return ""


def pieces(text: str) -> list[str]:
    """The parts of a block between its marks of omission."""
    parts, lines = [], list[str]()
    for line in [*text.splitlines(), LEFT_OUT]:
        if line.strip() == LEFT_OUT:
            parts.append("\n".join(lines).strip("\n"))
            lines = []
        else:
            lines.append(line)
    return [part for part in parts if part]


def strays(text: str, source: str) -> list[str]:
    """Parts of a block that do not stand in the file, one after the other."""
    found, place = [], 0
    for piece in pieces(text):
        here = f"\n{source}".find(f"\n{piece}\n", place)
        if here < 0:
            found.append(piece)
        else:
            place = here + len(piece)
    return found


@pytest.fixture(scope="module")
def pages(texts: dict[Path, str]) -> dict[Path, str]:
    """Every Markdown page by its path relative to the root."""
    return {path: text for path, text in texts.items() if path.suffix == ".md"}


def test_python_and_toml_on_the_pages_can_be_parsed(pages: dict[Path, str]) -> None:
    found = [block for page, text in pages.items() for block in blocks(page, text)]
    assert {block.language for block in found} >= {"python", "toml"}
    assert not [f"{block}: {why}" for block in found if (why := nonsense(block))]


def test_a_block_that_names_a_file_is_part_of_it(root: Path, pages: dict[Path, str]) -> None:
    named = [b for page, text in pages.items() for b in blocks(page, text) if b.file]
    assert named, "the README shows a protocol, a driver and a campaign"
    for block in named:
        source = (root / block.file).read_text(encoding="utf-8")
        assert not strays(block.text, source), str(block)


def test_links_between_pages_lead_somewhere(root: Path, pages: dict[Path, str]) -> None:
    targets = [(page, target) for page, text in pages.items() for target, _ in LINK.findall(text)]
    local = [(page, target) for page, target in targets if "://" not in target]
    assert local
    assert not [f"{page}: {t}" for page, t in local if not (root / page.parent / t).exists()]


def test_pictures_are_small(root: Path, files: list[Path]) -> None:
    pictures = {path: (root / path).stat().st_size for path in files if path.parts[0] == "docs"}
    assert not [f"{path}: {size}" for path, size in pictures.items() if size > PICTURE_BYTES]


@pytest.mark.parametrize(
    "text,strange",
    [
        ("a = 1\nb = 2\n", []),
        ("a = 1\n# ...\nc = 3\n", []),
        ("c = 3\n# ...\na = 1\n", ["a = 1"]),
        ("a = 1\nc = 3\n", ["a = 1\nc = 3"]),
        ("a =\n", ["a ="]),
    ],
)
def test_the_rule_on_blocks_sees_what_is_not_in_the_file(text: str, strange: list[str]) -> None:
    assert strays(text, "a = 1\nb = 2\nc = 3\n") == strange


@pytest.mark.parametrize(
    "language,text,parses",
    [
        ("python", "await x", True),
        ("python", "def f(:", False),
        ("toml", "[a]\nb = 1", True),
        ("toml", "[a]\nb = ", False),
        ("", "sdl run", True),
    ],
)
def test_the_rule_on_blocks_sees_what_cannot_be_parsed(
    language: str, text: str, *, parses: bool
) -> None:
    assert (nonsense(Block(Path("x.md"), language, "", text)) == "") is parses

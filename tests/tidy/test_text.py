"""No text leans on one machine; version, changelog and records keep their form."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

import sdl

START = r"(?<![\w.$}/-])"  # a path that begins here, not in the middle of another


def joined(*parts: str) -> str:
    """A pattern put together, so that this very file does not hold what it looks for."""
    return "/".join(parts)


LOCAL = {
    "a path of one machine": re.compile(START + joined("", "(?:work|root|home|Users)", "")),
    "a folder of one machine": re.compile(
        START + joined("", "(?:opt|mnt|srv)", r"(?!homebrew)[a-z]")
    ),
    "a folder beside the clone": re.compile(joined(r"\.\.", "shared")),
    "the host of a package index": re.compile(r"py" + r"pi\.org|python" + r"hosted\.org"),
}
SCRATCH = re.compile(START + joined("", "tmp", ""))
TORCH_HOST = re.compile(r"download\.py" + r"torch\.org")
TORCH_HOST_ALLOWED = {"bootstrap.py"}

VERSION_HEADING = re.compile(r"## (?:Unreleased|(\d+\.\d+\.\d+) \((\d{4}-\d{2}-\d{2})\))")
RECORD_NAME = re.compile(r"(\d{4})-[a-z0-9-]+\.md")
RECORD_HEADINGS = ["## Context", "## Decision", "## Consequences"]


def leans(name: str, text: str) -> list[str]:
    """Lines that hold true on one machine only."""
    rules = dict(LOCAL)
    if not name.startswith("tests/"):
        rules["a scratch folder"] = SCRATCH
    if name not in TORCH_HOST_ALLOWED:
        rules["a host that only bootstrap.py may name"] = TORCH_HOST
    return [
        f"{name}:{number}: {what}: {line.strip()[:80]}"
        for number, line in enumerate(text.splitlines(), start=1)
        for what, rule in rules.items()
        if rule.search(line)
    ]


def test_no_text_leans_on_one_machine(texts: dict[Path, str]) -> None:
    found = [line for name, text in texts.items() for line in leans(name.as_posix(), text)]
    assert not found, "\n".join(found)


@pytest.mark.parametrize(
    "name,parts,bad",
    [
        ("README.md", ("see ", "work", "main"), True),
        ("README.md", ("docs", "work", "main"), False),
        ("README.md", ("'", "tmp", "x"), True),
        ("tests/test_x.py", ("'", "tmp", "x"), False),
        ("README.md", ("..", "shared", "notes"), True),
        ("README.md", ("a https:", "", "py" + "pi.org", "simple"), True),
        ("README.md", ("a https:", "", "download.py" + "torch.org", "whl"), True),
        ("bootstrap.py", ("a https:", "", "download.py" + "torch.org", "whl"), False),
    ],
)
def test_the_rule_on_text_sees_one_machine(name: str, parts: tuple[str, ...], *, bad: bool) -> None:
    assert bool(leans(name, joined(*parts))) is bad


def changelog_faults(text: str, version: str) -> list[str]:
    """Where a changelog leaves its form: newest first, one line for each change a user can feel."""
    lines = text.splitlines()
    faults = [] if lines[:1] == ["# Changelog"] else ["the first line is not '# Changelog'"]
    versions: list[tuple[int, ...]] = []
    for line in lines[1:]:
        if line.startswith("## "):
            heading = VERSION_HEADING.fullmatch(line)
            if heading is None:
                faults.append(f"neither '## Unreleased' nor '## 1.2.3 (2026-01-31)': {line}")
            elif heading[1]:
                versions.append(tuple(map(int, heading[1].split("."))))
        elif line and not line.startswith("- "):
            faults.append(f"neither a heading nor '- one line': {line}")
    if versions != sorted(versions, reverse=True):
        faults.append("the newest version does not come first")
    if "## Unreleased" not in lines and tuple(map(int, version.split("."))) not in versions:
        faults.append(f"nothing about version {version}")
    return faults


def test_the_changelog_keeps_its_form(root: Path) -> None:
    text = (root / "CHANGELOG.md").read_text(encoding="utf-8")
    assert not changelog_faults(text, sdl.__version__)


@pytest.mark.parametrize(
    "text,fault",
    [
        ("# Changelog\n\n## 1.0.0 (2030-01-31)\n\n- A.\n", None),
        ("# Changelog\n\n## Unreleased\n\n- A.\n\n## 0.9.0 (2030-01-30)\n- B.\n", None),
        ("# History\n\n## 1.0.0 (2030-01-31)\n\n- A.\n", "first line"),
        ("# Changelog\n\n## v1\n\n- A.\n## Unreleased\n", "neither"),
        ("# Changelog\n\n## 1.0.0 (2030-01-31)\n\n- A,\n  and B.\n", "one line"),
        ("# Changelog\n\n## 0.9.0 (2030-01-30)\n## 1.0.0 (2030-01-31)\n", "newest"),
        ("# Changelog\n\n## 0.9.0 (2030-01-30)\n", "nothing about"),
    ],
)
def test_the_rule_on_the_changelog_sees_its_faults(text: str, fault: str | None) -> None:
    faults = changelog_faults(text, "1.0.0")
    assert (not faults) if fault is None else (fault in faults[0])


def test_the_version_stands_once(root: Path) -> None:
    project = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert project["version"] == sdl.__version__


def test_records_are_numbered_and_keep_their_form(root: Path) -> None:
    names = sorted(path.name for path in (root / "sdl" / "records").glob("*.md"))
    numbers = [int(match[1]) for name in names if (match := RECORD_NAME.fullmatch(name))]
    assert numbers == list(range(1, len(names) + 1)), names
    for name in names:
        lines = (root / "sdl" / "records" / name).read_text(encoding="utf-8").splitlines()
        assert lines[0].startswith("# "), name
        assert [line for line in lines if line.startswith("## ")] == RECORD_HEADINGS, name

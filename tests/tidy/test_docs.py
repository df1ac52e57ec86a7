"""Every event, command, error, verb, exit code and setting is explained to people."""

from __future__ import annotations

import importlib
import inspect
import re
from collections.abc import Iterator
from dataclasses import dataclass, fields, make_dataclass
from pathlib import Path
from typing import get_args

import pytest
import typer
from typer.core import TyperGroup
from typer.main import get_command

import sdl.errors
from sdl.cli.exits import Exit
from sdl.cli.verbs import VERBS, Verb
from sdl.core.commands import COMMANDS, Command
from sdl.core.events import EVENTS, Event
from sdl.errors import SdlError
from sdl.model import alert, campaign, costs, hypothesis, lab, labware, stock

CODE = re.compile(r"```.*?```|`[^`\n]+`", re.DOTALL)
VARIABLE = re.compile(r'"(SDL_[A-Z][A-Z_]*)"')

WRITTEN: dict[type, dict[str, str]] = {
    campaign.Campaign: {
        "roles": "[roles]",
        "space": "[search]",
        "objective": "[objective]",
        "fixed": "[fixed]",
        "constraints": "[[constraint]]",
        "stop": "[stop]",
        "planner": "[planner]",
        "hypothesis": "[hypothesis]",
        "plates": "",
        "pooled": "any_of",
        "batch": "[batch]",
        "further": "[[objective]]",
        "costs": "[cost]",
        "fidelity": "[fidelity]",
        "prior": "[prior]",
    },
    campaign.OutcomeConstraint: {},
    campaign.Condition: {"input": "only_if", "values": ""},
    campaign.Prior: {
        "source": "csv",
        "is_campaign": "[prior]",
        "sha256": "",
        "trials": "",
        "left_out": "",
        "is_hint": "hint",
    },
    costs.Costs: {},
    costs.Fidelity: {},
    campaign.RangeParameter: {
        "low": "from",
        "high": "to",
        "name": "",
        "kind": "",
        "log": "scale",
    },
    campaign.ChoiceParameter: {"options": "choices", "name": "", "kind": ""},
    campaign.LinearConstraint: {"weights": "sum", "is_mixture": "[[mixture]]"},
    campaign.Objective: {},
    campaign.StopRule: {},
    campaign.PlannerChoice: {"options": ""},
    campaign.PlateChoice: {},
    campaign.BatchRule: {},
    hypothesis.Hypothesis: {},
    hypothesis.Prediction: {"direction": "exceeds", "threshold": "below"},
    lab.Lab: {
        "instruments": "[instruments.",
        "labware": "[labware.",
        "places": "[places.",
        "stocks": "[stocks.",
    },
    lab.Instrument: {"name": "", "simulated": "simulator", "options": "", "limits": ".limits]"},
    lab.Place: {"name": ""},
    alert.Alert: {},
    lab.Limit: {"low": "from", "high": "to"},
    labware.Labware: {"name": ""},
    stock.Stocks: {"instrument": "", "sources": ""},
    stock.Source: {"is_counted": "pieces"},
}
"""How a field is spelled in a TOML file, where that differs; empty: it is not a key of its own."""


@pytest.fixture(scope="module")
def shown(root: Path) -> str:
    """All that stands as code in what people read."""
    pages = [root / "README.md", root / "sdl" / "ARCHITECTURE.md", *(root / "docs").glob("**/*.md")]
    return "\n".join(
        block for page in pages for block in CODE.findall(page.read_text(encoding="utf-8"))
    )


def explained(kind: type) -> bool:
    """Whether a class has a docstring that somebody wrote; a dataclass makes one up otherwise."""
    text = vars(kind).get("__doc__")
    return isinstance(text, str) and not text.startswith(f"{kind.__name__}(")


def stands_in(word: str, text: str) -> bool:
    """Whether a text has the word, and not merely as a part of another."""
    start = r"(?<![\w-])" if word[0].isalnum() else ""
    end = r"(?![\w-])" if word[-1].isalnum() else ""
    return re.search(start + re.escape(word) + end, text) is not None


def descendants(kind: type[SdlError]) -> Iterator[type[SdlError]]:
    """An error class of ours and all below it."""
    yield kind
    for child in kind.__subclasses__():
        yield from descendants(child)


def settings() -> dict[str, str]:
    """Every setting of the two files: how it is written, by where it is kept."""
    return {
        f"{kind.__name__}.{field.name}": word
        for kind, spelled in WRITTEN.items()
        for field in fields(kind)
        if (word := spelled.get(field.name, field.name))
    }


@pytest.mark.parametrize("kind", [*EVENTS, *COMMANDS], ids=lambda kind: kind.__name__)
def test_every_event_and_command_says_what_it_means(kind: type) -> None:
    assert explained(kind), f"{kind.__name__} has no docstring"


def test_the_tuples_hold_the_whole_unions() -> None:
    assert get_args(Event) == EVENTS
    assert get_args(Command) == COMMANDS


def test_every_error_says_whose_fault_it_is_and_stands_in_the_tree() -> None:
    ours = [kind for kind in descendants(SdlError) if kind.__module__.startswith("sdl")]
    assert [kind.__name__ for kind in ours if not explained(kind)] == []
    tree = sdl.errors.__doc__ or ""
    public = [kind.__name__ for kind in ours if not kind.__name__.startswith("_")]
    assert [name for name in public if not stands_in(name, tree)] == []


@pytest.mark.parametrize("kind", [*WRITTEN], ids=lambda kind: kind.__name__)
def test_every_group_of_settings_says_what_it_is_for(kind: type) -> None:
    assert explained(kind)
    assert set(WRITTEN[kind]) <= {field.name for field in fields(kind)}


def test_every_setting_is_shown_to_people(shown: str) -> None:
    missing = {where: word for where, word in settings().items() if not stands_in(word, shown)}
    assert not missing


def test_every_environment_variable_is_shown_to_people(shown: str, python: dict[Path, str]) -> None:
    ours = {name for text in python.values() for name in VARIABLE.findall(text)}
    assert {name for name in ours if not stands_in(name, shown)} == set()


def test_every_verb_is_shown_to_people(shown: str) -> None:
    assert [verb.name for verb in VERBS if not stands_in(f"sdl {verb.name}", shown)] == []


def test_every_exit_code_is_shown_to_people(shown: str) -> None:
    assert [code.value for code in Exit if f"`{code.value}`" not in shown] == []


@pytest.mark.parametrize("verb", VERBS, ids=lambda verb: verb.name)
def test_every_verb_explains_itself_and_its_options(verb: Verb) -> None:
    assert verb.help.endswith(".")
    assert silent(app_of(verb)) == []


def app_of(verb: Verb) -> typer.Typer:
    """The part of the command line that one verb is."""
    module = importlib.import_module(verb.module)
    app = typer.Typer()
    if verb.kind == "group":
        app.add_typer(module.app, name=verb.name, help=verb.help)
    else:
        app.callback()(lambda: None)
        app.command(verb.name)(vars(module)[verb.name])
    return app


def silent(app: typer.Typer) -> list[str]:
    """Words and options of a command line that carry no help."""
    found = []
    waiting = [("sdl", get_command(app))]
    while waiting:
        path, command = waiting.pop()
        if isinstance(command, TyperGroup):
            waiting += [(f"{path} {name}", below) for name, below in command.commands.items()]
        elif not command.help:
            found.append(path)
        options = [one for one in command.params if one.name not in {"help", *COMPLETION}]
        found += [f"{path} {one.name}" for one in options if not vars(one).get("help")]
    return found


COMPLETION = {"install_completion", "show_completion"}


def test_the_rule_on_verbs_sees_a_silent_one() -> None:
    app = typer.Typer()
    app.callback()(lambda: None)

    @app.command()
    def quiet(count: int = 1) -> None:
        assert count

    assert silent(app) == ["sdl quiet", "sdl quiet count"]


@dataclass
class Spoken:
    """Says something."""

    x: int


def test_the_rule_on_docstrings_sees_a_bare_dataclass() -> None:
    bare = make_dataclass("Bare", ["x"])
    assert inspect.getdoc(bare) is not None
    assert not explained(bare)
    assert explained(Spoken)


@pytest.mark.parametrize(
    "word,text,there",
    [
        ("runs", "`runs = 3`", True),
        ("runs", "`max_runs = 3`", False),
        ("run", "`sdl run-all`", False),
        ("[stop]", "```\n[stop]\nruns = 3\n```", True),
        ("[instruments.", "`[instruments.reader]`", True),
    ],
)
def test_the_rule_on_words_sees_whole_ones(word: str, text: str, *, there: bool) -> None:
    assert stands_in(word, text) is there


def test_every_room_stands_on_the_map(root: Path, python: dict[Path, str]) -> None:
    rooms = {path.parts[1] for path in python if path.parts[0] == "sdl" and len(path.parts) > 2}
    page = (root / "sdl" / "ARCHITECTURE.md").read_text(encoding="utf-8")
    assert {room for room in rooms if f"`{room}/`" not in page} == set()

"""Error policies: what people write, in a campaign and in a protocol, and what they are told."""

from __future__ import annotations

from pathlib import Path
from typing import cast

import pytest

from sdl.errors import ProtocolMistake, UserMistake
from sdl.model.campaign import Campaign, Objective, RangeParameter
from sdl.model.policy import Rule
from sdl.shell.plugins import PROTOCOLS, load
from sdl.shell.recoveries import load_recoveries
from sdl.wire.campaign_file import read_campaign
from sdl.wire.campaign_values import check_values
from sdl.wire.forbidden import forbidden
from sdl.wire.journal import adapter
from sdl.wire.policy import unfit
from sdl.wire.signature import ProtocolFunction, read_signature
from sdl.wire.toml_table import Places

HEAD = """\
campaign  = { name = "dye", lab = "lab.toml", protocol = "./dye.py:dye" }
roles     = { handler = ["handler", "spare"], reader = "reader", well = "plate-1" }
search    = { x = { from = 0, to = 1 } }
objective = { measure = "y_au", goal = "maximise" }

[[policy]]
"""


def read(tmp_path: Path, rule: str) -> tuple[Rule, ...]:
    path = tmp_path / "campaign.toml"
    path.write_text(HEAD + rule, encoding="utf-8")
    return read_campaign(path).policy


def test_rules_are_read_as_they_are_written(tmp_path: Path) -> None:
    rules = read(
        tmp_path,
        'then = "requeue"\naction = "reader.absorbance"\non = "window"\ntimes = 2\n'
        '[[policy]]\nthen = "divert"\non = "window"\nprotocol = "./park.py:park"\n[[policy]]\n'
        'then = "retry"\naction = "handler.dispense"\non = "driver"\ntimes = 3\n'
        'wait_s = "0.5 min"\n'
        '[[policy]]\nthen = "recover"\non = ["material", "lab"]\nprotocol = "./mend.py:home"\n'
        '[[policy]]\nthen = "ask"\n',
    )
    assert rules == (
        Rule(then="requeue", action="reader.absorbance", on=("window",), times=2),
        Rule(then="divert", on=("window",), protocol="./park.py:park"),
        Rule(then="retry", action="handler.dispense", on=("driver",), times=3, wait_s=30.0),
        Rule(then="recover", on=("material", "lab"), protocol="./mend.py:home"),
        Rule(then="ask"),
    )


def test_a_campaign_with_rules_survives_its_way_through_the_journal(tmp_path: Path) -> None:
    path = tmp_path / "campaign.toml"
    path.write_text(HEAD + 'then = "other"\non = ["driver", "unknown"]\n', encoding="utf-8")
    campaign = read_campaign(path)
    codec = adapter(Campaign)
    assert codec.validate_json(codec.dump_json(campaign)) == campaign


CASES = [
    ('action = "mix"', '6: policy[1].then: is missing; write for instance: then = "retry"'),
    ('then = "retyr"', "7: policy[1].then: 'retyr' is no remedy; did you mean 'retry'?"),
    (
        'then = "ask"\non = ["drivr"]',
        "8: policy[1].on: 'drivr' is no trouble; did you mean 'driver'?",
    ),
    (
        'then = "ask"\non = []',
        "8: policy[1].on: lists nothing; leave it out for every trouble but unknown",
    ),
    ('then = "ask"\nonn = "lab"', "8: policy[1].onn: unknown key; did you mean 'on'?"),
    ('then = "retry"\ntimes = 0', "8: policy[1].times: 0 times; use 1 to 100"),
    ('then = "retry"\nwait_s = -1', "8: policy[1].wait_s: -1 s; use 0 or more"),
    (
        'then = "retry"\nwait_s = "3 uL"',
        '8: policy[1].wait_s: "3 uL" does not fit: wait_s is in s, '
        "and uL cannot be converted to that",
    ),
    (
        'then = "skip"\ntimes = 2',
        "8: policy[1].times: goes with retry, other, recover, requeue only; remove it",
    ),
    (
        'then = "recover"',
        '6: policy[1].protocol: is missing; name what mends the bench: protocol = "./mend.py:home"',
    ),
    (
        'then = "ask"\nprotocol = "./mend.py:home"',
        "8: policy[1].protocol: goes with recover and divert only; remove it",
    ),
    (
        'then = "retry"\non = "window"',
        "7: policy[1].then: 'retry' is of no use once a window is missed; use one of: flag, "
        "divert, requeue, skip, quarantine, stop",
    ),
    (
        'then = "flag"',
        "6: policy[1].on: 'flag' is about missed windows alone; write: on = \"window\"",
    ),
    (
        'then = "requeue"\non = ["window", "driver"]',
        "8: policy[1].on: 'requeue' is about missed windows alone; write: on = \"window\"",
    ),
    (
        'then = "divert"\non = "window"',
        "6: policy[1].protocol: is missing; name what brings the sample to safety: "
        'protocol = "./park.py:park"',
    ),
    (
        'then = "flag"\non = "window"\nprotocol = "./park.py:park"',
        "9: policy[1].protocol: goes with recover and divert only; remove it",
    ),
    (
        'then = "divert"\non = "window"\nprotocol = "./park.py:park"\ntimes = 2',
        "10: policy[1].times: goes with retry, other, recover, requeue only; remove it",
    ),
    (
        'then = "requeue"\non = "window"\nwait_s = 3',
        "9: policy[1].wait_s: goes with retry, other, recover only; remove it",
    ),
    (
        'then = "flag"\non = "window"\n[[policy]]\nthen = "requeue"\non = "window"',
        "10: policy[2].then: 'requeue' never holds: policy[1] says 'flag' before it; put this one "
        "first, or remove it",
    ),
    (
        'then = "skip"\naction = "reader.*"\n'
        '[[policy]]\nthen = "flag"\naction = "reader.absorbance"\non = "window"',
        "10: policy[2].then: 'flag' never holds: policy[1] says 'skip' before it; put this one "
        "first, or remove it",
    ),
    (
        'then = "reqeue"\non = "window"\n[[policy]]\nthen = "flag"\non = "window"',
        "7: policy[1].then: 'reqeue' is no remedy; did you mean 'requeue'?",
    ),
]


@pytest.mark.parametrize("rule,expected", CASES)
def test_each_mistake_is_told_with_its_line(tmp_path: Path, rule: str, expected: str) -> None:
    with pytest.raises(UserMistake) as raised:
        read(tmp_path, f"{rule}\n")
    assert str(raised.value) == f"{tmp_path / 'campaign.toml'}:{expected}"


def test_a_share_of_failed_runs_is_a_share(tmp_path: Path) -> None:
    path = tmp_path / "campaign.toml"
    path.write_text(HEAD + 'then = "ask"\n[stop]\nfailed_share = "50 %"\n', encoding="utf-8")
    assert read_campaign(path).stop.failed_share == 0.5
    path.write_text(HEAD + 'then = "ask"\n[stop]\nfailed_share = 3\n', encoding="utf-8")
    with pytest.raises(UserMistake, match="3; use 0 to less than 1"):
        read_campaign(path)


PROTOCOL = """\
from dataclasses import dataclass
from sdl import Rule, Well, protocol, settle
from sdl.capabilities import LiquidHandler, PlateReader

@dataclass(frozen=True)
class Reading:
    y_au: float

@protocol{policy}
async def dye(handler: LiquidHandler, reader: PlateReader, well: Well, *, x: float) -> Reading:
    await handler.dispense(well, {{"dye": x}})
    return Reading(await reader.absorbance(well, 450.0))

"""


def written(tmp_path: Path, policy: str = "", more: str = "") -> ProtocolFunction:
    (tmp_path / "dye.py").write_text(PROTOCOL.format(policy=policy) + more, encoding="utf-8")
    return cast("ProtocolFunction", load(PROTOCOLS, "./dye.py:dye", tmp_path).value)


def test_a_protocol_brings_rules_of_its_own_and_needs_none(tmp_path: Path) -> None:
    assert read_signature(written(tmp_path)).policy == ()
    policy = '(policy=[Rule(then="retry", action="reader.absorbance", wait_s=30.0)])'
    function = written(tmp_path, policy)
    rule = Rule(then="retry", action="reader.absorbance", wait_s=30.0)
    assert read_signature(function).policy == (rule,)
    assert forbidden(function) == []


@pytest.mark.parametrize(
    "rules",
    [
        'then = "requeue"\non = "window"\n[[policy]]\nthen = "flag"\non = "window"',
        'then = "flag"\naction = "handler.*"\non = "window"\n'
        '[[policy]]\nthen = "requeue"\non = "window"',
        'then = "skip"\non = "driver"\n[[policy]]\nthen = "flag"\non = "window"',
        'then = "retry"\n[[policy]]\nthen = "flag"\non = "window"',
    ],
)
def test_a_rule_that_leaves_something_to_the_next_one_may_stand_before_it(
    tmp_path: Path, rules: str
) -> None:
    assert len(read(tmp_path, f"{rules}\n")) == 2


@pytest.mark.parametrize(
    "rule,expected",
    [
        (
            'Rule(then="retry", action="dispens")',
            "policy[1].action: no role has an action 'dispens'; did you mean 'dispense'?",
        ),
        ('"retry"', "policy[1] is 'retry'; write Rule(...)"),
        (
            'Rule(then="flag")',
            "policy[1].on: 'flag' is about missed windows alone; write: on = \"window\"",
        ),
        ('Rule(then="retyr")', "policy[1].then: 'retyr' is no remedy; did you mean 'retry'?"),
    ],
)
def test_a_wrong_rule_of_a_protocol_is_told_with_its_file(
    tmp_path: Path, rule: str, expected: str
) -> None:
    with pytest.raises(ProtocolMistake) as raised:
        read_signature(written(tmp_path, f"(policy=[{rule}])"))
    assert str(raised.value) == f"{tmp_path / 'dye.py'}:10: dye: {expected}"


@pytest.mark.parametrize(
    "rule,expected",
    [
        (Rule(then="ask", action="handler.*"), []),
        (Rule(then="other", action="dispense"), []),
        (
            Rule(then="ask", action="handlr.mix"),
            [("action", "no instrument plays a role 'handlr'; did you mean 'handler'?")],
        ),
        (
            Rule(then="ask", action="reader.mix"),
            [("action", "no role has an action 'mix'; known are: absorbance")],
        ),
        (
            Rule(then="other", action="absorbance"),
            [
                (
                    "then",
                    "'other' needs a role that names several instruments; absorbance has one",
                )
            ],
        ),
    ],
)
def test_a_rule_has_to_fit_the_roles_of_the_protocol(
    tmp_path: Path, rule: Rule, expected: list[tuple[str, str]]
) -> None:
    players = {"handler": ("handler", "spare"), "reader": ("reader",)}
    roles = read_signature(written(tmp_path)).roles
    assert list(unfit(rule, roles, players)) == expected


HOME = """\
@protocol
async def home(handler: LiquidHandler, well: Well) -> None:
    await handler.mix(well, 50.0, 1)
    await settle(3.0)
"""
RECOVER = (Rule(then="recover", protocol="./dye.py:home"),)


def test_a_recovery_has_some_of_the_roles_and_no_inputs(tmp_path: Path) -> None:
    function = written(tmp_path, more=HOME)
    found = load_recoveries(RECOVER, read_signature(function), tmp_path)
    assert list(found.by_name) == ["./dye.py:home"]
    assert found.mistakes == []


def test_what_brings_a_sample_to_safety_is_loaded_like_a_recovery(tmp_path: Path) -> None:
    function = written(tmp_path, more=HOME)
    divert = (Rule(then="divert", on=("window",), protocol="./dye.py:home"),)
    found = load_recoveries(divert, read_signature(function), tmp_path)
    assert list(found.by_name) == ["./dye.py:home"]
    assert found.mistakes == []


@pytest.mark.parametrize(
    "was,now,expected",
    [
        ("well: Well)", "well: Well, *, x: float)", "home is a recovery, and gets no inputs"),
        ("handler:", "pump:", "dye has no role 'pump' to mend with; known are: handler, reader"),
        (
            "handler: LiquidHandler",
            "handler: PlateReader",
            "handler is a PlateReader here and a LiquidHandler in dye",
        ),
        ("settle(3.0)", "settle(hash(open('x')))", "open touches files, processes"),
        ("home(", "house(", "there is no 'home' in it"),
    ],
)
def test_a_recovery_that_does_not_fit_is_told_and_left_out(
    tmp_path: Path, was: str, now: str, expected: str
) -> None:
    function = written(tmp_path, more=HOME.replace(was, now))
    found = load_recoveries(RECOVER, read_signature(function), tmp_path)
    ((place, mistake),) = found.mistakes
    assert place == 0
    assert expected in mistake.message


def test_a_campaign_made_in_python_is_checked_as_well() -> None:
    campaign = Campaign(
        name="c",
        lab="lab.toml",
        protocol="dye",
        roles={},
        space=(RangeParameter(name="x", low=0.0, high=1.0),),
        objective=Objective(measure="y_au", goal="maximise"),
        policy=(Rule(then="recover"),),
    )

    (mistake,) = check_values(campaign, Places("campaign", None))
    assert mistake.message.startswith("policy[1].protocol: is missing")

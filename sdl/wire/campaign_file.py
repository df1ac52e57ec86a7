"""``campaign.toml`` to a ``Campaign``."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from sdl.errors import UserMistake
from sdl.model.campaign import (
    NO_PLANNER,
    BatchRule,
    Campaign,
    ChoiceParameter,
    LinearConstraint,
    Objective,
    Parameter,
    PlannerChoice,
    RangeParameter,
    StopRule,
)
from sdl.model.data import InputValue
from sdl.model.hypothesis import Hypothesis, Prediction
from sdl.model.units import unit_of
from sdl.wire.campaign_values import check_values
from sdl.wire.policy import read_rules
from sdl.wire.roles_table import read_roles
from sdl.wire.toml_table import Places, Table, Toml, TomlFile, did_you_mean, said

_GOALS = {"maximise": "maximise", "maximize": "maximise"} | {
    "minimise": "minimise",
    "minimize": "minimise",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class CampaignFile:
    """A campaign, and the file that it was read from."""

    campaign: Campaign
    path: Path
    folder: Path
    """Relative paths in the file start here."""
    places: Places

    @property
    def lab_path(self) -> Path:
        """Where the campaign's ``lab.toml`` is."""
        return self.path.parent / self.campaign.lab


def open_campaign(path: Path) -> CampaignFile:
    """Read ``campaign.toml``. UserMistake (or UserMistakes) with file and line."""
    file = TomlFile(path)
    if "campaign" not in file.top and "instruments" in file.top:
        raise file.places.mistake(("lab",), "this is a lab file; name the campaign's file")
    campaign = _campaign(file.top)
    unspoken = [m for m in check_values(campaign, file.places) if not _blamed(file, m)]
    file.mistakes.extend(unspoken)
    file.finish()
    return CampaignFile(
        campaign=campaign, path=path, folder=path.resolve().parent, places=file.places
    )


def read_campaign(path: Path) -> Campaign:
    """The campaign that the file describes. UserMistake (or UserMistakes) with file and line."""
    return open_campaign(path).campaign


def _blamed(file: TomlFile, mistake: UserMistake) -> bool:
    """Whether its line has been found wrong already: then its value is only a stand-in."""
    return any(mistake.place == known.place for known in file.mistakes)


def _campaign(top: Table) -> Campaign:
    head = top.table("campaign", needed=True)
    roles, plates = read_roles(top.table("roles", needed=True))
    campaign = Campaign(
        name=head.name("name"),
        lab=head.text("lab", example='"lab.toml"'),
        protocol=head.text("protocol", example='"./protocols/my_protocol.py:my_protocol"'),
        seed=head.whole("seed", 0),
        parallel=head.whole("parallel", 1),
        hypothesis=_hypothesis(top.table("hypothesis")) if "hypothesis" in top else None,
        roles=roles,
        plates=plates,
        space=_space(top.table("search", needed=not _is_without_planner(top))),
        fixed=_fixed(top.table("fixed")),
        constraints=tuple(_constraint(table) for table in top.tables("constraint")),
        objective=_objective(top.table("objective", needed=True)),
        stop=_stop(top.table("stop")),
        planner=_planner(top.table("planner")),
        policy=read_rules(top),
        batch=_batch(top.table("batch")) if "batch" in top else None,
    )
    head.close()
    top.close()
    return campaign


def _is_without_planner(top: Table) -> bool:
    """Whether nothing is searched: every run has the fixed inputs."""
    written = top.file.top.table("planner")
    return "kind" in written and written.text("kind") == NO_PLANNER


def _hypothesis(table: Table) -> Hypothesis:
    predicts = table.table("predicts", needed=True)
    quantity = predicts.text("quantity", example='"dye_fraction"')
    direction = "exceeds" if "exceeds" in predicts else "below"
    if "exceeds" in predicts and "below" in predicts:
        predicts.mistake("below", "a prediction has exceeds or below, not both")
        predicts.take("below")
    prediction = Prediction(
        quantity=quantity,
        at="best" if predicts.word("at", ("best", "typical"), "best") == "best" else "typical",
        direction="exceeds" if direction == "exceeds" else "below",
        threshold=predicts.number(direction, unit_name=quantity),
        noise_sd=predicts.maybe_number("noise_sd", unit_name=quantity),
    )
    found = Hypothesis(
        claim=table.text("claim", example='"what you expect, in your words"'),
        predicts=prediction,
        prior=table.number("prior", 0.5),
        error_level=table.number("error_level", 0.05),
    )
    predicts.close()
    table.close()
    return found


def _space(table: Table) -> tuple[Parameter, ...]:
    return tuple(_parameter(table, name) for name in table)


def _parameter(parent: Table, name: str) -> Parameter:
    table = parent.table(name)
    if "choices" in table:
        return _choice(table, name)
    low = table.number("from", unit_name=name)
    high = table.number("to", unit_name=name)
    parameter = RangeParameter(
        name=name,
        low=low,
        high=high,
        log=table.truth("log", default=False),
        integer=table.truth("integer", default=False),
    )
    _close_parameter(table, ("choices", "from", "to", "log", "integer"))
    return parameter


def _choice(table: Table, name: str) -> ChoiceParameter:
    written = table.take("choices")
    _close_parameter(table, ("choices",))
    if not isinstance(written, list):
        table.mistake("choices", f"needs a list, not {said(written)}")
        written = []
    options = tuple(_input(table, "choices", option, name) for option in written)
    return ChoiceParameter(name=name, options=options)


def _close_parameter(table: Table, known: tuple[str, ...]) -> None:
    for key in table:
        if key in known:
            continue
        clashing = "choices" in known and len(known) == 1
        hint = "choices stand alone" if clashing else did_you_mean(key, known)
        table.mistake(key, f"unknown key; {hint}")


def _input(table: Table, key: str, value: Toml, name: str) -> InputValue:
    """A value of an input: a number, an option's name, or text that means a number with a unit."""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        table.mistake(key, f"needs a number or text, not {said(value)}")
        return 0.0
    if isinstance(value, float):
        return table.as_number(value, key, name) or 0.0
    if isinstance(value, str) and value[:1].isdigit() and unit_of(name):
        return table.as_number(value, key, name) or 0.0
    return value


def _fixed(table: Table) -> dict[str, InputValue]:
    return {name: _input(table, name, table.take(name), name) for name in table}


def _constraint(table: Table) -> LinearConstraint:
    weights = table.table("sum", needed=True)
    found = LinearConstraint(
        weights={name: weights.number(name) for name in weights},
        at_most=table.number("at_most"),
    )
    table.close()
    return found


def _objective(table: Table) -> Objective:
    measure = table.text("measure", example='"absorbance_au"')
    target = table.maybe_number("target", unit_name=measure)
    if "target" in table:
        if "goal" in table and table.text("goal") != "target":
            table.mistake("goal", "an objective has a goal or a target, not both")
        goal = "target"
    elif "goal" in table:
        goal = _GOALS.get(table.word("goal", tuple(_GOALS), "unknown"), "target")
    else:
        table.mistake(None, 'say what is better: goal = "maximise", "minimise", or target = 0.8')
        goal = "target"
    table.take("goal")
    table.close()
    if goal == "target":
        return Objective(measure=measure, goal="target", target=0.0 if target is None else target)
    return Objective(measure=measure, goal="maximise" if goal == "maximise" else "minimise")


def _stop(table: Table) -> StopRule:
    rule = StopRule()
    found = StopRule(
        runs=table.whole("runs", rule.runs),
        hours=table.maybe_number("hours", unit_name="stop_h"),
        tolerance=table.maybe_number("tolerance", unit_name=_measure(table)),
        failures=table.whole("failures", rule.failures),
        failed_share=table.maybe_number("failed_share", unit_name="failed_fraction"),
    )
    table.close()
    return found


def _batch(table: Table) -> BatchRule:
    if "size" not in table:
        table.mistake("size", "is missing; write for instance: size = 8")
    found = BatchRule(size=table.whole("size", 1))
    table.close()
    return found


def _measure(table: Table) -> str:
    """The tolerance is in the unit of the objective's measure."""
    return table.file.top.table("objective").text("measure", "value")


def _planner(table: Table) -> PlannerChoice:
    choice = PlannerChoice()
    fall_back = table.word("fall_back", ("stop", "sobol"), "stop")
    return PlannerChoice(
        kind=table.text("kind", choice.kind),
        timeout_s=table.number("timeout_s", choice.timeout_s),
        fall_back="sobol" if fall_back == "sobol" else "stop",
        options=table.rest(),
    )

"""``campaign.toml`` to a ``Campaign``."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from sdl.errors import UserMistake
from sdl.model.campaign import NO_PLANNER, BatchRule, Campaign, PlannerChoice, StopRule
from sdl.model.hypothesis import Hypothesis, Prediction
from sdl.wire.campaign_values import check_values
from sdl.wire.cost_tables import read_costs, read_fidelity
from sdl.wire.hardly_meant import hardly_meant
from sdl.wire.objective_tables import read_objectives
from sdl.wire.policy import read_rules
from sdl.wire.prior_table import read_prior
from sdl.wire.rivals_table import gaps_of_rivals, read_rivals
from sdl.wire.roles_table import read_roles
from sdl.wire.search_tables import read_fixed, read_search
from sdl.wire.space_check import passed_over
from sdl.wire.toml_table import Places, Table, TomlFile


@dataclass(frozen=True, slots=True, kw_only=True)
class CampaignFile:
    """A campaign, and the file that it was read from."""

    campaign: Campaign
    path: Path
    folder: Path
    """Relative paths in the file start here."""
    places: Places
    remarks: tuple[str, ...] = ()
    """What a person should know of the tables beside it, and is no mistake."""

    @property
    def lab_path(self) -> Path:
        """Where the campaign's ``lab.toml`` is."""
        return self.path.parent / self.campaign.lab


def open_campaign(path: Path) -> CampaignFile:
    """Read ``campaign.toml``. UserMistake (or UserMistakes) with file and line."""
    file = TomlFile(path)
    if "campaign" not in file.top and "instruments" in file.top:
        raise file.places.mistake(("lab",), "this is a lab file; name the campaign's file")
    campaign, remarks = _campaign(file.top)
    unspoken = [m for m in check_values(campaign, file.places) if not _blamed(file, m)]
    file.mistakes.extend(unspoken)
    file.finish()
    broken = passed_over(campaign)
    if broken:
        remarks = (*remarks, f"{broken} candidates break a [[constraint]] or a [[mixture]]")
    remarks = (*remarks, *gaps_of_rivals(campaign), *hardly_meant(campaign))
    return CampaignFile(
        campaign=campaign,
        path=path,
        folder=path.resolve().parent,
        places=file.places,
        remarks=remarks,
    )


def read_campaign(path: Path) -> Campaign:
    """The campaign that the file describes. UserMistake (or UserMistakes) with file and line."""
    return open_campaign(path).campaign


def _blamed(file: TomlFile, mistake: UserMistake) -> bool:
    """Whether its line has been found wrong already: then its value is only a stand-in."""
    return any(mistake.place == known.place for known in file.mistakes)


def _campaign(top: Table) -> tuple[Campaign, tuple[str, ...]]:
    """All of it, and remarks."""
    head = top.table("campaign", needed=True)
    roles = read_roles(top.table("roles", needed=True))
    search = read_search(top, needed=not _is_without_planner(top))
    first, *further = read_objectives(top)
    campaign = Campaign(
        name=head.name("name"),
        lab=head.text("lab", example='"lab.toml"'),
        protocol=head.text("protocol", example='"./protocols/my_protocol.py:my_protocol"'),
        seed=head.whole("seed", 0),
        parallel=head.whole("parallel", 1),
        hypothesis=_hypothesis(top.table("hypothesis")) if "hypothesis" in top else None,
        roles=roles.names,
        plates=roles.plates,
        pooled=tuple(roles.pooled),
        space=search.space,
        fixed=read_fixed(top.table("fixed")),
        constraints=search.constraints,
        objective=first,
        further=tuple(further),
        candidates=search.candidates,
        costs=read_costs(top.table("cost")) if "cost" in top else None,
        fidelity=read_fidelity(top.table("fidelity")) if "fidelity" in top else None,
        stop=_stop(top.table("stop"), first.measure),
        planner=_planner(top.table("planner"), has_costs="cost" in top),
        policy=read_rules(top),
        batch=_batch(top.table("batch")) if "batch" in top else None,
        rivals=read_rivals(top, first.measure),
    )
    head.close()
    if search.is_stand_in:
        top.file.finish()
    remarks = search.remarks
    if "prior" in top:
        known = read_prior(top, campaign)
        campaign, remarks = replace(campaign, prior=known.prior), (*remarks, *known.remarks)
    top.close()
    return campaign, remarks


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


def _stop(table: Table, measure: str) -> StopRule:
    """``measure``: of the objective; the tolerance is in its unit."""
    rule = StopRule()
    found = StopRule(
        runs=table.whole("runs", rule.runs),
        hours=table.maybe_number("hours", unit_name="stop_h"),
        cost=table.maybe_number("cost"),
        tolerance=table.maybe_number("tolerance", unit_name=measure),
        reached=table.maybe_number("reached", unit_name=measure),
        hits=table.whole("hits", 1) if "hits" in table else None,
        failures=table.whole("failures", rule.failures),
        expected_gain=table.maybe_number("expected_gain", unit_name=measure),
        chance_of_better=table.maybe_number("chance_of_better", unit_name="chance_fraction"),
        odds=table.maybe_number("odds", unit_name="odds_ratio"),
        failed_share=table.maybe_number("failed_share", unit_name="failed_fraction"),
        full_plates=_full_plates(table),
    )
    table.close()
    return found


def _full_plates(table: Table) -> Literal["end", "ask"]:
    return "end" if table.word("full_plates", ("ask", "end"), "ask") == "end" else "ask"


def _batch(table: Table) -> BatchRule:
    if "size" not in table:
        table.mistake("size", "is missing; write for instance: size = 8")
    found = BatchRule(size=table.whole("size", 1))
    table.close()
    return found


def _planner(table: Table, *, has_costs: bool) -> PlannerChoice:
    choice = PlannerChoice()
    fall_back = table.word("fall_back", ("stop", "sobol"), "stop")
    return PlannerChoice(
        kind=table.text("kind", choice.kind),
        timeout_s=table.number("timeout_s", choice.timeout_s),
        fall_back="sobol" if fall_back == "sobol" else "stop",
        ahead=table.whole("ahead", 0) if "ahead" in table else None,
        refresh=table.truth("refresh", default=True),
        bench=table.truth("bench", default=has_costs),
        options=table.rest(),
    )

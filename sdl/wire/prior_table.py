"""``[prior]``: what was measured before this campaign."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from sdl.model.campaign import Campaign, ChoiceParameter, Parameter, Prior
from sdl.model.data import InputValue, Trial
from sdl.model.space import misfits, named
from sdl.wire.table_file import Row, TableFile, as_cell, as_number, no_number, read_table
from sdl.wire.toml_table import Table, did_you_mean

MOST_TRIALS = 10_000
MOST_TOLD = 3
"""Rows left out that are told one by one."""
MOST_OPTIONS = 50
"""Of an input, from which a likely one is told."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """What the table says, and what a person should know of it."""

    prior: tuple[Prior, ...]
    remarks: tuple[str, ...]


def read_prior(top: Table, campaign: Campaign) -> Known:
    """``[prior]``, or several ``[[prior]]``; ``campaign``: all that the other tables say."""
    prior: list[Prior] = []
    remarks: list[str] = []
    is_list = isinstance(top.take("prior"), list)
    for table in top.tables("prior") if is_list else [top.table("prior")]:
        prior += _one(table, campaign, remarks)
    return Known(prior=tuple(prior), remarks=tuple(remarks))


def _one(table: Table, campaign: Campaign, remarks: list[str]) -> Iterator[Prior]:
    is_hint = table.truth("hint", default=False)
    if "csv" in table:
        file = read_table(table, "csv")
        if file is not None:
            yield from _from_file(file, campaign, remarks, is_hint=is_hint)
    if "campaign" in table:
        # Its trials are read from the record when the campaign starts.
        yield Prior(source=table.name("campaign"), is_campaign=True, is_hint=is_hint)
    if "csv" not in table and "campaign" not in table:
        table.mistake(None, 'say what is known: csv = "measured.csv", or campaign = "its-name"')
    table.close()


def _from_file(
    file: TableFile, campaign: Campaign, remarks: list[str], *, is_hint: bool
) -> list[Prior]:
    inputs = [parameter.name for parameter in campaign.space]
    measures = campaign.measures
    for name in (*inputs, *measures):
        if name not in file.header:
            kind = "an input" if name in inputs else "a measure"
            hint = did_you_mean(name, file.header)
            hint += " Correct the campaign, or this heading" if hint.endswith("?") else ""
            file.mistake(1, f"has no column {name!r}, which the campaign has as {kind}; {hint}")
    if len(file.rows) > MOST_TRIALS:
        file.mistake(1, f"{len(file.rows):,} rows; use at most {MOST_TRIALS:,}")
    if not file.is_sound():
        return []
    unused = [name for name in file.header if name not in (*inputs, *measures, *campaign.fixed)]
    if unused:
        remarks.append(f"{file.source}: nothing reads the columns {', '.join(unused)}")
    kept: list[Trial] = []
    why: list[str] = []
    for row in file.rows:
        values = _point(file, row, campaign.space)
        found = _trial(file, row, values, measures)
        reason = _left_out(file, row, values, campaign, is_hint=is_hint)
        if found is None or reason:
            why.append(f"line {row.line}: {reason or 'some measures are empty, others not'}")
        else:
            kept.append(replace(found, is_hint=is_hint))
    if not file.is_sound():
        return []
    if why:
        more = f"; and {len(why) - MOST_TOLD} more" if len(why) > MOST_TOLD else ""
        told = "; ".join(why[:MOST_TOLD])
        of = f"{len(why)} of {len(file.rows)} rows"
        remarks.append(f"{file.source}: {of} left out: {told}{more}")
    return [
        Prior(
            source=file.source,
            sha256=file.sha256,
            trials=tuple(kept),
            left_out=len(why),
            is_hint=is_hint,
        )
    ]


def _point(file: TableFile, row: Row, space: Sequence[Parameter]) -> Mapping[str, InputValue]:
    """The inputs of a row, after noting those that should be numbers and are none."""
    values: list[InputValue] = []
    for parameter in space:
        cell = row.cells[file.header.index(parameter.name)]
        options = parameter.options if isinstance(parameter, ChoiceParameter) else ()
        text = any(isinstance(option, str) for option in options)
        if cell and not text and as_number(cell) is None:
            file.mistake(row.line, no_number(parameter.name, cell))
        values.append(as_cell(cell, text=text))
    return named(space, values)


def _left_out(
    file: TableFile,
    row: Row,
    values: Mapping[str, InputValue],
    campaign: Campaign,
    *,
    is_hint: bool,
) -> str:
    """Why a row tells this campaign nothing; empty if it does."""
    if not is_hint and not _is_fixed(file, row, campaign.fixed):
        return "other values of [fixed] inputs"
    for parameter in campaign.space:
        value = values[parameter.name]
        if isinstance(value, str) and isinstance(parameter, ChoiceParameter):
            options = [str(option) for option in parameter.options]
            if value not in options and not parameter.only_if:
                hint = f"; {did_you_mean(value, options)}" if len(options) <= MOST_OPTIONS else ""
                return f"{parameter.name} = {value!r} is none of its choices{hint}"
    return next(misfits(campaign.space, values), "")


def _trial(
    file: TableFile, row: Row, values: Mapping[str, InputValue], measures: Sequence[str]
) -> Trial | None:
    """A row as a trial; where all its measures are empty, one that failed. None if some are."""
    found: dict[str, float] = {}
    for name in measures:
        cell = row.cells[file.header.index(name)]
        number = as_number(cell)
        if cell and number is None:
            file.mistake(row.line, no_number(name, cell))
        if number is not None:
            found[name] = number
    if found and len(found) < len(measures):
        return None
    status: Literal["measured", "failed"] = "measured" if found else "failed"
    return Trial(inputs=values, status=status, measures=found, prior=file.source)


def _is_fixed(file: TableFile, row: Row, fixed: Mapping[str, InputValue]) -> bool:
    """Whether the inputs that this campaign does not search were what it fixes them to."""
    pairs = [
        (row.cells[file.header.index(name)], fixed[name]) for name in fixed if name in file.header
    ]
    return all(
        cell == value if isinstance(value, str) else as_number(cell) == float(value)
        for cell, value in pairs
    )

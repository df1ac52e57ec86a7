"""``[cost]`` and ``[fidelity]``: what runs cost, and which of them tell what is wanted."""

from __future__ import annotations

from sdl.model.costs import Costs, Fidelity
from sdl.wire.toml_table import Table


def read_costs(table: Table) -> Costs:
    """What one run costs, in any one currency."""
    options = table.table("options")
    found = Costs(
        per_run=table.number("per_run", 0.0, unit_name="cost_ratio"),
        per_hour=table.number("per_hour", 0.0, unit_name="cost_ratio"),
        options={name: _numbers(options.table(name)) for name in options},
        per_unit=_numbers(table.table("per_unit")),
        change=_numbers(table.table("change")),
    )
    table.close()
    return found


def read_fidelity(table: Table) -> Fidelity:
    """The input that says how closely a run looks, and what each way costs."""
    found = Fidelity(
        input=table.text("input", example='"assay"'),
        target=table.text("target", example='"full"'),
        costs=_numbers(table.table("costs", needed=True)),
    )
    table.close()
    return found


def _numbers(table: Table) -> dict[str, float]:
    return {name: table.number(name, unit_name="cost_ratio") for name in table}

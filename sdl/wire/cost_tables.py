"""``[cost]`` and ``[fidelity]``: what runs cost, and which of them tell what is wanted."""

from __future__ import annotations

from sdl.model.costs import Costs, Fidelity
from sdl.wire.toml_table import Table, said


def read_costs(table: Table) -> Costs:
    """What one run costs, in any one currency."""
    options = table.table("options")
    found = Costs(
        per_run=_cost(table, "per_run", 0.0),
        per_hour=_cost(table, "per_hour", 0.0),
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
    return {name: _cost(table, name) for name in table}


def _cost(table: Table, key: str, default: float | None = None) -> float:
    written = table.take(key)
    if isinstance(written, str):
        table.mistake(
            key,
            f"a cost is a plain number, in one currency throughout, which is not written: not "
            f"{said(written)}",
        )
        return 0.0
    return table.number(key, default)

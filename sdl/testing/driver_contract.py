"""What every driver and simulator has to keep, as one line of a lab's own tests.

::

    def test_my_pump_keeps_the_contract() -> None:
        driver_contract(MyPump)

Run it against a simulator, or a driver on a fake line: every action is done many times.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress

from sdl.capabilities import Device
from sdl.testing.arguments import TryOut
from sdl.testing.contract_of_class import check_class
from sdl.testing.contract_of_device import check_life_cycle, check_nonsense
from sdl.testing.contract_of_node import check_action, check_stop_at_rest
from sdl.testing.terms import Terms


def driver_contract(
    make: Callable[[], Device],
    *,
    try_out: TryOut | None = None,
    stops_in_s: float = 5.0,
    blocks_ms: float = 50.0,
    patience_s: float = 60.0,
) -> None:
    """Raise AssertionError with what is broken, in which action, and what to do about it.

    ``make``: the driver's class, or a callable that makes one; it is called many times.
    ``try_out``: arguments that work, by action; where there are none, the plainest that the types
    allow are made up, and the driver may refuse those. ``stops_in_s``: wall seconds in which an
    instrument has to be safe after a stop, and the action that it cuts off has to end.
    ``blocks_ms``: how long a call may keep the event loop from everything else. ``patience_s``:
    wall seconds for any one action.

    On the device alone: its types, and those of its capability; connected, disconnected and made
    safe twice and in any order; nonsense refused with an error of ours. On a real node with its
    journal: results fit into messages; limits hold; a command that comes twice acts once; the
    node dies at each of its crash points and in mid-action, and nothing is done twice or lost;
    probes tell the truth; stops at rest and in mid-action; no call blocks the loop.

    Call it from a plain ``def test_...``: it runs an event loop of its own.
    """
    terms = Terms(
        make=make,
        try_out=try_out or {},
        stops_in_s=stops_in_s,
        blocks_ms=blocks_ms,
        patience_s=patience_s,
    )
    with suppress(RuntimeError):
        asyncio.get_running_loop()
        raise AssertionError("call driver_contract in a plain 'def test_...', not an 'async def'")
    asyncio.run(_check(terms))


async def _check(terms: Terms) -> None:
    try:
        kind = type(terms.make())
    except TypeError as error:
        raise AssertionError(
            f"no device could be made: {error}; where its class needs options, give a callable: "
            "driver_contract(lambda: MyPump(port=...))"
        ) from error
    operations = check_class(kind, terms.try_out)
    await check_life_cycle(terms.make)
    await check_nonsense(terms.make, operations)
    await check_stop_at_rest(terms)
    for operation in operations.values():
        await check_action(terms, operation)

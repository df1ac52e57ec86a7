"""Tips, and the room for used ones, are counted like any other stock, in pieces."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from sdl.capabilities import TIP_WASTE, TIPS, LiquidHandler
from sdl.core import events as ev
from sdl.core.inventory import Inventory
from sdl.model.action import operations_of
from sdl.model.data import JsonValue
from sdl.model.lab import Lab
from sdl.model.labware import Well
from sdl.model.stock import Move, Pieces, Source, Stocks, Transfer, expiry_s
from tests.core.dye import Place, at_work
from tests.core.floor import Floor

WELL: JsonValue = {"labware": "plate-1", "name": "A1"}
OTHER: JsonValue = {"labware": "plate-1", "name": "B1"}


def moves(operation: str, arguments: Mapping[str, JsonValue]) -> tuple[Move, ...]:
    return operations_of(LiquidHandler)[operation].transfers(arguments)


@pytest.mark.parametrize(
    "operation, arguments, count",
    [
        ("dispense", {"well": WELL, "volumes_ul": {"dye": 5.0, "buffer": 0.0, "acid": 1.0}}, 2),
        ("dispense", {"well": WELL, "volumes_ul": {"dye": 0.0}}, 0),
        ("transfer", {"source": WELL, "target": OTHER, "volume_ul": 5.0}, 1),
        ("mix", {"well": WELL, "volume_ul": 5.0, "cycles": 9}, 1),
    ],
)
def test_each_liquid_each_transfer_and_each_mixing_takes_a_tip(
    operation: str, arguments: Mapping[str, JsonValue], count: int
) -> None:
    used = [one for one in moves(operation, arguments) if isinstance(one, Pieces)]
    assert used == ([Pieces(TIPS, count), Pieces(TIP_WASTE, count)] if count else [])


def stocked(tips: float, rack: float = 96.0) -> tuple[Stocks, ...]:
    source = Source(volume_ul=tips, capacity_ul=rack, is_counted=True)
    return (Stocks(instrument="handler", sources={TIPS: source}, error_ul=0.5),)


def test_pieces_that_nobody_counts_are_no_material() -> None:
    ledger = Inventory.of(Lab(name="l", instruments=(), stocks=stocked(5)))
    assert ledger is not None
    found = tuple(ledger.transfers((Pieces(TIPS, 2), Pieces(TIP_WASTE, 2)), "handler"))
    assert found == (Transfer(TIPS, None, 2.0),), "the waste is not declared"
    assert tuple(ledger.transfers((Pieces(TIPS, 2),), "other")) == ()
    liquid = Stocks(instrument="handler", sources={TIPS: Source(volume_ul=100.0)})
    ledger = Inventory.of(Lab(name="l", instruments=(), stocks=(liquid,)))
    assert ledger is not None
    assert tuple(ledger.transfers((Pieces(TIPS, 2),), "handler")) == (), "a liquid of that name"


def played(tips: float) -> Floor:
    floor, _ = at_work(Place(stocked(tips)))
    return floor


def refilled(at: float, count: float, *, replaces: bool) -> ev.StockRefilled:
    return ev.StockRefilled(
        at=at, source="handler/tips", volume_ul=count, replaces=replaces, by="ada", lot=""
    )


def test_a_run_keeps_its_tips_and_uses_them_without_any_uncertainty() -> None:
    floor = played(tips=3)
    (level,) = floor.engine.view().stocks
    assert (level.is_counted, level.volume_ul, level.reserved_ul) == (True, 3.0, 1.0)
    floor.turn(ev.CommandDone(at=9.0, cid="dye/run-1/step-1/try-1", result=None, duration_s=5.0))
    (level,) = floor.engine.view().stocks
    assert (level.volume_ul, level.reserved_ul, level.uncertainty_ul) == (2.0, 0.0, 0.0)
    assert floor.engine.lab.inventory is not None
    assert floor.engine.lab.inventory.contents(str(Well("plate-1", "A1"))).volume_pl > 0


def test_an_empty_rack_holds_the_next_run_until_a_person_has_put_a_full_one_there() -> None:
    floor = played(tips=0)
    assert floor.engine.state.runs == {}
    (task,) = floor.engine.view().refills
    assert task.reason == (
        "1 piece of tips short on handler (1 piece needed, 0 pieces free); refill it: "
        "sdl refill handler/tips 96 --replaces"
    )
    broken = floor.engine.objection(refilled(20.0, 1.5, replaces=True))
    assert broken == "handler/tips is counted: give a whole number of pieces, not 1.5"
    many = floor.engine.objection(refilled(20.0, 97.0, replaces=True))
    assert many.startswith("handler/tips would hold 97 pieces, and holds 96 pieces at most")
    floor.turn(refilled(21.0, 96.0, replaces=True))
    assert list(floor.engine.state.runs) == ["dye/run-1"]
    assert floor.engine.view().refills == ()


def test_what_is_no_longer_good_is_replaced_by_a_number_of_pieces() -> None:
    source = Source(volume_ul=9.0, lot="T1", expires="2026-03-01", is_counted=True)
    stocks = Stocks(instrument="handler", sources={TIPS: source})
    ledger = Inventory.of(Lab(name="l", instruments=(), stocks=(stocks,)))
    assert ledger is not None
    (short,) = ledger.shortages({"handler/tips": 1_000_000}, expiry_s("2026-03-01"))
    assert short.reason == (
        "lot T1 expired on 2026-03-01 of tips on handler; replace it: "
        "sdl refill handler/tips COUNT --replaces --lot LOT --expires DAY"
    )


def after(last: ev.CommandFailed | ev.CommandUnknown) -> tuple[float, float, float, float]:
    """Tips that are there, kept for the run, in doubt and free, once its action ended like that."""
    floor = played(tips=3)
    floor.turn(last)
    (level,) = floor.engine.view().stocks
    return level.volume_ul, level.reserved_ul, level.doubt_ul, level.free_ul


def test_tips_of_an_action_that_did_not_begin_are_kept_and_of_an_unknown_one_in_doubt() -> None:
    cid = "dye/run-1/step-1/try-1"
    before = ev.CommandFailed(
        at=9.0, cid=cid, phase="before_start", kind="driver", reason="a lid is on"
    )
    assert after(before) == (3.0, 1.0, 0.0, 2.0)
    during = ev.CommandFailed(at=9.0, cid=cid, phase="during", kind="driver", reason="it stuck")
    assert after(during) == (3.0, 0.0, 1.0, 2.0)
    lost = ev.CommandUnknown(at=9.0, cid=cid, reason="its node was gone")
    assert after(lost) == (3.0, 0.0, 1.0, 2.0)

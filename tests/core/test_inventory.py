"""The ledger of materials: nothing is lost, nothing below zero, nothing over capacity."""

from __future__ import annotations

from collections.abc import Sequence
from copy import deepcopy

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter

from sdl.core.amounts import Task
from sdl.core.inventory import Inventory
from sdl.core.mixture import Mixture, microlitres, picolitres
from sdl.errors import LimitReached, OutOfMaterial
from sdl.model.lab import Instrument, Lab
from sdl.model.labware import Labware, Well
from sdl.model.stock import Source, Stocks, Transfer, expiry_s
from sdl.wire.labware_kinds import labware_kind

INVENTORY = TypeAdapter(Inventory)
WELLS = [Well("plate-1", name) for name in ("A1", "B1", "C1")]
DAY_S = 86_400.0


def lab(*stocks: Stocks) -> Lab:
    return Lab(
        name="bench",
        instruments=(Instrument(name="handler", driver="liquid-handler", simulated=True),),
        labware=(Labware(name="plate-1", kind=labware_kind("plate-96-flat")),),
        stocks=stocks,
    )


def ledger(**sources: Source) -> Inventory:
    plain = {
        "dye": Source(volume_ul=2000.0, dead_volume_ul=200.0, lot="D1"),
        "buffer": Source(volume_ul=5000.0, capacity_ul=10_000.0, lot="B1", expires="1970-01-10"),
    }
    stocks = Stocks(
        instrument="handler", sources={**plain, **sources}, error_ul=0.5, error_cv=0.003
    )
    found = Inventory.of(lab(stocks))
    assert found is not None
    return found


places = st.one_of(st.sampled_from(["dye", "buffer", "oil"]), st.sampled_from(WELLS))
transfers = st.builds(
    Transfer,
    source=places,
    target=st.one_of(st.none(), st.sampled_from(WELLS)),
    volume_ul=st.one_of(st.floats(0.0, 400.0), st.sampled_from([0.1, 33.3, -1.0, float("nan")])),
)


def check_sane(inventory: Inventory) -> None:
    for name, vessel in inventory.sources.items():
        assert vessel.contents.volume_pl >= 0, name
    for well, contents in inventory.wells.items():
        assert 0 < contents.volume_pl <= picolitres(360.0), well
    assert all(volume_pl >= 0 for volume_pl in inventory.undeclared_pl.values())


@given(st.lists(transfers, max_size=25))
def test_not_a_picolitre_is_lost_or_made_up_and_none_is_below_zero(
    asked: Sequence[Transfer],
) -> None:
    strict, lenient = ledger(), ledger()
    before = strict.total_pl()
    for number, transfer in enumerate(asked):
        untouched = deepcopy(strict)
        try:
            moved = strict.move(transfer, "handler", f"step-{number}")
        except (OutOfMaterial, LimitReached):
            assert strict == untouched, "what cannot be done changes nothing"
        else:
            assert sum(picolitres(one.volume_ul) for one in moved) == picolitres(transfer.volume_ul)
        lenient.take_down(transfer, "handler", f"step-{number}")
        for inventory in (strict, lenient):
            check_sane(inventory)
            assert inventory.total_pl() == before
        dead_pl = strict.sources["handler/dye"].dead_pl
        assert strict.sources["handler/dye"].contents.volume_pl >= dead_pl


@given(st.lists(transfers, max_size=20), st.integers(0, 20))
def test_a_ledger_goes_through_text_at_any_moment(asked: Sequence[Transfer], place: int) -> None:
    whole, often = ledger(), ledger()
    whole.reserve("dye/run-1", {"handler/dye": 100})
    often.reserve("dye/run-1", {"handler/dye": 100})
    for number, transfer in enumerate(asked):
        whole.take_down(transfer, "handler", f"step-{number}")
        often.take_down(transfer, "handler", f"step-{number}")
        if number == place:
            text = INVENTORY.dump_json(often)
            often = INVENTORY.validate_json(text)
            assert INVENTORY.dump_json(often) == text
    assert often == whole
    assert INVENTORY.dump_json(often) == INVENTORY.dump_json(whole)


needs = st.dictionaries(
    st.sampled_from(["handler/dye", "handler/buffer", "handler/oil"]),
    st.integers(0, picolitres(900.0)),
)


@given(st.lists(needs, max_size=5), st.randoms(use_true_random=False), st.integers(0, 4))
def test_the_order_of_reservations_does_not_matter(
    wanted: list[dict[str, int]], chance: object, gone: int
) -> None:
    one = ledger()
    taken = []
    for number, amounts in enumerate(wanted):
        if not one.shortages(amounts, at=0.0):
            one.reserve(f"run-{number}", amounts)
            taken.append(number)
        else:
            with pytest.raises(OutOfMaterial):
                one.reserve(f"run-{number}", amounts)
    for source in one.sources:
        assert one.reserved_pl(source) <= one.sources[source].usable_pl
    other, mixed = ledger(), list(taken)
    chance.shuffle(mixed)  # type: ignore[attr-defined]
    for number in mixed:
        other.reserve(f"run-{number}", wanted[number])
    assert {run: other.reserved[run] for run in one.reserved} == one.reserved
    assert [other.free_pl(s) for s in other.sources] == [one.free_pl(s) for s in one.sources]
    for inventory in (one, other):
        for number in taken[gone:]:
            inventory.release(f"run-{number}")
        for number in taken[:gone]:
            inventory.release(f"run-{number}")
        assert inventory.reserved == {}
    assert one == other == ledger()


def test_what_is_reserved_is_used_up_by_what_is_drawn_and_kept_where_nobody_knows() -> None:
    inventory = ledger()
    inventory.reserve("dye/run-1", {"handler/dye": picolitres(500.0)})
    assert microlitres(inventory.free_pl("handler/dye")) == 1300.0
    inventory.take_down(Transfer("dye", WELLS[0], 200.0), "handler", "step-1")
    inventory.use("dye/run-1", "handler/dye", picolitres(200.0))
    assert microlitres(inventory.free_pl("handler/dye")) == 1300.0
    inventory.doubt("dye/run-1", "handler/dye", picolitres(100.0), "dye/run-1/step-1/try-1")
    assert inventory.release("dye/run-1") == {"handler/dye": picolitres(200.0)}
    assert microlitres(inventory.free_pl("handler/dye")) == 1500.0, "100 µL are still in doubt"
    inventory.refill("handler/dye", 1800.0, "D2", "", replaces=True)
    assert microlitres(inventory.free_pl("handler/dye")) == 1600.0
    assert [one.lot for one in inventory.contents("handler/dye").portions] == ["D2"]


@pytest.mark.parametrize(
    "transfer,kind,words",
    [
        (
            Transfer("dye", WELLS[0], 1800.5),
            OutOfMaterial,
            "handler/dye holds 2 mL, of which 1.8 mL can be drawn; 1.8 mL were asked for; "
            "refill it: sdl refill handler/dye VOLUME",
        ),
        (
            Transfer(WELLS[0], WELLS[1], 5.0),
            OutOfMaterial,
            "plate-1/A1 holds 0 µL, 5 µL were asked for; fill it first, or draw less",
        ),
        (
            Transfer("buffer", WELLS[0], 360.1),
            LimitReached,
            "plate-1/A1 holds 0 µL of 360 µL; 360.1 µL more would overflow it; use a fresh well",
        ),
        (
            Transfer("buffer", Well("plate-9", "A1"), 1.0),
            LimitReached,
            "the lab has no labware 'plate-9' for plate-9/A1; it has plate-1",
        ),
    ],
)
def test_what_cannot_be_says_what_where_and_what_to_do(
    transfer: Transfer, kind: type[Exception], words: str
) -> None:
    with pytest.raises(kind) as caught:
        ledger().move(transfer, "handler", "step")
    assert str(caught.value) == words


def test_short_stock_is_said_with_numbers() -> None:
    needs = {"handler/dye": picolitres(13_800.0), "handler/buffer": 1, "handler/oil": 10**15}
    (short,) = ledger().shortages(needs, at=0.0)
    assert short.reason == (
        "12 mL of dye short on handler (13.8 mL needed, 1.8 mL free); refill it: "
        "sdl refill handler/dye VOLUME"
    )
    assert short.missing_pl == picolitres(12_000.0)


def test_a_lot_that_has_expired_is_short_however_much_there_is() -> None:
    inventory, needs = ledger(), {"handler/buffer": 1}
    assert expiry_s("1970-01-10") == 10 * DAY_S
    assert inventory.shortages(needs, at=10 * DAY_S - 1.0) == ()
    (short,) = inventory.shortages(needs, at=10 * DAY_S)
    assert short.reason.startswith("lot B1 expired on 1970-01-10 of buffer on handler; replace it:")
    inventory.refill("handler/buffer", 100.0, "B2", "1970-02-01", replaces=False)
    assert inventory.shortages(needs, at=10 * DAY_S), "the old lot is still in it"
    inventory.refill("handler/buffer", 100.0, "B2", "1970-02-01", replaces=True)
    assert inventory.shortages(needs, at=10 * DAY_S) == ()


@pytest.mark.parametrize(
    "source,volume_ul,expires,replaces,words",
    [
        ("handler/oil", 1.0, "", False, "no source 'handler/oil' is declared"),
        ("handler/dye", -1.0, "", False, "is no volume"),
        ("handler/dye", 1.0, "tomorrow", False, "'tomorrow' is no day; write it as 2027-03-01"),
        ("handler/dye", 1.0, "1969-12-31", False, "must not be filled in"),
        ("handler/buffer", 6000.0, "", False, "would hold 11 mL, and holds 10 mL at most"),
        ("handler/dye", 0.0, "", False, "give a volume above 0"),
        ("handler/buffer", 6000.0, "2027-03-01", True, ""),
        ("handler/dye", 0.0, "", True, ""),
    ],
)
def test_a_refill_that_cannot_be_is_refused(
    source: str, volume_ul: float, expires: str, replaces: bool, words: str
) -> None:
    said = ledger().objection(source, volume_ul, expires, at=0.0, replaces=replaces)
    assert words in said
    assert bool(said) == bool(words)


def test_a_refill_ends_its_task_and_mixes_lots() -> None:
    inventory = ledger()
    inventory.tasks["handler/dye"] = Task(
        id="dye/refill-1", source="handler/dye", missing_ul=1.0, reason="short", since=0.0
    )
    inventory.refill("handler/dye", 2000.0, "D2", "2027-03-01", replaces=False)
    assert inventory.tasks == {}
    inventory.move(Transfer("dye", WELLS[0], 100.0), "handler", "step")
    portions = {one.lot: one.volume_pl for one in inventory.contents("plate-1/A1").portions}
    assert portions == {"D1": picolitres(50.0), "D2": picolitres(50.0)}


def test_where_nothing_is_declared_nothing_is_kept() -> None:
    assert Inventory.of(lab()) is None
    assert ledger().contents("plate-1/A1") == Mixture()

"""Not a picolitre is lost, proportions are kept, and errors end where first order puts them."""

from __future__ import annotations

import math
import random
import statistics

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sdl.core.mixture import ERRORS_MAX, Mixture, Portion, microlitres, picolitres, spoken, spread
from sdl.errors import LimitReached


def mixed(names: int, least_pl: int) -> st.SearchStrategy[Mixture]:
    """Any mixture with so many errors at most."""
    errors = st.dictionaries(
        st.sampled_from([f"e{n}" for n in range(names)]), st.floats(-5.0, 5.0), max_size=ERRORS_MAX
    )
    kinds = st.tuples(st.sampled_from(["dye", "buffer", "salt"]), st.sampled_from(["", "B12"]))
    return st.dictionaries(kinds, st.tuples(st.integers(least_pl, 10**12), errors)).map(
        lambda found: Mixture(
            tuple(Portion(*kind, pl, some) for kind, (pl, some) in sorted(found.items()))
        )
    )


mixtures = mixed(30, 1)


def volumes(mixture: Mixture) -> dict[tuple[str, str], int]:
    return {(one.component, one.lot): one.volume_pl for one in mixture.portions}


@given(mixture=mixtures, share=st.floats(0.0, 1.0))
def test_a_split_loses_nothing_and_keeps_proportions(mixture: Mixture, share: float) -> None:
    wanted = min(mixture.volume_pl, round(mixture.volume_pl * share))
    split = mixture.split(wanted, "step", 0.5)
    assert split.drawn.volume_pl == wanted
    drawn, left = volumes(split.drawn), volumes(split.left)
    for kind, volume_pl in volumes(mixture).items():
        assert drawn.get(kind, 0) + left.get(kind, 0) == volume_pl
        exact = volume_pl * wanted / mixture.volume_pl
        assert abs(drawn.get(kind, 0) - exact) < 1.0 + 1e-9 * exact
    assert volumes(split.left.plus(split.drawn)) == volumes(mixture)
    assert all(one.volume_pl > 0 for one in (*split.drawn.portions, *split.left.portions))


@given(one=mixtures, other=mixtures)
def test_what_is_put_together_is_all_there_whichever_comes_first(
    one: Mixture, other: Mixture
) -> None:
    both = one.plus(other)
    assert both.volume_pl == one.volume_pl + other.volume_pl
    assert volumes(both) == volumes(other.plus(one))
    assert both.of_component("dye") == one.of_component("dye") + other.of_component("dye")
    assert all(len(each.errors) <= ERRORS_MAX + 1 for each in both.portions)


@given(mixture=mixed(6, 10**6), share=st.floats(0.001, 0.999), error_ul=st.floats(0.0, 2.0))
def test_the_parts_of_a_split_together_are_as_uncertain_as_the_whole(
    mixture: Mixture, share: float, error_ul: float
) -> None:
    wanted = round(mixture.volume_pl * share)
    split = mixture.split(wanted, "new", error_ul)
    together = split.drawn.plus(split.left)
    assert volumes(together) == volumes(mixture)
    assert together.uncertainty_ul == pytest.approx(mixture.uncertainty_ul, rel=1e-6, abs=1e-6)


def test_the_volume_that_is_drawn_is_as_uncertain_as_the_instrument() -> None:
    pure = Mixture.of("dye", 1000.0, "B12")
    split = pure.split(picolitres(100.0), "run-1/step-1", 0.6)
    (drawn,) = split.drawn.portions
    assert drawn == Portion("dye", "B12", picolitres(100.0), {"run-1/step-1": 0.6})
    assert split.left.uncertainty_ul == pytest.approx(0.6), "what is missing there is here"


def test_what_shares_an_error_has_none_between_them() -> None:
    """Half of a well goes into the next: the mixing ratio is exactly as uncertain there as here."""
    dye = Mixture.of("dye", 1e4).split(picolitres(100.0), "a", 1.0).drawn
    buffer = Mixture.of("buffer", 1e4).split(picolitres(100.0), "b", 1.0).drawn
    well = dye.plus(buffer)
    share, uncertainty = well.fraction("dye")
    assert share == 0.5
    assert uncertainty == pytest.approx(math.hypot(0.25, 0.25) / 100.0 * 1.0)
    half = well.split(picolitres(100.0), "c", 5.0).drawn
    assert half.fraction("dye") == pytest.approx((0.5, uncertainty)), "however badly it is drawn"
    assert half.uncertainty_ul == pytest.approx(5.0)


def test_first_order_agrees_with_ten_thousand_pipettings() -> None:
    seed = 11
    chance = random.Random(seed)
    well = Mixture.of("dye", 1e4).split(picolitres(60.0), "a", 0.6).drawn
    well = well.plus(Mixture.of("buffer", 1e4).split(picolitres(140.0), "b", 0.8).drawn)
    other = well.split(picolitres(50.0), "c", 0.5).drawn
    other = other.plus(Mixture.of("buffer", 1e4).split(picolitres(100.0), "d", 0.7).drawn)
    seen_ul, seen_share = [], []
    for _ in range(10_000):
        dye, buffer = chance.gauss(60.0, 0.6), chance.gauss(140.0, 0.8)
        moved = chance.gauss(50.0, 0.5)
        there = moved * dye / (dye + buffer)
        seen_ul.append(there)
        seen_share.append(there / (moved + chance.gauss(100.0, 0.7)))
    (found,) = [one for one in other.portions if one.component == "dye"]
    assert microlitres(found.volume_pl) == pytest.approx(statistics.mean(seen_ul), rel=0.01)
    assert found.uncertainty_ul == pytest.approx(statistics.stdev(seen_ul), rel=0.05), (
        f"seed {seed}"
    )
    share, uncertainty = other.fraction("dye")
    assert share == pytest.approx(0.1)
    assert uncertainty == pytest.approx(statistics.stdev(seen_share), rel=0.05), f"seed {seed}"
    assert set(found.errors) == {"a", "b", "c"}, "each error is known by its name"


def test_many_errors_are_taken_together_and_none_is_lost() -> None:
    mixture = Mixture()
    for number in range(200):
        some = Mixture.of("dye", 1e6).split(picolitres(10.0), f"step-{number}", 0.5).drawn
        mixture = mixture.plus(some)
    (portion,) = mixture.portions
    assert len(portion.errors) == ERRORS_MAX + 1
    assert portion.uncertainty_ul == pytest.approx(0.5 * math.sqrt(200.0))
    source = Mixture.of("dye", 1e6)
    for number in range(500):
        source = source.split(picolitres(10.0), f"step-{number}", 0.5).left
    assert source.uncertainty_ul == pytest.approx(0.5 * math.sqrt(500.0))
    assert source.split(picolitres(10.0), "x", 0.5).drawn.uncertainty_ul == pytest.approx(0.5)


@pytest.mark.parametrize("volume_ul", [-1.0, math.nan, math.inf, 1e13])
def test_what_is_no_volume_is_refused(volume_ul: float) -> None:
    with pytest.raises(LimitReached, match="is no volume"):
        picolitres(volume_ul)


@given(st.floats(0.0, 1e9))
def test_a_volume_is_kept_to_the_picolitre(volume_ul: float) -> None:
    rounding_ul = 5e-7 + 4.0 * math.ulp(volume_ul)
    assert abs(microlitres(picolitres(volume_ul)) - volume_ul) <= rounding_ul


def test_volumes_are_said_as_people_say_them() -> None:
    assert [spoken(picolitres(ul)) for ul in (12_000.0, 1000.0, 999.5, 0.25)] == [
        "12 mL",
        "1 mL",
        "999.5 µL",
        "0.25 µL",
    ]
    assert spread({}) == 0.0

"""What actions took teaches what they will take, whatever else happens."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from sdl.core import commands as do
from sdl.core import events as ev
from sdl.core.durations import MEMORY, OPEN_MAX, PRACTISED, Durations, Practised, quantile
from sdl.model.data import JsonValue
from sdl.model.prediction import Prediction


def sent(cid: str, operation: str = "mix", **args: JsonValue) -> do.Perform:
    return do.Perform(
        cid=cid,
        step=cid.rpartition("/")[0],
        attempt=1,
        instrument="handler",
        operation=operation,
        effect="once",
        args=args,
        memory="m",
        not_after=None,
    )


def done(cid: str, duration_s: float) -> ev.CommandDone:
    return ev.CommandDone(at=0.0, cid=cid, result=None, duration_s=duration_s)


def learned(*durations_s: float, operation: str = "mix", **args: JsonValue) -> Durations:
    durations = Durations()
    for number, duration_s in enumerate(durations_s):
        durations.take(sent(f"run/step-{number}/try-1", operation, **args))
        durations.take(done(f"run/step-{number}/try-1", duration_s))
    return durations


def test_nothing_is_predicted_of_what_was_never_done() -> None:
    assert learned().predict("handler", "mix", {}) is None
    assert learned(5.0).predict("handler", "dispense", {}) is None
    assert learned(5.0).predict("reader", "mix", {}) is None


def test_the_middle_is_believed_whatever_hung_for_an_hour() -> None:
    found = learned(10.0, 11.0, 3600.0, 9.0, 10.0).predict("handler", "mix", {})
    assert found is not None
    assert found.duration_s == 10.0
    assert 0.0 < found.spread_s < 1.0


def test_one_duration_alone_is_not_taken_for_certain() -> None:
    assert learned(8.0).predict("handler", "mix", {}) == Prediction(duration_s=8.0, spread_s=2.0)


def test_where_an_action_is_told_how_long_to_last_the_excess_is_learned() -> None:
    durations = learned(64.0, 65.0, 66.0, operation="incubate", duration_s=60.0)
    found = durations.predict("handler", "incubate", {"duration_s": 3600.0})
    assert found is not None
    assert found.duration_s == 3605.0
    stopped = learned(1.0, operation="incubate", duration_s=60.0)
    short = stopped.predict("handler", "incubate", {"duration_s": 10.0})
    assert short is not None
    assert short.duration_s == 0.0


def test_what_was_told_to_last_about_as_long_is_believed() -> None:
    durations = Durations()
    for number in range(PRACTISED):
        durations.add("handler", "incubate", {"duration_s": 60.0}, 60.0 + number % 3)
        durations.add("handler", "incubate", {"duration_s": 600.0}, 600.0 + 30.0 * (number % 3))
    short = durations.predict("handler", "incubate", {"duration_s": 50.0})
    long = durations.predict("handler", "incubate", {"duration_s": 500.0})
    assert short is not None
    assert long is not None
    assert short.duration_s == 51.0
    assert long.duration_s == 530.0
    assert short.spread_s < 2.0
    assert long.spread_s > 20.0


def test_what_failed_or_came_from_nowhere_teaches_nothing() -> None:
    durations = Durations()
    durations.take(sent("run/step-1/try-1"))
    durations.take(
        ev.CommandFailed(at=0.0, cid="run/step-1/try-1", phase="during", kind="lab", reason="")
    )
    durations.take(done("run/step-1/try-1", 5.0))
    durations.take(done("run/step-2/try-1", 5.0))
    durations.take(sent("run/step-3/try-1"))
    durations.take(done("run/step-3/try-1", float("inf")))
    assert durations.kept() == ()


@given(
    durations_s=st.lists(st.floats(0.0, 1e6), min_size=1, max_size=3 * MEMORY),
    asked=st.one_of(st.none(), st.floats(), st.text(), st.booleans()),
)
def test_memory_is_bounded_and_goes_through_plain_values(
    durations_s: list[float], asked: JsonValue
) -> None:
    durations = learned(*durations_s)
    (kept,) = durations.kept()
    assert kept == ("handler", "mix", tuple((0.0, each) for each in durations_s[-MEMORY:]))
    found = durations.predict("handler", "mix", {"duration_s": asked})
    assert Durations([kept]).predict("handler", "mix", {"duration_s": asked}) == found
    assert found is not None
    assert found.duration_s >= 0.0
    assert found.spread_s >= 0.0


def test_commands_that_never_end_are_forgotten() -> None:
    durations = Durations()
    for number in range(OPEN_MAX + 5):
        durations.take(sent(f"run/step-{number}/try-1"))
    durations.take(done("run/step-0/try-1", 5.0))
    assert durations.kept() == ()
    durations.take(done("run/step-5/try-1", 5.0))
    assert durations.kept() == (("handler", "mix", ((0.0, 5.0),)),)


@given(st.lists(st.floats(0.0, 1e3), min_size=1), st.floats(0.0, 1.0))
def test_a_quantile_lies_between_the_values_around_it(values: list[float], share: float) -> None:
    ordered = sorted(values)
    found = quantile(ordered, share)
    below = sum(value <= found + 1e-9 for value in ordered)
    assert below >= share * (len(ordered) - 1)
    assert ordered[0] - 1e-9 <= found <= ordered[-1] + 1e-9


def test_what_was_done_a_few_times_only_is_left_to_others() -> None:
    learned = Durations()
    practised = Practised(learned)
    for number in range(PRACTISED):
        assert practised.predict("reader", "absorbance", {}) is None
        learned.add("reader", "absorbance", {}, 10.0 + number)
    assert practised.predict("reader", "absorbance", {}) == learned.predict(
        "reader", "absorbance", {}
    )

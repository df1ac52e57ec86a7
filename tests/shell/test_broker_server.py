"""The embedded broker's own part; that it works is for the tests of the bus to say."""

from __future__ import annotations

from sdl.shell.broker_server import Steady


def test_filters_may_come_and_go_while_they_are_gone_through() -> None:
    filters = Steady()
    for name in ("a", "b", "c"):
        filters[name] = []
    seen = []
    for name in filters:
        filters[f"new {name}"] = []
        filters.pop("b", None)
        seen.append(name)
    assert seen == ["a", "b", "c"]
    for name, subscriptions in filters.items():
        del filters[name]
        assert subscriptions == []
    assert not filters

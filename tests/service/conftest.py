"""The served desk that most tests speak to: one server for a file of tests, which costs time."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields

import pytest

from sdl.service.card import Card
from tests.service.places import Notebook, serving


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Notebook, Card]]:
    desk = Notebook()
    with serving(desk, tmp_path_factory.mktemp("lab")) as card:
        yield desk, card


@pytest.fixture
def desk(place: tuple[Notebook, Card]) -> Notebook:
    fresh = Notebook()
    for field in fields(Notebook):
        setattr(place[0], field.name, vars(fresh)[field.name])
    return place[0]


@pytest.fixture
def card(place: tuple[Notebook, Card], desk: Notebook) -> Card:
    return place[1]

"""No password gets out with an address."""

from __future__ import annotations

import pytest

from sdl.model.lab import Lab
from sdl.shell.redact import hidden, without_secrets


@pytest.mark.parametrize(
    "url,shown",
    [
        ("embedded", "embedded"),
        ("mqtt://host", "mqtt://host"),
        ("mqtt://host:1883", "mqtt://host:1883"),
        ("mqtt://me@host", "mqtt://me@host"),
        ("mqtt://me:secret@host:1883", "mqtt://me:***@host:1883"),
        ("mqtt://:secret@host", "mqtt://:***@host"),
        ("mqtts://me:secret%40x@host", "mqtts://me:***@host"),
        ("mqtts://me:sec@ret@host", "mqtts://me:***@host"),
        ("mqtts://me:sec/ret@host", "mqtts://me:***@host"),
        ("mqtts://me:sec?ret#x@host", "mqtts://me:***@host"),
        ("postgresql+psycopg://me:secret@h/lab", "postgresql+psycopg://me:***@h/lab"),
        ("postgresql+psycopg://h/lab?password=secret", "postgresql+psycopg://h/lab"),
        ("postgresql://me:secret@h/lab?a=b@c&password=secret", "postgresql://me:***@h/lab"),
        ("sqlite:///record.sqlite", "sqlite:///record.sqlite"),
        (
            "sqlite+pysqlite:////home/a:b@c/record.sqlite",
            "sqlite+pysqlite:////home/a:b@c/record.sqlite",
        ),
    ],
)
def test_an_address_is_shown_without_its_password(url: str, shown: str) -> None:
    assert hidden(url) == shown


def test_a_lab_is_kept_without_its_passwords() -> None:
    lab = Lab(
        name="x", instruments=(), broker="mqtt://u:secret@h", record="postgresql://u:secret@h/x"
    )
    kept = without_secrets(lab)
    assert (kept.broker, kept.record) == ("mqtt://u:***@h", "postgresql://u:***@h/x")
    assert (kept.name, kept.instruments) == ("x", ())

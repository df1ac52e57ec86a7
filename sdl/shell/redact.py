"""Addresses without the passwords in them, for records, files and messages."""

from __future__ import annotations

from dataclasses import replace

from sdl.model.lab import Lab


def hidden(url: str) -> str:
    """An address as anybody may read it: the user is kept, the password is ``***``.

    What stands behind ``?`` is dropped, for drivers of databases take passwords there too. What
    is no address of a server, such as ``embedded`` or the path of a SQLite file, stays as it is.
    """
    scheme, slashes, rest = url.partition("://")
    if not slashes or scheme.partition("+")[0] == "sqlite":
        return url
    plain = rest.partition("?")[0]
    # A password may hold a "?" that should have been written as %3F: then the "@" comes later, and
    # no "/" of a path stands before it.
    whole = plain if "@" in plain or "@" not in rest or "/" in plain else rest
    entry, at, place = whole.rpartition("@")
    user, colon, _ = entry.partition(":")
    return f"{scheme}://{user}{':***' if colon else ''}{at}{place.partition('?')[0]}"


def without_secrets(lab: Lab) -> Lab:
    """The lab as it may be kept for ever: no password of its broker or its database is in it."""
    return replace(lab, broker=hidden(lab.broker), record=hidden(lab.record))

"""What a person is told where several things failed together."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from sdl.errors import SdlError


@contextmanager
def first_of_group() -> Iterator[None]:
    """A task group raises all failures as one; a person is told the first, in its own words."""
    try:
        yield
    except BaseExceptionGroup as failures:
        ours, others = failures.split(SdlError)
        first = _leaf(ours or others or failures)
        raise first from first.__cause__


def _leaf(failure: BaseException) -> BaseException:
    while isinstance(failure, BaseExceptionGroup):
        failure = failure.exceptions[0]
    return failure

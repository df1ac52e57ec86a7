"""What the PyLabRobot drivers share: things by dotted path, wells by name, errors of ours."""

from __future__ import annotations

import pkgutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TypeVar

from sdl.errors import DriverFault, OutcomeUnknown, OutOfMaterial, SdlError, UserMistake
from sdl.model.data import JsonValue
from sdl.model.labware import Well

# isort: split
from pylabrobot.liquid_handling.errors import (  # type: ignore[import-untyped]
    ChannelizedError,
)
from pylabrobot.resources import (  # type: ignore[import-untyped]
    Container,
    Plate,
    Resource,
    ResourceNotFoundError,
)
from pylabrobot.resources.errors import (  # type: ignore[import-untyped]
    NoTipError,
    TooLittleLiquidError,
    TooLittleVolumeError,
)

T = TypeVar("T")
OUT_OF_MATERIAL = (NoTipError, TooLittleLiquidError, TooLittleVolumeError)


def made(path: str, kind: type[T], options: Mapping[str, JsonValue]) -> T:
    """What the function or class at a dotted path makes. UserMistake if it is not a ``kind``.

    A name without a dot is looked up among PyLabRobot's resources.
    """
    dotted = path if "." in path else f"pylabrobot.resources.{path}"
    try:
        thing = pkgutil.resolve_name(dotted)(**options)
    except (ImportError, AttributeError, ValueError, TypeError) as error:
        raise UserMistake(f"cannot make {path!r} with {dict(options)}: {error}") from error
    except OSError as error:
        raise UserMistake(
            f"cannot make {path!r}: PyLabRobot fetches its definition over the network ({error}); "
            "choose a kind that it carries, or connect once with a network"
        ) from error
    if not isinstance(thing, kind):
        raise UserMistake(f"{path!r} makes {type(thing).__name__}, not {kind.__name__}")
    return thing


def container(root: Resource, well: Well) -> Container:
    """A well, or a one-piece container, among the resources. DriverFault if it is not there."""
    try:
        found = root.get_resource(well.labware)
    except ResourceNotFoundError as error:
        raise DriverFault(f"there is no {well.labware!r} on {root.name!r}") from error
    if isinstance(found, Container):
        return found
    if not isinstance(found, Plate):
        raise DriverFault(f"{well.labware!r} is a {type(found).__name__} and has no wells")
    try:
        return found.get_item(well.name)
    except (IndexError, KeyError, ValueError) as error:
        raise DriverFault(f"{well.labware!r} has no well {well.name!r}") from error


@contextmanager
def faults_named(what: str) -> Iterator[None]:
    """Turn whatever PyLabRobot and its backends raise into errors of ours."""
    try:
        yield
    except SdlError:
        raise
    except ChannelizedError as error:
        causes = list(error.errors.values())
        raise _named(what, causes[0] if len(causes) == 1 else error) from error
    except Exception as error:
        raise _named(what, error) from error


def _named(what: str, error: Exception) -> SdlError:
    text = f"{what}: {type(error).__name__}: {error}"
    if isinstance(error, OUT_OF_MATERIAL):
        return OutOfMaterial(f"{text}; refill or replace it")
    if isinstance(error, (TimeoutError, ConnectionError)):
        return OutcomeUnknown(f"{text}; look at the machine: it may or may not have acted")
    return DriverFault(text)

"""Drivers, simulators and protocols: found by entry point name or in a lab's own file."""

from __future__ import annotations

import hashlib
import importlib.util
import inspect
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from functools import lru_cache
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from types import ModuleType
from typing import cast

from pydantic import PydanticSchemaGenerationError, TypeAdapter, ValidationError

from sdl.capabilities import Device
from sdl.errors import Place, SdlError, UserMistake
from sdl.model.lab import Instrument

DRIVERS = "sdl.drivers"
SIMULATORS = "sdl.simulators"
PROTOCOLS = "sdl.protocols"

GIVEN_TO_SIMULATORS = ("name", "bench")
"""Arguments of a simulator that the node fills in, not ``lab.toml``."""
_REST = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)


@dataclass(frozen=True, slots=True, kw_only=True)
class Loaded:
    """Somebody's class or function, and which one exactly."""

    reference: str
    """As written: ``liquid-handler`` or ``./file.py:Name``."""
    value: object
    sha256: str
    """Over its source file."""
    version: str
    """Of the distribution it came with; empty for a file of the lab's own."""


def load(group: str, reference: str, folder: Path) -> Loaded:
    """Find ``reference``. UserMistake says what exists instead.

    ``folder``: what a path is relative to, the folder of the TOML that names it.
    """
    if reference.partition(":")[0].endswith(".py"):
        return _from_file(reference, folder)
    return _from_entry_point(group, reference)


def known(group: str) -> tuple[str, ...]:
    """Names of the entry points of one group, in alphabetical order."""
    return tuple(sorted({entry.name for entry in entry_points(group=group)}))


@lru_cache(maxsize=256)  # looking one up reads the metadata of every installed package
def _from_entry_point(group: str, name: str) -> Loaded:
    found = tuple(entry_points(group=group, name=name))
    if not found:
        kind = group.rpartition(".")[2].rstrip("s")
        raise UserMistake(
            f"there is no {kind} {name!r}{_instead(name, known(group))}, "
            "or name a file of your own, such as './my_file.py:MyClass'"
        )
    try:
        value = cast("object", found[0].load())
    except Exception as error:
        raise UserMistake(
            f"{name!r} ({found[0].value}) cannot be loaded: {type(error).__name__}: {error}"
        ) from error
    return Loaded(
        reference=name, value=value, sha256=_source_sha256(found[0]), version=_version(found[0])
    )


def _version(entry: EntryPoint) -> str:
    return entry.dist.version if entry.dist is not None else ""


def _source_sha256(entry: EntryPoint) -> str:
    spec = importlib.util.find_spec(entry.module)
    if spec is None or spec.origin is None:
        return ""
    return hashlib.sha256(Path(spec.origin).read_bytes()).hexdigest()


def _from_file(reference: str, folder: Path) -> Loaded:
    path_text, _, name = reference.partition(":")
    path = (folder / path_text).resolve()
    if not name:
        raise UserMistake(f"{reference!r} names no class; write '{path_text}:NameInThatFile'")
    try:
        source = path.read_bytes()
    except OSError as error:
        raise UserMistake(f"{reference!r}: {path} cannot be read: {error.strerror}") from error
    sha256 = hashlib.sha256(source).hexdigest()
    names = vars(_run(path, source, sha256))
    if name not in names:
        offered = tuple(each for each, value in names.items() if _made_in(value, names["__name__"]))
        raise UserMistake(f"there is no {name!r} in it{_instead(name, offered)}", Place(str(path)))
    return Loaded(reference=reference, value=names[name], sha256=sha256, version="")


def _made_in(value: object, module: object) -> bool:
    return (inspect.isclass(value) or inspect.isfunction(value)) and value.__module__ == module


def _run(path: Path, source: bytes, sha256: str) -> ModuleType:
    """Execute a file under a private module name; the same bytes at the same place only once."""
    place = hashlib.sha256(str(path).encode()).hexdigest()[:12]
    name = f"sdl_file_{path.stem}_{sha256}_{place}"
    if name in sys.modules:
        return sys.modules[name]
    module = ModuleType(name)
    module.__file__ = str(path)
    sys.modules[name] = module
    try:
        exec(compile(source, str(path), "exec", dont_inherit=True), vars(module))  # noqa: S102
    except SyntaxError as error:
        del sys.modules[name]
        raise UserMistake(f"{error.msg}", Place(str(path), error.lineno)) from error
    except Exception as error:
        del sys.modules[name]
        raise UserMistake(
            f"running the file failed with {type(error).__name__}: {error}{_beside(error, path)}",
            Place(str(path), _line_in(error, path)),
        ) from error
    return module


def _beside(error: Exception, path: Path) -> str:
    """What to do where a file imports its neighbour, which no record would know of."""
    wanted = (error.name or "").partition(".")[0] if isinstance(error, ImportError) else ""
    if not wanted or not (
        path.with_name(f"{wanted}.py").exists() or (path.parent / wanted).is_dir()
    ):
        return ""
    return (
        f"; {wanted!r} lies beside it, but such files cannot import each other, for the record "
        "keeps one file of each: repeat what is needed, or install it as a package"
    )


def _line_in(error: Exception, path: Path) -> int | None:
    line, trace = None, error.__traceback__
    while trace is not None:
        if trace.tb_frame.f_code.co_filename == str(path):
            line = trace.tb_lineno
        trace = trace.tb_next
    return line


def _instead(name: str, offered: tuple[str, ...]) -> str:
    close = get_close_matches(name, offered, n=1)
    there = ", ".join(offered) or "none"
    return f"; did you mean {close[0]!r}? There are: {there}" if close else f"; there are: {there}"


def instrument_class(instrument: Instrument, folder: Path) -> Loaded:
    """The driver or simulator class of an instrument. UserMistake if there is none."""
    loaded = load(SIMULATORS if instrument.simulated else DRIVERS, instrument.driver, folder)
    if not inspect.isclass(loaded.value):
        raise UserMistake(
            f"instrument {instrument.name!r}: {instrument.driver!r} is no class, so it is no driver"
        )
    return loaded


def construct(instrument: Instrument, folder: Path, bench: object) -> tuple[Device, Loaded]:
    """Make the driver or simulator object of an instrument.

    A simulator is given ``name`` and ``bench`` besides its options, a driver its options alone.
    UserMistake names an option that is wrong, and those that there are.
    """
    loaded = instrument_class(instrument, folder)
    kind = cast("type[Device]", loaded.value)
    given: dict[str, object] = {}
    if instrument.simulated:
        given = dict(zip(GIVEN_TO_SIMULATORS, (instrument.name, bench), strict=True))
    options = check_options(instrument, kind)
    try:
        return kind(**given, **options), loaded
    except SdlError:
        raise
    except Exception as error:
        raise UserMistake(
            f"instrument {instrument.name!r}: {kind.__name__} cannot be made with these options: "
            f"{type(error).__name__}: {error}"
        ) from error


def check_options(instrument: Instrument, kind: type) -> dict[str, object]:
    """The options of an instrument, typed by its constructor. UserMistake if one does not fit."""
    where = f"instrument {instrument.name!r}"
    parameters = _parameters(kind)
    accepted = {name: each for name, each in parameters.items() if each.kind not in _REST}
    anything = any(each.kind is inspect.Parameter.VAR_KEYWORD for each in parameters.values())
    if instrument.simulated:
        lacking = [name for name in GIVEN_TO_SIMULATORS if name not in accepted]
        if lacking and not anything:
            raise UserMistake(
                f"{where}: the simulator {kind.__name__} does not take {' and '.join(lacking)}; "
                "its __init__ must accept name= and bench="
            )
        accepted = {
            name: each for name, each in accepted.items() if name not in GIVEN_TO_SIMULATORS
        }
    for name in instrument.options:
        if name not in accepted and not anything:
            raise UserMistake(
                f"{where}: {kind.__name__} has no option {name!r}{_instead(name, tuple(accepted))}"
            )
    missing = [
        name
        for name, parameter in accepted.items()
        if parameter.default is parameter.empty and name not in instrument.options
    ]
    if missing:
        raise UserMistake(f"{where}: {kind.__name__} needs the option {', '.join(missing)}")
    return {
        name: _typed(f"{where}: option {name}", accepted[name].annotation, value)
        if name in accepted
        else value
        for name, value in instrument.options.items()
    }


@lru_cache(maxsize=256)  # a lab may have a thousand instruments of one kind
def _parameters(kind: type) -> Mapping[str, inspect.Parameter]:
    try:
        return inspect.signature(kind, eval_str=True).parameters
    except (NameError, TypeError):  # annotated with names that exist for type checkers only
        return inspect.signature(kind).parameters


def _typed(where: str, annotation: object, value: object) -> object:
    if annotation is inspect.Parameter.empty or isinstance(annotation, str):
        return value
    try:
        return TypeAdapter(cast("type[object]", annotation)).validate_python(value)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        inside = "".join(f".{part}" for part in first["loc"])
        raise UserMistake(f"{where}{inside}: {first['msg']}, not {first['input']!r}") from None
    except PydanticSchemaGenerationError:  # a type that only the driver itself can check
        return value

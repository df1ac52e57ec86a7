"""The ``sdl`` command: finds the verb, imports it alone, and turns every error into a sentence."""

from __future__ import annotations

import importlib
import os
import sys
import tempfile
import traceback
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Annotated, NoReturn, cast

import typer

from sdl.cli.console import say, tell, write_error
from sdl.cli.exits import Exit, exit_of
from sdl.cli.verbs import VERBS, Verb
from sdl.errors import SdlError

ABOUT = """Run a self-driving laboratory: from a campaign file to a judged, recorded result.

Begin with: sdl init my-lab
"""
LOG = "sdl-error.log"


def main(words: Sequence[str] | None = None) -> NoReturn:
    """Run the command line and leave with one of the exit codes of ``sdl.cli.exits``."""
    words = list(sys.argv[1:] if words is None else words)
    sys.exit(_run(words))


def _run(words: list[str]) -> int:
    as_json = "--json" in words
    try:
        _app(words)(words, prog_name="sdl")
    except SystemExit as left:
        code = left.code if isinstance(left.code, int) else Exit.OK
        # 1 is typer's own code, for Ctrl-C as for a reader of our output that has gone.
        return code if code != 1 else Exit.OK if _reader_gone(left) else Exit.INTERRUPTED
    except KeyboardInterrupt:
        tell("sdl: left at once")
        return Exit.INTERRUPTED
    except BrokenPipeError:  # the reader of our output has gone, as `| head` does
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return Exit.OK
    except SdlError as error:
        write_error(error, exit_of(error), as_json=as_json)
        _show_trace()
        return exit_of(error)
    except BaseExceptionGroup as group:
        return _group(group, words)
    except Exception as error:  # noqa: BLE001 -- the last stop before a person's screen
        return _unexpected(error, words)
    return Exit.OK


def _reader_gone(left: SystemExit) -> bool:
    return isinstance(left.__context__, BrokenPipeError)


def _app(words: Sequence[str]) -> typer.Typer:
    """All verbs by name, the wanted one for real: importing the others would only cost time."""
    app = typer.Typer(
        name="sdl",
        no_args_is_help=True,
        rich_markup_mode=None,
        pretty_exceptions_enable=False,
        add_completion="--install-completion" in words or "--show-completion" in words,
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    app.callback(help=ABOUT)(_version)
    wanted = next((word for word in words if not word.startswith("-")), None)
    for verb in VERBS:
        _add(app, verb, is_wanted=verb.name == wanted)
    return app


def _add(app: typer.Typer, verb: Verb, *, is_wanted: bool) -> None:
    if not is_wanted:
        app.command(verb.name, help=verb.help)(_named_only)
        return
    module = importlib.import_module(verb.module)
    if verb.kind == "group":
        app.add_typer(module.app, name=verb.name, help=verb.help)
    else:
        function = cast("Callable[..., None]", vars(module)[verb.name])
        app.command(verb.name, short_help=verb.help)(function)


def _named_only() -> None:
    """Stands in the list of verbs for one that was not asked for."""


def _say_version(wanted: bool) -> None:
    if wanted:
        from sdl import __version__

        say(f"sdl-runtime {__version__}")
        raise typer.Exit


def _version(
    _version: Annotated[
        bool,
        typer.Option(
            "--version", callback=_say_version, is_eager=True, help="Say the version, and leave."
        ),
    ] = False,
) -> None:
    """Nothing but its options."""


def _group(group: BaseExceptionGroup[BaseException], words: Sequence[str]) -> int:
    """Several errors at once: ours are told one by one, anything else is unexpected."""
    ours, others = group.split(SdlError)
    if others is not None or ours is None:
        return _unexpected(group, words)
    worst = Exit.OK
    for error in _leaves(ours):
        worst = max(worst, exit_of(error))
        write_error(error, worst, as_json=False)
    _show_trace()
    return worst


def _leaves(group: BaseExceptionGroup[SdlError]) -> list[SdlError]:
    found: list[SdlError] = []
    for error in group.exceptions:
        found += _leaves(error) if isinstance(error, BaseExceptionGroup) else [error]
    return found


def _unexpected(error: BaseException, words: Sequence[str]) -> int:
    log = _write_log(error, words)
    tell(
        f"sdl: something went wrong that should not have ({type(error).__name__}: {error}). "
        f"What is on record is safe. The details are in {log}; please report them."
    )
    _show_trace()
    return Exit.BUG


def _write_log(error: BaseException, words: Sequence[str]) -> Path:
    """Write the trace beside the file that was worked on, or wherever it can be written."""
    text = f"sdl {' '.join(words)}\n\n{''.join(traceback.format_exception(error))}"
    named = [Path(word) for word in words if word.endswith(".toml")]
    for folder in [*(path.parent for path in named), Path.cwd(), Path(tempfile.gettempdir())]:
        try:
            (folder / LOG).write_text(text)
        except OSError:
            continue
        return (folder / LOG).resolve()
    tell(text)
    return Path("the lines above")


def _show_trace() -> None:
    if os.environ.get("SDL_DEBUG"):
        tell(traceback.format_exc())

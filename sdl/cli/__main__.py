"""``python -m sdl.cli`` does what ``sdl`` does."""

from __future__ import annotations

from sdl.cli.main import main

main()

"""``python -m sdl`` does what ``sdl`` does."""

from __future__ import annotations

from sdl.cli.main import main

if __name__ == "__main__":
    main()

"""How people reach a running orchestrator: HTTP on loopback, and the caller of it."""

from __future__ import annotations

from sdl.service.serving import served

__all__ = ["served"]

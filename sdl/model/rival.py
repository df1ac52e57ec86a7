"""Rival hypotheses: each says by a formula what will be measured at a point."""

from __future__ import annotations

from dataclasses import dataclass

from sdl.model.formula import Formula, read


@dataclass(frozen=True, slots=True, kw_only=True)
class Rival:
    """One of several hypotheses about the measure of the objective."""

    name: str
    """In a word or two, as it is told."""
    predicts: str
    """A formula of searched numeric inputs, in the measure's unit; see ``model.formula``."""
    sd: float
    """How far measurements are expected to lie from it, a standard deviation, above 0."""
    prior: float = 0.5
    """Probability before the first run, between 0 and 1; those of all add up to 1."""

    @property
    def formula(self) -> Formula:
        """What it predicts. ValueError if it cannot be read, which ``sdl check`` sees to."""
        return read(self.predicts)

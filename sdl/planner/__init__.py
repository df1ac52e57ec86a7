"""Suggests what to try next; runs in its own process."""

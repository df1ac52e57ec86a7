"""Drivers of real instruments, one plain class per file."""

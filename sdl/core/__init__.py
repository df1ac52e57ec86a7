"""Decides, never does: events in, commands out, no clock, no file, no chance of its own."""

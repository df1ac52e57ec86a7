"""Protocols that come with the runtime, one per file."""

"""Simulated instruments, one kind per file."""

"""Bytes to values and back: journal lines, MQTT payloads, TOML files."""

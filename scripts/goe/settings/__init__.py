"""The configuration and the two sheets."""

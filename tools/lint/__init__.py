"""Checks of `make lint` that no published tool makes. Imports nothing of ours."""

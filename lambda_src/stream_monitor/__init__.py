"""Checks one flow and reports its health. `trigger` and `health` decide and are pure; `handler` calls AWS."""

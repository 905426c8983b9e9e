"""Tests of what people run in a shell, run as they do."""

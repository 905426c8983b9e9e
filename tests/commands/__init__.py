"""Tests of commands, run as in a shell."""

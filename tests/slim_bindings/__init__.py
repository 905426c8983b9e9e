"""Tests of `slim_bindings` on small packages written for them. They start processes, so they are no unit tests."""

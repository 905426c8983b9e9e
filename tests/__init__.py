"""Tests. Kinds: unit (no provider, no network), synth (one synth for all), modules (terraform test), local (local AWS)."""

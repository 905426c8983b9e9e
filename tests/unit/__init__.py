"""Pure decisions: no provider, no network, milliseconds."""

"""Everything that runs on a laptop or in CI and is not deployed. Nothing that is deployed imports it."""

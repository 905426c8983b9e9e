"""Long runs of random sequences. `CI=true` tries thousands; elsewhere a few hundred."""

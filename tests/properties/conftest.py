"""How many sequences are tried: many where nobody waits for them."""

import os

from hypothesis import HealthCheck, settings

settings.register_profile(
    "ci", max_examples=6000, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck)
)
settings.register_profile("here", max_examples=300, deadline=None, suppress_health_check=list(HealthCheck))
settings.load_profile("ci" if os.environ.get("CI") == "true" else "here")

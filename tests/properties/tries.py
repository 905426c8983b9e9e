"""How many sequences are tried: three times the profile's number, and thirty times where nobody waits (`CI=true`)."""

import os

from hypothesis import HealthCheck, settings

many = settings(
    max_examples=settings().max_examples * (30 if os.environ.get("CI") == "true" else 3),
    deadline=None,
    suppress_health_check=list(HealthCheck),
)

"""How many sequences are tried: thousands where nobody waits for them (`CI=true`), a few hundred elsewhere."""

import os

from hypothesis import HealthCheck, settings

many = (
    settings(max_examples=3000, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
    if os.environ.get("CI") == "true"
    else settings(max_examples=300, deadline=None, suppress_health_check=list(HealthCheck))
)

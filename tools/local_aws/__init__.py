"""The AWS on a laptop: moto in this process, with its gaps filled and AWS's own behaviour added.

`server` runs it. `gaps` makes single API calls answer as AWS does. What AWS does by itself is in `alarms`,
`eventbridge`, `scheduler`, `executions`, `deliveries` and `service_metrics`. `faults` and `resource_faults` make it
fail, `calls` records what functions call, and `forget` clears what has happened. `backends` and `moto_patches` are the
only modules that touch private parts of moto. Time comes from the caller or from `clock`, so that a rehearsal has one
clock. Imports moto, time-machine and the standard library; nothing that is deployed imports this package.
"""

from tools.local_aws.backends import ACCOUNT_ID
from tools.local_aws.server import LocalAws

__all__ = ["ACCOUNT_ID", "LocalAws"]

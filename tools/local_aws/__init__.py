"""The AWS on a laptop: moto in this process, and one file for each gap of moto's that this system meets.

`server` runs it, `gaps` makes single API calls answer as AWS does, and the rest puts AWS's own behaviour in motion:
`alarms`, `eventbridge`, `scheduler`, `executions`, `deliveries`, `service_metrics`; `faults` makes services fail,
`calls` notes what functions ask of them, and `forget` lets all begin again on what is deployed. Time is given by the
caller or by `clock`, so that a rehearsal has one clock. Imports moto, time-machine and the standard library; nothing
that is deployed knows of this package.
"""

from tools.local_aws.server import ACCOUNT_ID, LocalAws

__all__ = ["ACCOUNT_ID", "LocalAws"]

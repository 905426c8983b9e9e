"""Rehearsal of incidents on a local AWS, with the synthesized Terraform.

`reading` loads scenarios, `assignment` finds their flows, `deployment` deploys, `run` plays on the scenario's own
clock, with `driver` for the consequences; `show` prints and `report` draws. Nothing that is deployed can tell that it
is a rehearsal.
"""

"""Practising an incident: the synthesized Terraform on an AWS inside this process, and a stream that breaks.

`scenario` reads what shall happen, `stage` deploys, `run` plays it on the scenario's own clock, `show` prints.
Nothing that is deployed knows that it is rehearsed.
"""

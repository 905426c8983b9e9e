"""What the commands do in an AWS account: plan, apply, drift, flows, incidents, dead letters, pipelines.

May import everything of ours but `tools.cli`, which calls it. Nothing else imports it but tests.
"""

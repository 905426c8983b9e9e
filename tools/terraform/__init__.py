"""How programs are started, above all `terraform`: environment, provider mirror, signals, and waiting for the end.

Imports nothing of ours.
"""

"""Synthesizes this source with other releases of CDKTF and its provider bindings, and compares the results.

Nothing here is deployed.
"""

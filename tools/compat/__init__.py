"""Synthesizes the same source with other releases of CDKTF and its provider bindings, and compares what comes out.

Owns the pinned environments, the renaming of imports and the comparison; nothing here is deployed.
"""

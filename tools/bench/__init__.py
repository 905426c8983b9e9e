"""Measures what the project promises: synthesis, its growth, the functions, and how soon a failure is told.

`make bench` runs all of it; nothing here is deployed, and nothing that is deployed imports it.
"""

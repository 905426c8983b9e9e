"""Measures synthesis, its growth, the functions, detection times and Terraform.

`make bench` runs all of it. Nothing here is deployed, and nothing that is deployed imports it.
"""

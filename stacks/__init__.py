"""Stacks: what is deployed together. A stack composes constructs of `components`, and defines no resources.

Each stack is one Terraform root with one state. May import `components` and `settings`.
"""

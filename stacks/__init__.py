"""What is deployed together. A stack composes constructs of `components`; it defines no resource of its own.

Each stack is one Terraform root with one state. May import `components` and `settings`.
"""

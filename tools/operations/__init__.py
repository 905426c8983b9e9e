"""What people run: the command line, and how this project starts Terraform.

May import everything of ours. Only `tools.terraform.binary` is used elsewhere, by rehearsals and tests.
"""

"""Real plans of the whole stack, made by Terraform on the local AWS, and what makes them again."""

"""How one thing is built: a construct per AWS noun, and beside them the pure files they draw from.

May import `settings` and `components.aws`. The pure files (health_rules, workflow_definition, event_patterns,
dashboard_layout, lambda_package, iam) import neither CDKTF nor the provider, so their tests take milliseconds.
Construct ids are part of the deployed address: renaming one destroys and recreates what it names.
"""

"""The one place that starts programs: `terraform`, synthesis and `git`, with their environment, mirror and signals.

Imports `settings.errors`, `components.paths` and `slim_bindings.node`, nothing else of ours. Three packages start
programs themselves, because how a program is started is their subject: `tools.local_aws` runs the functions' code in
interpreters that it keeps, stops at a time limit and cuts off from this environment; `tools.bench` measures programs
while they run; and `tools.compat` runs the source under other interpreters.
"""

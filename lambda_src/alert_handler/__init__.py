"""Makes one message of each thing worth knowing about a flow.

`situation` and `incident` decide, `outbox` keeps what is to be sent, `message` words it; all four are pure. `handling`
puts them in order, `table` and `handler` talk to AWS.
"""

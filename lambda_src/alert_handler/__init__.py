"""Makes one message of each thing worth knowing about a flow.

`incident` decides, `outbox` keeps what is to be sent, `message` words it; all three are pure. `handling` puts them in
order, `table` and `handler` talk to AWS.
"""

"""Turns reports into incidents and notifications.

`situation` and `incident` decide, `outbox` keeps pending notifications, `message` and `sms` write their text; all are
pure. `handling` puts them in order, `table` and `handler` call AWS.
"""

"""Turns an unhealthy report into one message. `message` decides and is pure; `handler` talks to AWS."""

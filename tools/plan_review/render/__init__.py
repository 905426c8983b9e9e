"""A review as text, Markdown and JSON. Decides nothing; the same review gives the same output."""

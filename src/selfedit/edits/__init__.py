"""Formats of self-edits: a task → a prompt; what the model wrote → training sequences, or a Failure."""

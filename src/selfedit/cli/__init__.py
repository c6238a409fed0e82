"""The command line: one file a verb. Knows how to ask and how to show; the work is done below."""

"""Messages: posting, history, edits, threads, reactions, pins, mentions."""

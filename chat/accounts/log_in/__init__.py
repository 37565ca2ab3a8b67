"""Second factors of a log-in, and re-authentication within a session."""

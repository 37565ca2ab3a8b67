"""What a log-in needs beyond a password, and re-authentication within a session."""

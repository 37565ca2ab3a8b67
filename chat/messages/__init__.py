"""Messages: posting them, and their history."""

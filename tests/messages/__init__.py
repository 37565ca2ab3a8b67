"""Messages: posted singly and in batches, and read."""

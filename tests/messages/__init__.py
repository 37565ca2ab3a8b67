"""Messages: posted one by one and in batches, and read back."""

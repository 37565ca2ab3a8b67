"""Other programs that post and read."""

"""What other programs post and read: incoming hooks."""

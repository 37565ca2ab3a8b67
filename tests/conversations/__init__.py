"""Conversations: who is in them, what they may do, what they have read."""

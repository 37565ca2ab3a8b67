"""Conversations: members, permissions, read marks."""

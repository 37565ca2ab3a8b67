"""Reactions: an emoji under a message, and who has put it there."""

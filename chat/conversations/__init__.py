"""Conversations (channels, groups, direct messages), their members and their read marks."""

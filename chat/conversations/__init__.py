"""Conversations: channels, groups and directs; who stays in them; how far each person has read."""

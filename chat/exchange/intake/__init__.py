"""Intake: records become people, conversations and messages, in commits that each say how far they have come."""

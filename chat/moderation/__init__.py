"""Moderation: who is kept out, who is let in by a link, what was reported."""

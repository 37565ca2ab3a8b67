"""Moderation: bans, invite links and reports."""

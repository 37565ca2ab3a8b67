"""Mentions, notification settings, unread counts, read receipts, profiles and blocks."""

"""Announcements: what admins say to everybody, above all conversations, until it is over."""

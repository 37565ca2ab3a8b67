"""Accounts and sessions: users, how they log in, and how their sessions end."""

"""Accounts and sessions, as users meet them."""

"""Accounts and logins, as people meet them."""

"""Accounts and logins: who somebody is, how he proves it, and how that ends."""

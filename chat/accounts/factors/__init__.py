"""Proof of who a user is beyond the log-in: re-authentication, one-time codes, passkeys, recovery codes."""

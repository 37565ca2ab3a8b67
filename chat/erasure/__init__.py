"""Deleting an account: at once what identifies its owner, then in bounded steps all that hangs on it."""

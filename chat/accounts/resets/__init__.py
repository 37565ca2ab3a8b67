"""Password reset by a one-time link: made by an admin or on the command line, used by the owner of the account."""

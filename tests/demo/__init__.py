"""The demo: a team with messages, in an empty database."""

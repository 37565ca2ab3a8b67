"""The demo: a team that talks, in an empty database."""

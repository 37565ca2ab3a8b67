"""Importing: a chat that took place elsewhere, from a file of lines through the HTTP API."""

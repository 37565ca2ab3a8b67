"""Slack: the ZIP that its owners may download, as records."""

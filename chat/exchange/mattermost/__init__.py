"""Mattermost: its bulk export, as records."""

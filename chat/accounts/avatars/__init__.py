"""Avatars: the pictures of people, for everybody who is logged in."""

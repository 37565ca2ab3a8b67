"""Threads: replies in a list of their own, who follows it, and how far each has read."""

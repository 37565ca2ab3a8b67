"""Attention: mentions, notification levels, unread counts, receipts, blocks."""

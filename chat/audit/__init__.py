"""The audit: what those who run things did to whom."""

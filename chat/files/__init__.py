"""Files: sent up in pieces, looked at from a distance, carried by messages, and read by those who read these."""

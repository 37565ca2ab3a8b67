"""What admins see of everybody who is here, and what they may do about it."""

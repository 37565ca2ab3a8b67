"""What can be broken while people talk. Each fault breaks something, waits, and mends it again."""

"""The durable log: its entries, and how they are appended, announced and read."""

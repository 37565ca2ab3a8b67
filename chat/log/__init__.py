"""The durable log: what is an entry, how it is appended, announced and read again."""

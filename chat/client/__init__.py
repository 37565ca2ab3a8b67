"""A Python client of Tandem: event streams, an asyncio client, and nodes as processes."""

"""Who is here and who is typing, over a WebSocket."""

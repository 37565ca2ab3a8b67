"""WebSockets as a server speaks them, without a task for each: frames (pure), and the wire below."""

"""Exchange: chats from elsewhere come in, ours go out; both as records, a line of JSON each."""

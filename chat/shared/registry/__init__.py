"""The session registry: who is connected where, in Redis, for message streams and presence sockets alike."""

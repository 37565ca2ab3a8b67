"""The session registry in Redis: which users are connected to which nodes, by streams and by presence sockets."""

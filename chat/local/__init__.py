"""Everything that runs on one machine: PostgreSQL, Valkey, HAProxy, the nodes and their supervisor."""
